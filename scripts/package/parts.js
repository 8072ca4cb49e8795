// The parts of a package that are machine code: Node.js and native addons. For this processor they are those that run
// the tests; for another one they have to be brought.
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { root } from '../run.js';
import { PackageError } from './architectures.js';

const MODULES = path.join(root, 'node_modules');

/**
 * Finds Node.js and the addons for a processor, and looks at each whether it is for that one.
 * @param withoutQuic whether the QUIC addon is left out
 * @param folder where they are for another processor: `node`, `better_sqlite3.node`, and the folder `quic`
 * @returns {{node: string, sqlite: string, quic: string | undefined}} paths
 * @throws PackageError naming everything that is missing, and where it was looked for
 */
export function findParts(arch, folder, withoutQuic) {
  const native = arch.node === process.arch;
  const hasQuic = arch.quic !== undefined && !withoutQuic;
  const parts = native
    ? {
        node: process.execPath,
        sqlite: path.join(MODULES, 'better-sqlite3/build/Release/better_sqlite3.node'),
        quic: hasQuic ? path.join(MODULES, '@chainsafe', arch.quic) : undefined,
      }
    : {
        node: path.join(folder, 'node'),
        sqlite: path.join(folder, 'better_sqlite3.node'),
        quic: hasQuic ? path.join(folder, 'quic') : undefined,
      };
  const binaries = { ...parts, quic: parts.quic && path.join(parts.quic, quicFile(arch)) };
  const problems = Object.values(binaries)
    .filter((file) => file !== undefined)
    .flatMap((file) => problemOf(file, arch));
  if (problems.length === 0) return parts;
  const hint = native ? 'npm ci brings them' : `packaging/README.md says how to get them into ${folder}`;
  throw new PackageError(
    `a package for ${arch.debian} cannot be made here: ${problems.join('; ')}. ${hint}.`,
  );
}

/** `libp2p-quic.linux-arm64-gnu.node` of `libp2p-quic-linux-arm64-gnu`. */
function quicFile({ quic }) {
  return `${quic.replace('libp2p-quic-', 'libp2p-quic.')}.node`;
}

/** Field `e_machine` of the file's head. Source: elf(5). */
function problemOf(file, arch) {
  if (!existsSync(file)) return [`${file} is not there`];
  const head = Buffer.alloc(20);
  const descriptor = openSync(file);
  readSync(descriptor, head);
  closeSync(descriptor);
  if (head.toString('latin1', 0, 4) !== '\x7fELF') return [`${file} is no program of Linux`];
  return head.readUInt16LE(18) === arch.elf ? [] : [`${file} is for another processor`];
}
