import { KubeError } from '../errors.ts';
import { resourceVersionTooLarge, tooOldResourceVersion } from '../status/status-errors.ts';
import type { SizedEntry } from './entry.ts';
import type { SizedEvent } from './event-log.ts';
import { EventWatch, type WatchSource } from './event-watch.ts';
import { resourceId, type History } from './history.ts';
import { ObjectTable } from './object-table.ts';
import type { EntryList, GroupResource, ObjectKey, Scope, StoreWatch } from './store.ts';

/**
 * The part of a store that readers see: current objects, recent history, running watches. Stores differ only in when
 * they {@link apply} a write. All methods are synchronous, so that nothing comes between a list and its version.
 */
export class VersionedView implements WatchSource {
  readonly #history: History;
  readonly #tables = new Map<string, ObjectTable>();
  readonly #watches = new Map<string, Set<EventWatch>>();
  #resourceVersion: number;
  #closed = false;

  /** `resourceVersion`: the newest version at the start; the tables are filled by {@link restore}. */
  constructor(history: History, resourceVersion = 0) {
    this.#history = history;
    this.#resourceVersion = resourceVersion;
  }

  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  get oldestWatchVersion(): number {
    return this.#history.oldestVersion;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get(key: ObjectKey): SizedEntry | undefined {
    this.assertOpen();
    return this.#tables.get(resourceId(key))?.get(key.namespace, key.name);
  }

  list(scope: Scope, atVersion?: number): EntryList {
    this.assertOpen();
    const table = this.#tables.get(resourceId(scope));
    const current = table?.list(scope.namespace) ?? [];
    if (atVersion === undefined || atVersion === this.#resourceVersion) {
      return { entries: current, resourceVersion: this.#resourceVersion };
    }
    if (atVersion > this.#resourceVersion) throw resourceVersionTooLarge(atVersion, this.#resourceVersion);
    this.#assertKept(atVersion);
    return { entries: this.#rewind(scope, current, atVersion), resourceVersion: atVersion };
  }

  /** The state at an older version: what happened since, undone from the newest on. */
  #rewind(scope: Scope, current: readonly SizedEntry[], version: number): readonly SizedEntry[] {
    const events = this.#history
      .after(scope, version)
      .filter(({ entry }) => scope.namespace === undefined || entry.key.namespace === scope.namespace);
    if (events.length === 0) return current;
    const table = new ObjectTable(current);
    for (const { entry, previous } of events.reverse()) {
      if (previous === undefined) table.delete(entry.key.namespace, entry.key.name);
      else table.set(previous);
    }
    return table.list();
  }

  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    this.assertOpen();
    this.#assertKept(options.fromVersion);
    const backlog = this.#history
      .after(scope, options.fromVersion)
      .filter(({ entry }) => scope.namespace === undefined || entry.key.namespace === scope.namespace);
    const watch = new EventWatch(this, scope, { ...options, backlog });
    this.#watchesOf(scope).add(watch);
    return watch;
  }

  detach(watch: EventWatch): void {
    const id = resourceId(watch.scope);
    const watches = this.#watches.get(id);
    watches?.delete(watch);
    if (watches?.size === 0) this.#watches.delete(id);
  }

  /** Makes a write visible and tells the watches. Returns the events that fell out of the history. */
  apply(event: SizedEvent): SizedEvent[] {
    const dropped = this.restore(event);
    for (const watch of this.#watches.get(resourceId(event.entry.key)) ?? []) watch.push(event);
    return dropped;
  }

  /** Takes over an event read from disk. Returns the events that fell out of the history. */
  restore(event: SizedEvent): SizedEvent[] {
    this.place(event);
    return this.#history.push(event);
  }

  /** Takes over a state that is older than the history. */
  place({ type, entry }: Pick<SizedEvent, 'type' | 'entry'>): void {
    const { namespace, name } = entry.key;
    const table = this.#tableOf(entry.key);
    if (type === 'DELETED') table.delete(namespace, name);
    else table.set(entry);
    this.#resourceVersion = Math.max(this.#resourceVersion, entry.resourceVersion);
  }

  /** Ends all watches and drops everything. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const watches of [...this.#watches.values()]) for (const watch of [...watches]) watch.end();
    this.#tables.clear();
  }

  /** @throws KubeError `ERR_KUBE_STORE_CLOSED`. */
  assertOpen(): void {
    if (this.#closed) throw new KubeError('ERR_KUBE_STORE_CLOSED', 'the store is closed');
  }

  #assertKept(version: number): void {
    if (version < this.#history.oldestVersion) {
      throw tooOldResourceVersion(version, this.#history.oldestVersion);
    }
  }

  #tableOf(resource: GroupResource): ObjectTable {
    const id = resourceId(resource);
    let table = this.#tables.get(id);
    if (table === undefined) {
      table = new ObjectTable();
      this.#tables.set(id, table);
    }
    return table;
  }

  #watchesOf(resource: GroupResource): Set<EventWatch> {
    const id = resourceId(resource);
    let watches = this.#watches.get(id);
    if (watches === undefined) {
      watches = new Set();
      this.#watches.set(id, watches);
    }
    return watches;
  }
}
