import { readFile, readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { eventually } from '@hawser/seams/testing';
import {
  cgroupMounts,
  containerdProcesses,
  foldersBelow,
  isRunning,
  killAll,
  mountsBelow,
  processesInCgroup,
  withDescendants,
} from './machine-processes.ts';
import { clearPortRules } from './port-rules.ts';
import { runProgram } from './run-program.ts';
import { sitePaths } from './site-config.ts';
import { clearRunDir, knownPlaces, releasePlace, type SitePlace } from './site-place.ts';

/** Where libcni keeps what it has set up; there is no option for it. */
const CNI_RESULTS_DIR = '/var/lib/cni/results';
const DEADLINE_MS = 20_000;

/** A container as its shim has it. */
interface Bundle {
  readonly id: string;
  readonly cgroup: string | undefined;
  /** Its shim's socket, which is outside of the site's folders. */
  readonly socket: string | undefined;
}

/**
 * What a power cut does to a site: every process of it dies at once, without a word; mounts, cgroups, interfaces and
 * rules of the kernel are gone, and so is what was below `/run`. What was on the disk stays.
 */
export async function cutPower(place: SitePlace): Promise<void> {
  const bundles = await readBundles(place);
  const cgroups = [place.cgroupRoot, ...bundles.flatMap(({ cgroup }) => cgroup ?? [])];
  await killProcesses(place, cgroups);
  await unmount(place);
  await removeCgroups(cgroups);
  await removeNetwork(place);
  for (const { socket } of bundles) if (socket !== undefined) await rm(socket, { force: true });
  await clearRunDir(place);
}

/** Leaves nothing of a site. To be called under the machine's lock. */
export async function clearSite(place: SitePlace): Promise<void> {
  await cutPower(place);
  await removeCniResults(place);
  await releasePlace(place);
  const others = await knownPlaces();
  if (others.length > 0) return;
  // What all containerds use by default, and nobody now.
  for (const mount of cgroupMounts()) await rmdir(path.join(mount, 'k8s.io')).catch(() => {});
  await clearPortRules(undefined);
}

/** Clears sites whose processes ended without doing so (SIGKILL). To be called under the machine's lock. */
export async function sweepStaleSites(): Promise<void> {
  for (const { place, stale } of await knownPlaces()) if (stale) await clearSite(place);
}

async function readBundles(place: SitePlace): Promise<Bundle[]> {
  const tasks = path.join(sitePaths(place).state, 'io.containerd.runtime.v2.task');
  const namespaces = await readdir(tasks).catch(() => []);
  const dirs = await Promise.all(
    namespaces.map(async (name) => {
      const ids = await readdir(path.join(tasks, name)).catch(() => []);
      return ids.map((id) => path.join(tasks, name, id));
    }),
  );
  return Promise.all(dirs.flat().map(readBundle));
}

async function readBundle(dir: string): Promise<Bundle> {
  const text = (name: string): Promise<string> => readFile(path.join(dir, name), 'utf8').catch(() => '');
  const cgroup = /"cgroupsPath":\s*"([^"]+)"/.exec(await text('config.json'))?.[1];
  const socket = /^unix:\/\/(\/.+)$/m.exec(await text('address'))?.[1];
  return { id: path.basename(dir), cgroup, socket };
}

async function killProcesses(place: SitePlace, cgroups: readonly string[]): Promise<void> {
  const { config, socket } = sitePaths(place);
  const find = (): number[] => [
    // containerd is started with its configuration, shims and ctr with its address
    ...withDescendants([...containerdProcesses(config), ...containerdProcesses(socket)]),
    ...cgroups.flatMap((cgroup) => processesInCgroup(cgroup)),
  ];
  await eventually(
    `the processes of ${place.network} have ended`,
    () => {
      const left = find().filter(isRunning);
      killAll(left);
      return left.length === 0;
    },
    { deadlineMs: DEADLINE_MS },
  );
}

async function unmount({ dir, runDir }: SitePlace): Promise<void> {
  const points = [runDir, dir].filter((each) => each !== '').flatMap((each) => mountsBelow(each));
  if (points.length > 0) await runProgram('umount', ['--lazy', '--no-mtab', ...points]);
}

async function removeCgroups(cgroups: readonly string[]): Promise<void> {
  const tops = cgroupMounts().flatMap((mount) => cgroups.map((cgroup) => path.join(mount, cgroup)));
  await eventually(
    `cgroups are removed: ${cgroups.join(', ')}`,
    async () => {
      const dirs = tops.flatMap((top) => foldersBelow(top));
      // A cgroup is busy for a moment after its last process has ended.
      for (const dir of dirs) await rmdir(dir).catch(() => {});
      return dirs.length === 0;
    },
    { deadlineMs: DEADLINE_MS },
  );
}

async function removeNetwork({ bridge, network }: SitePlace): Promise<void> {
  const links = JSON.parse((await runProgram('ip', ['-json', 'link', 'show'])) || '[]') as {
    readonly ifname: string;
    readonly master?: string;
  }[];
  const ours = links.filter(({ ifname, master }) => ifname === bridge || master === bridge);
  for (const { ifname } of ours) {
    // A veth goes with its namespace too, at a time of the kernel's choice.
    await runProgram('ip', ['link', 'delete', ifname]).catch((error: unknown) => {
      if (!(error as Error).message.includes('Cannot find device')) throw error;
    });
  }
  await clearPortRules(network);
}

async function removeCniResults({ network }: SitePlace): Promise<void> {
  const names = await readdir(CNI_RESULTS_DIR).catch(() => []);
  const prefix = `${network}-`;
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const [id = ''] = name.slice(prefix.length).split('-');
    for (const each of [name, `cni-loopback-${id}-lo`])
      await rm(path.join(CNI_RESULTS_DIR, each), { force: true });
  }
}
