import { readdir, readFile } from 'node:fs/promises';

/** What the kernel says of a process. Source: proc(5), /proc/pid/stat. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks after the start of the machine: with the number it names one process for good. */
  readonly began: string;
  /** Processor time of its own and of children that it has waited for, clock ticks. */
  readonly ticks: number;
}

/** The kernel's USER_HZ, which it shows times in: 100 on every architecture that Node.js runs on. */
const NANOS_PER_TICK = 1e7;

/** undefined: there is none, or it has ended and only waits to be seen. */
export async function processStat(pid: number): Promise<ProcessStat | undefined> {
  const text = await readProc(pid, 'stat');
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = 'Z', parent, , session] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid, parent: Number(parent), session: Number(session), began: fields[19] ?? '', ticks };
}

/** Every process of this machine that can be seen. */
export async function allProcesses(): Promise<readonly ProcessStat[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map((name) => processStat(Number(name))));
  return found.filter((stat) => stat !== undefined);
}

/** Memory that a process has, bytes. Shared pages are counted for each of those that share them. */
export async function residentBytes(pid: number): Promise<number> {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec((await readProc(pid, 'status')) ?? '')?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** Whether a process was started with this variable; one that cannot be read was not. */
export async function hasVariable(pid: number, variable: string): Promise<boolean> {
  const text = await readProc(pid, 'environ');
  return text?.split('\0').includes(variable) ?? false;
}

/** Nanoseconds of processor time. */
export function processorNanos(stats: readonly ProcessStat[]): number {
  return stats.reduce((sum, { ticks }) => sum + ticks, 0) * NANOS_PER_TICK;
}

/** A boot of the machine: numbers of processes mean nothing beyond it. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

async function readProc(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // it has ended, or is another user's
  }
}
