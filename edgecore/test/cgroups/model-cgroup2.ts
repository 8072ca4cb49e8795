import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { kernelCgroupFiles, type CgroupFiles } from '../../src/cgroups/cgroup-files.ts';

/** Files that a controller brings into each cgroup but the root. */
const FILES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  cpu: [
    ['cpu.weight', '100\n'],
    ['cpu.max', 'max 100000\n'],
  ],
  memory: [['memory.max', 'max\n']],
  pids: [['pids.max', 'max\n']],
};

/**
 * A folder that keeps the rules of cgroup v2 that matter here: a cgroup has the controllers that the one above passes
 * on, with their files; one with processes or with cgroups in it cannot be removed; `cgroup.kill` empties all below.
 * Source: Linux, Documentation/admin-guide/cgroup-v2.rst.
 */
export class ModelCgroup2 implements CgroupFiles {
  readonly #root: string;
  readonly #hasKill: boolean;
  /** Every write, in order: file below the root, and text. */
  readonly writes: [string, string][] = [];

  constructor(root: string, options: { readonly hasKill?: boolean } = {}) {
    this.#root = root;
    this.#hasKill = options.hasKill ?? true;
  }

  async mountRoot(controllers: string): Promise<void> {
    await writeFile(path.join(this.#root, 'cgroup.controllers'), `${controllers}\n`);
    await writeFile(path.join(this.#root, 'cgroup.subtree_control'), '\n');
    await writeFile(path.join(this.#root, 'cgroup.procs'), '1\n');
  }

  async mkdir(folder: string): Promise<void> {
    if ((await this.read(path.join(folder, 'cgroup.procs'))) !== undefined) return;
    await mkdir(folder);
    const passedOn = await readFile(path.join(folder, '..', 'cgroup.subtree_control'), 'utf8');
    await writeFile(path.join(folder, 'cgroup.controllers'), passedOn);
    await writeFile(path.join(folder, 'cgroup.subtree_control'), '\n');
    await writeFile(path.join(folder, 'cgroup.procs'), '');
    if (this.#hasKill) await writeFile(path.join(folder, 'cgroup.kill'), '');
    await writeFile(path.join(folder, 'cgroup.freeze'), '0\n');
    for (const controller of passedOn.trim().split(' ')) {
      for (const [name, text] of FILES[controller] ?? []) await writeFile(path.join(folder, name), text);
    }
  }

  async rmdir(folder: string): Promise<void> {
    const procs = await this.read(path.join(folder, 'cgroup.procs'));
    if (procs === undefined) return;
    const entries = await readdir(folder, { withFileTypes: true });
    if (procs.trim() !== '' || entries.some((entry) => entry.isDirectory())) {
      throw Object.assign(new Error(`EBUSY: ${folder}`), { code: 'EBUSY' });
    }
    await rm(folder, { recursive: true });
  }

  folders(folder: string): Promise<readonly string[]> {
    return kernelCgroupFiles.folders(folder);
  }

  read(file: string): Promise<string | undefined> {
    return kernelCgroupFiles.read(file);
  }

  async write(file: string, text: string): Promise<boolean> {
    if ((await this.read(file)) === undefined) return false;
    this.writes.push([path.relative(this.#root, file), text]);
    const name = path.basename(file);
    if (name === 'cgroup.subtree_control') await this.#passOn(path.dirname(file), text);
    else if (name === 'cgroup.kill') await this.#kill(path.dirname(file));
    else await writeFile(file, `${text}\n`);
    return true;
  }

  async #passOn(folder: string, text: string): Promise<void> {
    const controller = text.replace(/^\+/, '');
    const has = (await readFile(path.join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ');
    if (!has.includes(controller)) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    const procs = (await readFile(path.join(folder, 'cgroup.procs'), 'utf8')).trim();
    if (procs !== '' && folder !== this.#root) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
    const given = (await readFile(path.join(folder, 'cgroup.subtree_control'), 'utf8')).trim();
    await writeFile(path.join(folder, 'cgroup.subtree_control'), `${`${given} ${controller}`.trim()}\n`);
  }

  async #kill(folder: string): Promise<void> {
    await writeFile(path.join(folder, 'cgroup.procs'), '');
    for (const name of await this.folders(folder)) await this.#kill(path.join(folder, name));
  }
}
