import { readFile, statfs } from 'node:fs/promises';
import { access, constants } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import path from 'node:path';
import { formatBytes } from '../output/times.ts';
import { failed, good, warning, type CheckResult } from './check.ts';

const MIB = 2 ** 20;
/** Of disk, for store and room to breathe. */
const LEAST_DISK_BYTES = 200 * MIB;
/** Of memory in all: edgecore takes 65 MiB, the kernel and a pod want some too. */
const LEAST_MEMORY_BYTES = 128 * MIB;
const LITTLE_FREE_BYTES = 96 * MIB;
const OLDEST_NODE = [20, 19] as const;
/** Source: Kubernetes, names of Node objects: a DNS subdomain, RFC 1123. */
const NODE_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** Whether this release of Node.js runs edgecore. */
export function checkNodeVersion(version: string): CheckResult {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (!isOld) return good(`Node.js ${version}`);
  const needed = OLDEST_NODE.join('.');
  return failed(
    `Node.js ${version} is too old`,
    `Install Node.js ${needed} or later (nodejs.org, or your distribution).`,
  );
}

/** Whether the folders can be made and written: as root, or as their owner. */
export async function checkRights(folders: readonly string[]): Promise<CheckResult> {
  const refused: string[] = [];
  for (const folder of folders) {
    const place = await nearestExisting(folder);
    try {
      await access(place, constants.W_OK | constants.X_OK);
    } catch (error) {
      refused.push(`${folder} (${(error as NodeJS.ErrnoException).code ?? 'refused'} at ${place})`);
    }
  }
  if (refused.length === 0) return good(`${folders.join(' and ')} can be written`);
  const remedy = 'Say it as root (sudo), or choose folders of your own with --config-dir and --data-dir.';
  return failed(`cannot be written: ${refused.join(', ')}`, remedy);
}

/** Whether a name is one that a Node can have. @param given whether somebody chose it */
export function checkNodeName(name: string, given: boolean): CheckResult {
  if (NODE_NAME.test(name) && name !== 'localhost') return good(name);
  const whose = given
    ? `${JSON.stringify(name)} is`
    : `the name of this machine, ${JSON.stringify(name)}, is`;
  const why = name === 'localhost' ? 'what every machine calls itself' : 'no name of a node';
  const remedy =
    'Choose one with --name: lower-case letters, digits, "-" and ".", at most 253 characters (63 between points).';
  return failed(`${whose} ${why}`, remedy);
}

/** Whether there is room for the store. */
export async function checkDisk(folder: string): Promise<CheckResult> {
  try {
    const place = await nearestExisting(folder);
    const { bavail, bsize } = await statfs(place);
    const free = bavail * bsize;
    if (free >= LEAST_DISK_BYTES) return good(`${formatBytes(free)} free at ${place}`);
    const remedy = `Make room: ${formatBytes(LEAST_DISK_BYTES)} are needed. --data-dir chooses another disk.`;
    return failed(`only ${formatBytes(free)} free at ${place}`, remedy);
  } catch (error) {
    return warning(`cannot be told: ${(error as Error).message}`, 'See with `df` that there is room.');
  }
}

/** Whether the machine has the memory that edgecore needs. */
export function checkMemory(totalBytes: number = totalmem(), freeBytes: number = freemem()): CheckResult {
  const found = `${formatBytes(totalBytes)}, ${formatBytes(freeBytes)} of it free`;
  if (totalBytes < LEAST_MEMORY_BYTES) {
    return failed(
      found,
      `edgecore and its pods need a machine with ${formatBytes(LEAST_MEMORY_BYTES)} at least.`,
    );
  }
  if (freeBytes >= LITTLE_FREE_BYTES) return good(found);
  return warning(found, 'Little is free: pods may not fit. See what else runs here.');
}

/** Swap makes memory limits of pods mean less. @param text of /proc/swaps */
export async function checkSwap(file = '/proc/swaps'): Promise<CheckResult> {
  const devices = (await readOr(file, '')).trim().split('\n').slice(1);
  if (devices.length === 0) return good('none');
  const names = devices.map((line) => line.split(/\s+/)[0] ?? '').join(', ');
  return warning(
    `in use: ${names}`,
    'Memory limits of pods hold less with swap: `swapoff -a`, and /etc/fstab.',
  );
}

/** Which control groups the kernel has: limits of pods are made of them. */
export async function checkCgroups(root = '/sys/fs/cgroup'): Promise<CheckResult> {
  const second = await readOr(path.join(root, 'cgroup.controllers'), undefined);
  const remedy =
    'Switch it on in the command line of the kernel: on a Raspberry Pi, `cgroup_enable=memory cgroup_memory=1` in cmdline.txt.';
  if (second !== undefined) {
    const missing = ['cpu', 'memory', 'pids'].filter((name) => !second.trim().split(/\s+/).includes(name));
    if (missing.length === 0) return good('version 2');
    return warning(`version 2, without ${missing.join(', ')}`, remedy);
  }
  try {
    await access(path.join(root, 'memory'));
    return good('version 1');
  } catch {
    return warning('the memory controller is not there', remedy);
  }
}

/** The folder, or the nearest one above it that is there. */
async function nearestExisting(folder: string): Promise<string> {
  for (let place = path.resolve(folder); ; place = path.dirname(place)) {
    try {
      await access(place);
      return place;
    } catch {
      if (place === path.dirname(place)) return place; // the root
    }
  }
}

async function readOr<T>(file: string, otherwise: T): Promise<string | T> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return otherwise; // not this kernel, or not for this user: said by the caller
  }
}
