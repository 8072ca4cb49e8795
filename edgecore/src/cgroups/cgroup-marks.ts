import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * UIDs of pods whose cgroups this edge has made, as empty files in a folder. Below `kubepods` there may be those of
 * another kubelet on the machine: what is not marked is not ours to end. Marks need not survive a power cut, which no
 * cgroup does either; those that do are of cgroups that are gone. Errors are those of the file system.
 */
export class CgroupMarks {
  readonly #dir: string;
  readonly #marked = new Set<string>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Reads what a life before has marked. */
  async open(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const uid of await readdir(this.#dir)) this.#marked.add(uid);
  }

  has(uid: string): boolean {
    return this.#marked.has(uid);
  }

  uids(): readonly string[] {
    return [...this.#marked];
  }

  /** Marked already: nothing to do. */
  async add(uid: string): Promise<void> {
    if (this.#marked.has(uid)) return;
    await writeFile(path.join(this.#dir, uid), '');
    this.#marked.add(uid);
  }

  /** Not marked: nothing to do. */
  async remove(uid: string): Promise<void> {
    await rm(path.join(this.#dir, uid), { force: true });
    this.#marked.delete(uid);
  }
}
