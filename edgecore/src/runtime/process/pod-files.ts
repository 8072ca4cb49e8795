import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RuntimePod } from '../container-runtime.ts';
import type { ProcessIdentity } from './container-members.ts';

/** What is kept of a pod: enough to end what is left of it, and to say that it has ended. */
export interface KeptPod {
  /** Of the machine, when it was written. */
  readonly bootId: string;
  readonly pod: RuntimePod;
  /** First processes, by id of the container. */
  readonly processes: Readonly<Record<string, ProcessIdentity>>;
}

const ENDING = '.json';
const FILE_MODE = 0o600;

/**
 * Pods of a supervisor on the disk, a file each, for the one that comes after it. Nothing is flushed: after a power cut
 * none of these processes is left, and a file that is damaged then is worth no more than one that says so.
 */
export class PodFiles {
  readonly #dir: string;
  /** Writes of one pod, in turn. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** What a supervisor before has left. What cannot be read is removed. */
  async read(): Promise<readonly KeptPod[]> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const kept: KeptPod[] = [];
    for (const name of await readdir(this.#dir)) {
      const file = path.join(this.#dir, name);
      const found = name.endsWith(ENDING) ? parse(await readFile(file, 'utf8')) : undefined;
      if (found === undefined) await rm(file, { recursive: true, force: true });
      else kept.push(found);
    }
    return kept;
  }

  /** @param kept undefined: the pod is gone */
  async write(uid: string, kept: KeptPod | undefined): Promise<void> {
    const file = path.join(this.#dir, `${uid}${ENDING}`);
    const task = async (): Promise<void> => {
      if (kept === undefined) {
        await rm(file, { force: true });
        return;
      }
      await writeFile(`${file}.new`, JSON.stringify(kept), { mode: FILE_MODE });
      await rename(`${file}.new`, file);
    };
    const done = (this.#turns.get(uid) ?? Promise.resolve()).then(task);
    const settled = done.catch(() => {}); // told to who asked
    this.#turns.set(uid, settled);
    try {
      await done;
    } finally {
      if (this.#turns.get(uid) === settled) this.#turns.delete(uid);
    }
  }
}

function parse(text: string): KeptPod | undefined {
  try {
    const value = JSON.parse(text) as Partial<KeptPod> | null;
    const isWhole = typeof value?.bootId === 'string' && Array.isArray(value.pod?.sandboxes);
    return isWhole && typeof value.processes === 'object' ? (value as KeptPod) : undefined;
  } catch {
    return undefined;
  }
}
