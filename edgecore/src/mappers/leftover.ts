import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@hawser/seams';

/**
 * Remembers processes over a crash of the edge core, which they survive: two mappers on one serial line would disturb
 * each other. A number alone is not enough, it may be given to another process: the time at which it began is, too.
 */
export class Leftovers {
  readonly #dir: string;
  readonly #log: Logger;

  /** @param dir a folder that is there */
  constructor(dir: string, log: Logger) {
    this.#dir = dir;
    this.#log = log;
  }

  /** Not flushed: after a power cut there is nothing left over. Never rejects: it only matters after a crash. */
  async remember(name: string, pid: number): Promise<void> {
    try {
      const began = await beganAt(pid);
      if (began !== undefined) await writeFile(this.#file(name), `${pid} ${began}\n`, { mode: 0o600 });
    } catch (error) {
      this.#log.warn(
        { mapper: name, err: error },
        'a mapper could not be noted, and would survive a crash of edgecore',
      );
    }
  }

  /** Never rejects: what is not removed names a process that has ended. */
  async forget(name: string): Promise<void> {
    try {
      await rm(this.#file(name), { force: true });
    } catch (error) {
      this.#log.debug({ mapper: name, err: error }, 'the note of a mapper is left');
    }
  }

  /** The process that is left of a mapper, if it is the one that was remembered. */
  async find(name: string): Promise<number | undefined> {
    const text = await readFile(this.#file(name), 'utf8').catch(() => ''); // none, or not readable: none is known
    const [pid = '', began = ''] = text.trim().split(' ');
    if (!/^\d+$/.test(pid) || began === '') return undefined;
    return (await beganAt(Number(pid))) === began ? Number(pid) : undefined;
  }

  #file(name: string): string {
    return path.join(this.#dir, `${name}.pid`);
  }
}

/** Field 22 of /proc/PID/stat, clock ticks since the machine started. Source: proc(5). */
async function beganAt(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined; // has ended
    return fields[19];
  } catch {
    return undefined; // no such process
  }
}
