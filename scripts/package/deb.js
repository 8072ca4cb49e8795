// A tree of files becomes a package of Debian: control files, checksums, archive.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { root } from '../run.js';
import { PackageError } from './architectures.js';

const SOURCES = path.join(root, 'packaging', 'deb');
const SCRIPTS = ['postinst', 'prerm', 'postrm'];
/** xz is smaller than zstd, and older releases of dpkg have it too. Level 6 needs 9 MiB to unpack, level 9 would need 65. */
const COMPRESSION = { small: ['-Zxz', '-z6'], fast: ['-Znone'] };

/**
 * Builds the package of what is below `tree`.
 * @returns {{file: string, bytes: number, installedBytes: number}}
 * @throws PackageError without dpkg-deb
 */
export async function buildDeb(tree, { arch, version, out, fast }) {
  const files = filesBelow(tree);
  const installedBytes = files.reduce((sum, file) => sum + statSync(path.join(tree, file)).size, 0);
  const control = path.join(tree, 'DEBIAN');
  mkdirSync(control);
  const fields = readFileSync(path.join(SOURCES, 'control'), 'utf8')
    .replace('@VERSION@', version)
    .replace('@ARCH@', arch.debian)
    .replace('@SIZE@', String(Math.ceil(installedBytes / 1024)))
    .replace('@GLIBC@', neededGlibc(files.map((file) => path.join(tree, file))));
  writeFileSync(path.join(control, 'control'), fields);
  writeFileSync(
    path.join(control, 'conffiles'),
    files
      .filter((file) => file.startsWith('etc/'))
      .map((file) => `/${file}\n`)
      .join(''),
  );
  writeFileSync(
    path.join(control, 'md5sums'),
    files
      .filter((file) => !file.startsWith('etc/'))
      .map((file) => `${md5(path.join(tree, file))}  ${file}\n`)
      .join(''),
  );
  for (const name of SCRIPTS) {
    writeFileSync(path.join(control, name), readFileSync(path.join(SOURCES, name)), { mode: 0o755 });
  }
  const epoch = process.env.SOURCE_DATE_EPOCH ?? commitTime();
  makeAlike(tree, Number(epoch));
  const file = path.join(out, `hawser-edgecore_${version}_${arch.debian}.deb`);
  const compression = fast ? COMPRESSION.fast : COMPRESSION.small;
  try {
    execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', tree, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new PackageError('there is no dpkg-deb here: it is in the package dpkg of Debian');
    throw error;
  }
  return { file, bytes: statSync(file).size, installedBytes };
}

/** Files, relative to `tree`, in the order of their names. */
function filesBelow(tree) {
  return readdirSync(tree, { recursive: true })
    .filter((file) => !lstatSync(path.join(tree, file)).isDirectory())
    .sort();
}

/** The oldest release of the C library that has all that machine code here asks for: versions of symbols say so. */
function neededGlibc(files) {
  const native = files.filter((file) => file.endsWith('.node') || path.basename(file) === 'node');
  const minors = native.flatMap((file) =>
    [...readFileSync(file, 'latin1').matchAll(/GLIBC_2\.(\d{1,3})\b/g)].map(([, minor]) => Number(minor)),
  );
  return `2.${Math.max(...minors)}`;
}

function md5(file) {
  return createHash('md5').update(readFileSync(file)).digest('hex');
}

function commitTime() {
  return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim();
}

/** The same rights and times whoever builds it, and when. */
function makeAlike(tree, epoch) {
  for (const name of ['.', ...readdirSync(tree, { recursive: true })]) {
    const file = path.join(tree, name);
    const stat = lstatSync(file);
    if (stat.isDirectory()) chmodSync(file, 0o755);
    else chmodSync(file, stat.mode & 0o111 ? 0o755 : 0o644);
    lutimesSync(file, epoch, epoch);
  }
}
