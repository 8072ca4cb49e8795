import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { cgroupMounts, containerdProcesses, foldersBelow, mountsBelow } from './machine-processes.ts';
import { findProgram, runProgram } from './run-program.ts';
import { sitePaths } from './site-config.ts';
import type { SitePlace } from './site-place.ts';

/** What {@link siteRemains} asks containerd with: arguments of `ctr` to its output. */
export type AskContainerd = (args: readonly string[]) => Promise<string>;

/**
 * Everything that pods make of a site's machine, a line each: containers, tasks, snapshots that are no image's, leases,
 * shims, folders of runs and logs, mounts, cgroups, network namespaces, interfaces, addresses, rules for host ports.
 * Sorted. None of it is there before the first pod, and none of it may be there after the last one.
 */
export async function siteRemains(place: SitePlace, ctr: AskContainerd): Promise<readonly string[]> {
  const { dir, runDir, network } = place;
  const { socket, state, root } = sitePaths(place);
  const known = await Promise.all([
    named('container', async () => wordsOf(await ctr(['containers', 'list', '--quiet']))),
    named('task', async () => wordsOf(await ctr(['tasks', 'list', '--quiet']))),
    named('snapshot', async () => activeSnapshots(await ctr(['snapshots', 'list']))),
    named('lease', async () => wordsOf(await ctr(['leases', 'list', '--quiet']))),
  ]);
  // Afterwards: ctr would be taken for a shim.
  const found = await Promise.all([
    named('shim', () => shimsOf(socket)),
    named('bundle', () => namesIn(path.join(state, 'io.containerd.runtime.v2.task', 'k8s.io'))),
    named('work of a bundle', () => namesIn(path.join(root, 'io.containerd.runtime.v2.task', 'k8s.io'))),
    named('run of runc', () => namesIn(path.join(runDir, 'runc', 'k8s.io'))),
    named('sandbox folder', () => namesIn(path.join(state, 'io.containerd.grpc.v1.cri', 'sandboxes'))),
    named('container folder', () => namesIn(path.join(state, 'io.containerd.grpc.v1.cri', 'containers'))),
    named('sandbox disk', () => namesIn(path.join(root, 'io.containerd.grpc.v1.cri', 'sandboxes'))),
    named('container disk', () => namesIn(path.join(root, 'io.containerd.grpc.v1.cri', 'containers'))),
    named('netns', () => namesIn(path.join(state, 'io.containerd.grpc.v1.cri', 'netns'))),
    named('netns', () => namesIn(path.join(state, 'netns'))),
    named('logs', () => namesIn(path.join(dir, 'logs'))),
    named('mount', () => [dir, runDir].flatMap((each) => mountsBelow(each))),
    named('cgroup', () => podCgroups(place)),
    named('address', async () => (await namesIn(path.join(dir, 'addresses', network))).filter(isAddress)),
    named('interface', () => interfacesOf(place)),
    named('port rule', () => portRulesOf(place)),
  ]);
  return [...known, ...found].flat().sort();
}

async function named(
  what: string,
  find: () => readonly string[] | Promise<readonly string[]>,
): Promise<string[]> {
  return (await find()).map((each) => `${what} ${each}`);
}

function wordsOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Those of images are committed. The first line names the columns. */
function activeSnapshots(text: string): readonly string[] {
  const rows = wordsOf(text).map((line) => line.split(/\s+/));
  return rows.flatMap(([key = '', , kind]) => (kind === 'Active' || kind === 'View' ? [key] : []));
}

/** containerd itself is started with its configuration, shims with its address. */
function shimsOf(socket: string): readonly string[] {
  return containerdProcesses(socket).map(String);
}

/** Below the classes of quality of service, which stay. */
function podCgroups({ cgroupRoot }: SitePlace): readonly string[] {
  const found = cgroupMounts().flatMap((mount) => foldersBelow(path.join(mount, cgroupRoot)));
  return found.filter((dir) => /\/pod[^/]+$/.test(dir));
}

function isAddress(name: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

async function interfacesOf({ bridge }: SitePlace): Promise<readonly string[]> {
  const links = JSON.parse((await runProgram('ip', ['-json', 'link', 'show'])) || '[]') as {
    readonly ifname: string;
    readonly master?: string;
  }[];
  return links.filter(({ master }) => master === bridge).map(({ ifname }) => ifname);
}

async function portRulesOf({ network }: SitePlace): Promise<readonly string[]> {
  if (findProgram('iptables-save') === undefined) return [];
  const rules = wordsOf(await runProgram('iptables-save', ['-t', 'nat']));
  return rules.filter((rule) => rule.startsWith('-A ') && rule.includes(`\\"${network}\\"`));
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
