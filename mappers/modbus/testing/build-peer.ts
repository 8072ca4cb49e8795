import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../testing/modbus-peer.c', import.meta.url));
/** Beside the compiled tests: removed with them. */
const CACHE = fileURLToPath(new URL('../peer/', import.meta.url));
const NEEDED = 'gcc, libc6-dev and libmodbus-dev are needed for a Modbus peer';
const HEADER = '/usr/include/modbus/modbus.h';

/** Compiles modbus-peer.c, unless that was done. */
export function buildPeer(): { readonly program: string } | { readonly missing: string } {
  const source = readFileSync(SOURCE);
  const program = path.join(
    CACHE,
    `modbus-peer-${createHash('sha256').update(source).digest('hex').slice(0, 16)}`,
  );
  if (existsSync(program)) return { program };
  if (!existsSync(HEADER)) return { missing: NEEDED };
  mkdirSync(CACHE, { recursive: true });
  const dir = mkdtempSync(path.join(CACHE, 'build-'));
  try {
    const made = path.join(dir, 'modbus-peer');
    execFileSync('gcc', ['-O1', '-o', made, SOURCE, '-lmodbus'], { stdio: 'pipe' });
    renameSync(made, program); // whole, also where several processes do this at once
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: NEEDED };
    throw error;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return { program };
}
