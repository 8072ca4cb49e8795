import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ObjectStore, Scope, StatusError, StoreEvent, StoreWatch } from '@hawser/kube';

/**
 * Follows a resource as a client does: lists, watches, is cut off in the middle, and goes on from the version of the last
 * event that it saw. Each event has to go on from what it has.
 */
export class Follower {
  readonly #store: () => ObjectStore;
  readonly #scope: Scope;
  /** JSON by `namespace/name`. */
  readonly objects = new Map<string, string>();
  version = -1;
  lists = 0;
  events = 0;
  /** Events of the last {@link drain}. */
  latest: StoreEvent[] = [];
  #watch: StoreWatch | undefined;
  #failed: unknown;
  #ready: StoreEvent[] = [];

  constructor(store: () => ObjectStore, scope: Scope) {
    this.#store = store;
    this.#scope = scope;
  }

  list(): void {
    const { entries, resourceVersion } = this.#store().list(this.#scope);
    this.objects.clear();
    for (const entry of entries)
      this.objects.set(`${entry.key.namespace}/${entry.key.name}`, entry.json().toString());
    this.version = resourceVersion;
    this.lists += 1;
  }

  /** Watches from the last version; lists first where it has none, or is told to. */
  connect(): void {
    this.cut();
    if (this.version < 0 || this.#failed !== undefined) this.list();
    try {
      this.#watch = this.#store().watch(this.#scope, { fromVersion: this.version });
    } catch (error) {
      assert.equal((error as StatusError).code, 'ERR_KUBE_EXPIRED');
      this.list();
      this.#watch = this.#store().watch(this.#scope, { fromVersion: this.version });
    }
    this.#failed = undefined;
    const watch = this.#watch;
    void this.#pump(watch);
  }

  /** Leaves; what was not taken yet is lost on the way. */
  cut(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#ready = [];
  }

  /** Takes at most `limit` events that have come. Answers whether the watch goes on. */
  async drain(limit = Infinity): Promise<boolean> {
    await nextTurn();
    await nextTurn();
    this.latest = this.#ready.splice(0, limit);
    for (const event of this.latest) this.#take(event);
    if (this.#failed === undefined) return true;
    assert.equal((this.#failed as StatusError).code, 'ERR_KUBE_EXPIRED');
    return false;
  }

  /** Connected, and all that has come taken. */
  async settle(): Promise<void> {
    if (this.#watch === undefined || this.#failed !== undefined) this.connect();
    if (await this.drain()) return;
    this.connect();
    await this.drain();
  }

  async #pump(watch: StoreWatch): Promise<void> {
    try {
      for await (const event of watch) if (this.#watch === watch) this.#ready.push(event);
    } catch (error) {
      if (this.#watch === watch) this.#failed = error;
    }
  }

  #take({ type, entry, previous }: StoreEvent): void {
    const id = `${entry.key.namespace}/${entry.key.name}`;
    assert.ok(
      entry.resourceVersion > this.version,
      `${type} ${id} at ${entry.resourceVersion} after ${this.version}`,
    );
    assert.equal(this.objects.has(id), type !== 'ADDED', `${type} ${id}`);
    assert.equal(previous === undefined, type === 'ADDED');
    this.version = entry.resourceVersion;
    assert.equal(entry.object.metadata.resourceVersion, String(this.version));
    if (type === 'DELETED') this.objects.delete(id);
    else this.objects.set(id, entry.json().toString());
    this.events += 1;
  }
}

/** What a list shows, for comparison: without versions, which events of this node's own differ in. */
export function withoutVersions(objects: ReadonlyMap<string, string>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...objects]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, json]) => {
        const object = JSON.parse(json) as { metadata: Record<string, unknown> };
        delete object.metadata['resourceVersion'];
        return [id, object];
      }),
  );
}
