import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { OutboxEntry, ReplicaChange, ReplicaStore } from '@hawser/sync';
import { sampleContent } from '@hawser/sync/testing';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { EdgeStore, type EdgeStoreOptions } from '../../src/store/edge-store.ts';
import type { StoreFault } from '../../src/store/store-report.ts';

/** The scope that tests write to. */
export const SCOPE = 'node/edge-1';

/** A change that puts a text. */
export function put(key: string, text: string, version = '1'): ReplicaChange {
  return { put: sampleContent(key, text, version) };
}

/** A message for the hub. */
export function message(key: string, order: number, text = key): OutboxEntry {
  return { key, kind: key.split('/')[0] ?? '', order, body: Buffer.from(text), keep: true };
}

/** What a scope has: keys to texts, each read back. */
export async function textsOf(store: ReplicaStore, scope = SCOPE): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const key of store.entries(scope).keys()) {
    const bytes = await store.read(scope, key);
    if (bytes !== undefined) texts[key] = Buffer.from(bytes).toString('utf8');
  }
  return texts;
}

/** A data folder, and the stores that a test opens in it. */
export class StoreFolder {
  readonly #temp: TempDir;
  readonly #stores: EdgeStore[] = [];
  readonly faults: StoreFault[] = [];

  private constructor(temp: TempDir) {
    this.#temp = temp;
  }

  static async make(): Promise<StoreFolder> {
    return new StoreFolder(await makeTempDir('hawser-edge-store-'));
  }

  get path(): string {
    return path.join(this.#temp.path, 'data');
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  /** Opens the folder; what it reports while open is in `faults`. */
  async open(options: Partial<EdgeStoreOptions> = {}): Promise<EdgeStore> {
    const store = await EdgeStore.open({
      dir: this.path,
      credentialsDir: '',
      onFault: (fault) => this.faults.push(fault),
      ...options,
    });
    this.#stores.push(store);
    return store;
  }

  /** Closes what is open, and opens the folder again. */
  async reopen(options: Partial<EdgeStoreOptions> = {}): Promise<EdgeStore> {
    await this.close();
    return this.open(options);
  }

  /** Copies the folder as a power cut now would leave it, where everything written has reached the disk. */
  async copyTo(name: string): Promise<string> {
    const copy = path.join(this.#temp.path, name);
    await cp(this.path, copy, { recursive: true });
    return copy;
  }

  names(): Promise<string[]> {
    return readdir(this.path);
  }

  /** Changes the bytes of a file. */
  async alter(name: string, change: (bytes: Buffer) => Buffer): Promise<void> {
    await writeFile(this.file(name), change(await readFile(this.file(name))));
  }

  async close(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await this.#temp.remove();
  }
}
