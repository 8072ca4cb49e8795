import type { Clock, Timer } from '@hawser/seams';
import {
  expired,
  resourceVersionTooLarge,
  tooOldResourceVersion,
  type EntryList,
  type EventWatch,
  type GroupResource,
  type Scope,
  type StoreWatch,
  type WatchSource,
} from '@hawser/kube';
import { ChangeHistory, eventOf, type ChangeHistoryLimits, type ToldChange } from './change-history.ts';
import { EntryTable } from './entry-table.ts';
import { eventVersions } from './event-versions.ts';
import type { LocalEntry } from './local-entry.ts';
import { LocalWatch } from './local-watch.ts';
import { isOwnVersion } from './own-versions.ts';

/** An object as it is from now on. */
export interface ObjectChange {
  readonly namespace: string;
  readonly name: string;
  /** undefined: it is gone. */
  readonly now: LocalEntry | undefined;
}

/** What happened to a {@link ResourceState}, for those that show it in another way. */
export type StateNews =
  /** In order of version; empty: only the version is another. */
  | { readonly type: 'changes'; readonly changes: readonly ToldChange[] }
  /** What was told before does not go on: all of it may be different. */
  | { readonly type: 'restart' }
  /** There is no such state any more: the resource is gone, or nobody is to read it any more. */
  | { readonly type: 'end'; readonly isGone: boolean };

/** What a {@link ResourceState} begins with. */
export interface ResourceStart {
  readonly resource: GroupResource;
  readonly entries: Iterable<LocalEntry>;
  readonly version: number;
  /** Nothing has changed since this version. */
  readonly floor: number;
  readonly limits: ChangeHistoryLimits;
  readonly clock: Clock;
}

/** How long a watch may be ahead of what is here, as after a restart from an older snapshot. */
const AHEAD_MS = 10_000;

/**
 * One resource as readers see it: its objects, its version, what changed lately, and who watches. All methods are
 * synchronous: nothing comes between a list and its version. docs/pool.md, "Versions that clients see".
 */
export class ResourceState implements WatchSource {
  readonly resource: GroupResource;
  readonly #clock: Clock;
  readonly #history: ChangeHistory;
  readonly #watches = new Set<LocalWatch>();
  /** Watches that are ahead, and when they have waited long enough. */
  readonly #ahead = new Map<LocalWatch, Timer>();
  readonly #listeners = new Set<(news: StateNews) => void>();
  #table: EntryTable;
  #version: number;
  #ended = false;

  constructor({ resource, entries, version, floor, limits, clock }: ResourceStart) {
    this.resource = resource;
    this.#clock = clock;
    this.#table = new EntryTable(entries);
    this.#version = version;
    this.#history = new ChangeHistory(limits, floor);
  }

  /** What lists and bookmarks say. */
  get version(): number {
    return this.#version;
  }

  get resourceVersion(): number {
    return this.#version;
  }

  /** The oldest version that a watch can go on from. */
  get floor(): number {
    return this.#history.floor;
  }

  get size(): number {
    return this.#table.size;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get watches(): number {
    return this.#watches.size;
  }

  get(namespace: string, name: string): LocalEntry | undefined {
    return this.#table.get(namespace, name);
  }

  entries(): Iterable<LocalEntry> {
    return this.#table.values();
  }

  /** @throws StatusError Expired, Timeout (a version that is not here yet) */
  list(namespace?: string, atVersion = this.#version): EntryList {
    if (atVersion > this.#version) throw resourceVersionTooLarge(atVersion, this.#version);
    if (atVersion === this.#version)
      return { entries: this.#table.list(namespace), resourceVersion: this.#version };
    this.#assertKept(atVersion);
    const table = new EntryTable(this.#table.values());
    for (const { now, before } of [...this.#history.after(atVersion)].reverse()) {
      if (before !== undefined) table.set(before);
      else if (now !== undefined) table.delete(now.key.namespace, now.key.name);
    }
    return { entries: table.list(namespace), resourceVersion: atVersion };
  }

  /**
   * A version that is not here yet is waited for, for a while: a client may have seen more than a restart has found.
   * @throws StatusError Expired
   */
  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    const { fromVersion } = options;
    this.#assertKept(fromVersion);
    // What this node has made is not there any more, and no version of the cloud ever comes after it.
    if (isOwnVersion(fromVersion) && !isOwnVersion(this.#version)) throw unknownVersion(fromVersion);
    const backlog = this.#history
      .after(fromVersion)
      .filter(({ now, before }) => isIn(scope, (now ?? before)?.key.namespace))
      .map(eventOf);
    const start = { ...options, fromVersion: Math.min(fromVersion, this.#version), backlog };
    const watch = new LocalWatch(this, scope, start, fromVersion);
    this.#watches.add(watch);
    if (fromVersion > this.#version) this.#wait(watch);
    return watch;
  }

  /** Calls with all that happens. Answers how to stop. */
  listen(listener: (news: StateNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes what led to a newer version. Where that cannot be told as changes from version to version, readers begin
   * anew: 410.
   */
  commit(changes: readonly ObjectChange[], version: number): void {
    if (this.#ended) return;
    const versions = eventVersions(
      this.#version,
      version,
      changes.map(({ now }) => now?.resourceVersion),
    );
    if (versions === undefined) {
      for (const change of changes) this.#place(change);
      this.#restart(Math.max(version, this.#version + 1));
      return;
    }
    // A version for each change.
    const told = changes.flatMap((change, index) => this.#told(change, versions[index] ?? version, 'event'));
    const last = Math.max(this.#version, version);
    this.#tell(
      told.sort((a, b) => a.version - b.version),
      last,
    );
  }

  /**
   * Takes what was changed here: each change gets the next version, `from` or above. `shows`: what lists show from now on,
   * the version of the event or the entry's own.
   */
  touch(changes: readonly ObjectChange[], shows: 'event' | 'own', from = 0): void {
    if (this.#ended || changes.length === 0) return;
    const next = Math.max(this.#version + 1, from);
    const told = changes.flatMap((change, index) => this.#told(change, next + index, shows));
    this.#tell(told, told.at(-1)?.version ?? this.#version);
  }

  /** Takes changes that cannot be told: readers begin anew. */
  restartWith(changes: readonly ObjectChange[]): void {
    if (this.#ended) return;
    for (const change of changes) this.#place(change);
    this.#restart(this.#version + 1);
  }

  /** Puts another entry of the same state in place of one. */
  replace(entry: LocalEntry): void {
    const { namespace, name } = entry.key;
    if (this.#table.get(namespace, name) !== undefined) this.#table.set(entry);
  }

  /** Takes all objects, and a version that may be lower than before. */
  reset(entries: Iterable<LocalEntry>, version: number): void {
    if (this.#ended) return;
    this.#table = new EntryTable(entries);
    this.#restart(version);
  }

  /** A watch has ended. */
  detach(watch: EventWatch): void {
    if (!(watch instanceof LocalWatch)) return;
    this.#arrived(watch);
    this.#watches.delete(watch);
  }

  /** There is no such resource any more: watches end with 410. Idempotent. */
  end(): void {
    this.#close(true);
  }

  /** Watches end, and may go on another time. Idempotent. */
  close(): void {
    this.#close(false);
  }

  #close(isGone: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    if (isGone) this.#endWatches();
    else for (const watch of [...this.#watches]) watch.end();
    this.#table = new EntryTable();
    this.#history.clear(this.#version);
    this.#news({ type: 'end', isGone });
    this.#listeners.clear();
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts a change into the table; nothing to tell where what is gone was not there. */
  #told(change: ObjectChange, version: number, shows: 'event' | 'own'): ToldChange[] {
    const { now } = change;
    const shown = shows === 'own' || now?.resourceVersion === version ? now : now?.at(version);
    const before = this.#place({ ...change, now: shown });
    return shown === undefined && before === undefined ? [] : [{ version, now: shown, before }];
  }

  #place({ namespace, name, now }: ObjectChange): LocalEntry | undefined {
    const before = this.#table.get(namespace, name);
    if (now === undefined) this.#table.delete(namespace, name);
    else this.#table.set(now);
    return before;
  }

  #tell(changes: readonly ToldChange[], version: number): void {
    this.#version = version;
    for (const change of changes) {
      this.#history.push(change);
      if (this.#watches.size === 0) continue;
      const event = eventOf(change);
      for (const watch of [...this.#watches]) watch.push(event);
    }
    for (const watch of this.#ahead.keys()) if (watch.from <= version) this.#arrived(watch);
    this.#news({ type: 'changes', changes });
  }

  #restart(version: number): void {
    this.#version = version;
    this.#history.clear(version);
    this.#endWatches();
    this.#news({ type: 'restart' });
  }

  #news(news: StateNews): void {
    for (const listener of [...this.#listeners]) listener(news);
  }

  #endWatches(): void {
    const { resource } = this.resource;
    for (const watch of [...this.#watches]) watch.end(expired(`${resource} have to be listed again`));
  }

  #wait(watch: LocalWatch): void {
    const tooNew = (): void => watch.end(unknownVersion(watch.from));
    this.#ahead.set(watch, this.#clock.setTimer(AHEAD_MS, tooNew, { background: true }));
  }

  #arrived(watch: LocalWatch): void {
    this.#ahead.get(watch)?.cancel();
    this.#ahead.delete(watch);
  }

  #assertKept(version: number): void {
    if (version < this.#history.floor) throw tooOldResourceVersion(version, this.#history.floor);
  }
}

function unknownVersion(version: number): Error {
  return expired(`resource version ${version} is not known here`);
}

function isIn({ namespace }: Scope, place: string | undefined): boolean {
  return namespace === undefined || namespace === place;
}
