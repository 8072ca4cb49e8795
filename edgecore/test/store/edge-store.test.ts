import { cp } from 'node:fs/promises';
import path from 'node:path';
import { describeOutboxStore, describeReplicaStore } from '@hawser/sync/testing';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { EdgeStore } from '../../src/store/edge-store.ts';

/** Stores of one test; a power cut is a copy of the folder as it stands on disk, opened beside the first. */
class Fixture {
  readonly #opened: EdgeStore[] = [];
  readonly #dirs: TempDir[] = [];

  async open(): Promise<EdgeStore> {
    const dir = await makeTempDir('hawser-edge-store-');
    this.#dirs.push(dir);
    return this.#start(path.join(dir.path, '0'));
  }

  async reopen(): Promise<EdgeStore> {
    const dir = this.#dirs.at(-1)?.path ?? '';
    const copy = path.join(dir, String(this.#opened.length));
    await cp(path.join(dir, String(this.#opened.length - 1)), copy, { recursive: true });
    return this.#start(copy);
  }

  async clean(): Promise<void> {
    for (const store of this.#opened.splice(0)) await store.close();
    for (const dir of this.#dirs.splice(0)) await dir.remove();
  }

  async #start(dir: string): Promise<EdgeStore> {
    const store = await EdgeStore.open({ dir, credentialsDir: '' });
    this.#opened.push(store);
    return store;
  }
}

const fixture = new Fixture();
describeReplicaStore('EdgeStore', {
  open: async () => (await fixture.open()).replica,
  reopen: async () => (await fixture.reopen()).replica,
  clean: () => fixture.clean(),
});
describeOutboxStore('EdgeStore', {
  open: async () => (await fixture.open()).outbox,
  reopen: async () => (await fixture.reopen()).outbox,
  clean: () => fixture.clean(),
});
