import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { runCli } from '../src/run-cli.ts';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
/** Nobody's settings. */
const BARE_ENV = { PATH: process.env['PATH'], HOME: '/nonexistent' };

/** How a run of the command ended. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the command in this process: all of it but the process itself, which takes a second to load for the cloud.
 * Without a terminal, and without anybody's settings.
 */
export async function hawser(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(args, {
    stdout: { write: (part) => (written.stdout += Buffer.from(part as Buffer).toString()) },
    stderr: { write: (part) => (written.stderr += Buffer.from(part as Buffer).toString()) },
    interactive: false,
    env: { ...BARE_ENV, ...env },
  });
  return { code, ...written };
}

/** Settings of {@link spawnHawser}. */
export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Ended with SIGINT as soon as its output matches. */
  readonly interruptAt?: RegExp;
}

/** Runs the command as a process, as a user would. */
export async function spawnHawser(args: readonly string[], options: SpawnOptions = {}): Promise<Run> {
  const { env = {}, interruptAt } = options;
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...BARE_ENV, ...env },
  });
  if (interruptAt !== undefined) {
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (interruptAt.test(seen)) child.kill('SIGINT');
    });
  }
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, stdout, stderr };
}

/** The JSON that a run has written. @throws SyntaxError */
export function json(run: Run): unknown {
  return JSON.parse(run.stdout);
}
