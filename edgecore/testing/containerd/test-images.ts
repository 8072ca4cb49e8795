import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  makeImage,
  makeLayer,
  writeOciArchive,
  type Layer,
  type OciImage,
  type TarEntry,
} from '@hawser/seams/oci-image';
import { findProgram, runProgram } from './run-program.ts';

/** Names of the images that every site has. They are made here, from no registry. */
export const TEST_IMAGES = {
  /** The sandbox image. */
  pause: 'hawser.test/pause:1',
  /**
   * busybox as `/bin/sh` and everything else that it is, `memory-hog MIB` and `ignore-term`, a page for `httpd -h
   * /www`, the users root, app (1000) and other (1001), the group wheel (2000) with app in it. Runs `sh`; its version
   * is in `/etc/image-version`.
   */
  busybox: 'hawser.test/busybox:1',
  /** The same with another version: another digest. */
  busybox2: 'hawser.test/busybox:2',
  /** The same as 1, run by the user named `app`. */
  asApp: 'hawser.test/busybox-app:1',
  /** The same as 1, run by user 1000, group 1000, by number. */
  as1000: 'hawser.test/busybox-1000:1',
} as const;

const PROGRAMS = ['pause', 'memory-hog', 'ignore-term'] as const;
const COMPILER_FLAGS = ['-static', '-Os', '-s', '-Wall'];
const SOURCES = fileURLToPath(new URL('../../../testing/containerd/programs/', import.meta.url));

const PASSWD = `root:x:0:0:root:/root:/bin/sh
app:x:1000:1000:app:/home/app:/bin/sh
other:x:1001:1001:other:/home/other:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/sh
`;
const GROUP = 'root:x:0:\napp:x:1000:\nother:x:1001:\nwheel:x:2000:app\nnogroup:x:65534:\n';

let built: Promise<readonly OciImage[]> | undefined;

/**
 * The test images, built once in a process. C programs are compiled once on a machine (`cacheDir`).
 * @throws Error where gcc or busybox-static is missing
 */
export function testImages(): Promise<readonly OciImage[]> {
  built ??= buildImages();
  return built;
}

/**
 * Path of an OCI archive with all of {@link testImages}. It is kept in a cache of this machine by the hash of what it
 * is made of, so only the first one after a change takes time.
 */
export async function testImageArchive(): Promise<string> {
  const dir = await cacheDir();
  const file = path.join(dir, `${await sourceHash()}.tar`);
  if ((await stat(file).catch(() => undefined)) === undefined)
    await writeWhole(file, writeOciArchive(await testImages()));
  return file;
}

async function buildImages(): Promise<readonly OciImage[]> {
  const programs = await compiledPrograms();
  const pause = makeLayer([{ path: 'pause', mode: 0o755, content: programs.pause }]);
  const base = makeLayer(await baseEntries(programs));
  const first = versionLayer('1');
  const settings = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['sh'],
  };
  return [
    makeImage(TEST_IMAGES.busybox, [base, first], settings),
    makeImage(TEST_IMAGES.busybox2, [base, versionLayer('2')], settings),
    makeImage(TEST_IMAGES.asApp, [base, first], { ...settings, User: 'app' }),
    makeImage(TEST_IMAGES.as1000, [base, first], { ...settings, User: '1000:1000' }),
    makeImage(TEST_IMAGES.pause, [pause], { Entrypoint: ['/pause'] }),
  ];
}

function versionLayer(version: string): Layer {
  return makeLayer([
    { path: 'etc', type: 'folder' },
    { path: 'etc/image-version', content: `${version}\n` },
  ]);
}

async function baseEntries(programs: Programs): Promise<TarEntry[]> {
  const busybox = mustFindBusybox();
  const binary = await readFile(busybox);
  if (needsInterpreter(binary)) throw new Error('busybox here is not static (Debian: busybox-static)');
  const applets = (await runProgram(busybox, ['--list'])).split('\n').filter((name) => name !== '');
  const folders = [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sys',
    'usr',
    'usr/bin',
    'var',
    'var/run',
    'www',
  ];
  return [
    ...folders.map((name) => ({ path: name, type: 'folder' }) as const),
    { path: 'tmp', type: 'folder', mode: 0o1777 },
    { path: 'home/app', type: 'folder', mode: 0o700, uid: 1000, gid: 1000 },
    { path: 'home/other', type: 'folder', mode: 0o700, uid: 1001, gid: 1001 },
    { path: 'etc/passwd', content: PASSWD },
    { path: 'etc/group', content: GROUP },
    { path: 'www/index.html', content: 'hawser\n' },
    { path: 'bin/busybox', mode: 0o755, content: binary },
    { path: 'bin/memory-hog', mode: 0o755, content: programs['memory-hog'] },
    { path: 'bin/ignore-term', mode: 0o755, content: programs['ignore-term'] },
    { path: 'usr/bin/env', type: 'link', target: '/bin/busybox' },
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name) => ({ path: `bin/${name}`, type: 'link', target: 'busybox' }) as const),
  ];
}

type Programs = Readonly<Record<(typeof PROGRAMS)[number], Buffer>>;

/** Compiles what is not compiled yet; all of it is kept by the hash of its source. */
async function compiledPrograms(): Promise<Programs> {
  const dir = await cacheDir();
  const entries = PROGRAMS.map(async (name) => {
    const source = path.join(SOURCES, `${name}.c`);
    const hash = hashOf([await readFile(source), COMPILER_FLAGS.join(' ')]);
    const file = path.join(dir, `${name}-${hash}`);
    const kept = await readFile(file).catch(() => undefined);
    return [name, kept ?? (await compile(source, file))] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Programs; // every name of PROGRAMS is there
}

async function compile(source: string, file: string): Promise<Buffer> {
  const temp = await mkdtemp(`${file}-`);
  try {
    const output = path.join(temp, 'out');
    await runProgram('gcc', [...COMPILER_FLAGS, '-o', output, source]);
    await rename(output, file);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
  return readFile(file);
}

/** Hash of everything that the images are made of. The release of Node.js is one of them: it packs. */
async function sourceHash(): Promise<string> {
  const sources = await Promise.all(PROGRAMS.map((name) => readFile(path.join(SOURCES, `${name}.c`))));
  const writer = import.meta.resolve('@hawser/seams/oci-image');
  const builders = [
    import.meta.url,
    ...['oci-image.js', 'tar-writer.js'].map((name) => new URL(name, writer)),
  ];
  const code = await Promise.all(builders.map((url) => readFile(new URL(url))));
  return hashOf([...sources, ...code, await readFile(mustFindBusybox()), process.version]);
}

function hashOf(parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 32);
}

function mustFindBusybox(): string {
  const busybox = findProgram('busybox');
  if (busybox === undefined) throw new Error('there is no busybox here (Debian: busybox-static)');
  return busybox;
}

/** Whether a program has its libraries loaded by another one. Source: elf(5), PT_INTERP; 64 bits, little-endian. */
function needsInterpreter(elf: Buffer): boolean {
  const [offset, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => elf.readUInt32LE(offset + index * size)).includes(3);
}

/** A folder that only this user can write to: what lies in it is run as root. */
async function cacheDir(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const dir = path.join(tmpdir(), `hawser-test-images-${uid}`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { uid: owner, mode } = await lstat(dir);
  if (owner !== uid || (mode & 0o077) !== 0) throw new Error(`${dir} is not of this user alone: remove it`);
  return dir;
}

/** Others may do the same at the same time: whoever comes first, it is always whole. */
async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  const temp = await mkdtemp(`${file}-`);
  try {
    await writeFile(path.join(temp, 'out'), bytes);
    await rename(path.join(temp, 'out'), file);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}
