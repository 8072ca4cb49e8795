import { mkdir, mkdtemp, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cgroupMounts } from './machine-processes.ts';
import { findProgram, runProgram } from './run-program.ts';
import { CNI_PLUGINS_DIR, type Snapshotter } from './site-config.ts';
import { testImageArchive } from './test-images.ts';

/** Whether a site can be opened here, and with what; or why not. */
export type ContainerdAvailability =
  | {
      readonly ok: true;
      readonly snapshotter: Snapshotter;
      /** Whether host ports work, which needs iptables. */
      readonly portMappings: boolean;
    }
  | { readonly ok: false; readonly reason: string };

const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  ip: 'iproute2',
  busybox: 'busybox-static',
  gcc: 'gcc libc6-dev',
};
const PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap'];

let known: Promise<ContainerdAvailability> | undefined;

/** Finds out once whether containers can be run here, by trying what they need: mounts, cgroups, a bridge, images. */
export function containerdAvailability(): Promise<ContainerdAvailability> {
  known ??= probe().catch((error: unknown) => no((error as Error).message));
  return known;
}

async function probe(): Promise<ContainerdAvailability> {
  if (process.platform !== 'linux') return no('containers are a feature of Linux');
  if (process.getuid?.() !== 0) return no('running containers needs root');
  const missing = Object.entries(PROGRAMS).find(([program]) => findProgram(program) === undefined);
  if (missing !== undefined) return no(`there is no ${missing[0]} here (Debian: ${missing[1]})`);
  for (const plugin of PLUGINS)
    if ((await stat(path.join(CNI_PLUGINS_DIR, plugin)).catch(() => undefined)) === undefined)
      return no(`there is no CNI plug-in ${plugin} here (Debian: containernetworking-plugins)`);
  const snapshotter = await findSnapshotter();
  if (snapshotter === undefined) return no('file systems cannot be mounted here');
  await tryCgroup();
  await tryBridge();
  await testImageArchive();
  return { ok: true, snapshotter, portMappings: await worksAtAll('iptables', ['-t', 'nat', '-L', '-n']) };
}

function no(reason: string): ContainerdAvailability {
  return { ok: false, reason: `no containers can be run here: ${reason}` };
}

async function findSnapshotter(): Promise<Snapshotter | undefined> {
  const dir = await mkdtemp(path.join(tmpdir(), 'hawser-mount-'));
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) =>
    path.join(dir, name),
  );
  try {
    for (const each of ['lower', 'upper', 'work', 'merged']) await mkdir(path.join(dir, each));
    const overlay = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    const ways = [
      ['overlayfs', ['-t', 'overlay', 'overlay', '-o', overlay, `${merged}`]],
      ['native', ['--bind', `${lower}`, `${merged}`]],
    ] as const;
    for (const [snapshotter, args] of ways) {
      if (!(await worksAtAll('mount', args))) continue;
      await runProgram('umount', [`${merged}`]);
      return snapshotter;
    }
    return undefined;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function tryCgroup(): Promise<void> {
  const [mount] = cgroupMounts();
  if (mount === undefined) throw new Error('no cgroups are mounted');
  const dir = path.join(mount, `hawser-try-${process.pid}`);
  await mkdir(dir);
  await rmdir(dir);
}

async function tryBridge(): Promise<void> {
  const name = `hwtry${process.pid}`;
  await runProgram('ip', ['link', 'add', name, 'type', 'bridge']);
  await runProgram('ip', ['link', 'delete', name]);
}

function worksAtAll(program: string, args: readonly string[]): Promise<boolean> {
  return runProgram(program, args).then(
    () => true,
    () => false,
  );
}
