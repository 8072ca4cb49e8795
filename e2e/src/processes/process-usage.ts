import { readFile } from 'node:fs/promises';

/** What a process uses, as Linux counts it. */
export interface ProcessUsage {
  /** Resident memory. */
  readonly rssBytes: number;
  /** The part of it that is the process's own, not pages of files. */
  readonly anonBytes: number;
  /** CPU time in user and kernel mode since its start, all threads; counted in steps of 10 ms. */
  readonly cpuMs: number;
  /** Bytes that it caused to be written to storage since its start. */
  readonly writtenBytes: number;
}

/** Kernel clock ticks that proc(5) counts in: USER_HZ, 100 on every architecture that Node.js runs on. */
const MS_PER_TICK = 10;

/**
 * Reads what a process uses from /proc (Linux).
 * @throws the error of reading, such as ENOENT when there is no such process
 */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const [status, stat, io] = (await Promise.all(
    ['status', 'stat', 'io'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  )) as [string, string, string];
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from field 3 of proc(5) on
  return {
    rssBytes: field(status, 'VmRSS') * 1024,
    anonBytes: field(status, 'RssAnon') * 1024,
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    writtenBytes: field(io, 'write_bytes'),
  };
}

function field(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text);
  if (match === null) throw new Error(`no ${name} in /proc`);
  return Number(match[1]);
}
