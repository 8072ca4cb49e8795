import { ResourceClient, StatusError, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';
import { parseKey, type ContentKey } from '@hawser/sync';
import type { ContentEvents } from './content-events.ts';
import type { NodeScope } from './node-scope.ts';
import { resourceName } from './object-key.ts';
import { ObjectRecord, setReferences, type RecordOwner } from './object-record.ts';
import { isOlder, RecordTable, type PreparedObject } from './record-table.ts';
import type { CompleteList, FeedSink } from './resource-feed.ts';

/** Reads of one comparison under way at a time. */
const COMPARED_AT_ONCE = 8;

/** What a table of referenced objects needs. */
export interface ReferencedObjectsOptions {
  readonly resource: ApiResource;
  readonly client: ApiClient;
  readonly events: ContentEvents;
  /** Has {@link ReferencedObjects.fetch} called with the key, soon; again after a failure. */
  readonly enqueue: (key: ContentKey) => void;
  /** Objects that are kept though nobody has asked for them yet. Default: none. */
  readonly admits?: (object: KubeObject) => boolean;
  /** What the object itself names. Default: nothing. */
  readonly references?: (object: KubeObject) => readonly ContentKey[];
  /** Finds the record of a key, or makes one. */
  readonly resolve?: (key: ContentKey) => ObjectRecord | undefined;
  /** An object was seen to be as it is now; undefined: it does not exist. */
  readonly onSeen?: (key: ContentKey, object: KubeObject | undefined) => void;
}

/** An object on its way into the table. `object` only where somebody asked for it: bodies are dropped. */
interface Prepared extends PreparedObject {
  readonly references: readonly ContentKey[];
  readonly object: KubeObject | undefined;
}

interface Fetch {
  /** A list or watch has said something about the object meanwhile. */
  touched: boolean;
  /** The answer will not do: the server went back meanwhile, or a list was completed that may lack the object. */
  stale: boolean;
}

/**
 * Objects that are kept because something on an edge node names them: configMaps, secrets, … What nobody names leaves
 * no trace. One that becomes needed is told by a list that has yet to begin, or else fetched: the watch has passed it.
 *
 * Who is believed: a higher resourceVersion, wherever it came from. A fetch that finds nothing has no version, and is
 * believed unless a list or watch has said something about the object meanwhile; what happened after it, the watch
 * still brings. A list lacks what became needed while it ran; that is fetched, not removed.
 */
export class ReferencedObjects implements FeedSink<Prepared>, RecordOwner {
  readonly table: RecordTable;
  readonly resource: ApiResource;
  readonly #options: ReferencedObjectsOptions;
  readonly #objects: ResourceClient;
  readonly #fetches = new Map<ContentKey, Fetch>();
  #listsBegun: () => number = () => 0;
  #notServed = false;

  constructor(options: ReferencedObjectsOptions) {
    this.#options = options;
    this.resource = options.resource;
    this.table = new RecordTable(resourceName(options.resource), options.events);
    this.#objects = new ResourceClient(options.client, options.resource);
  }

  /** Tells how many lists have begun. Called once, before anything else. */
  attach(feed: { readonly listsBegun: number }): void {
    this.#listsBegun = () => feed.listsBegun;
  }

  /** The record of a key, new if need be; who asks must hold it at once. */
  resolve(key: ContentKey): ObjectRecord {
    return this.table.get(key) ?? this.table.add(new ObjectRecord(key, this, this.#listsBegun()));
  }

  wanted(record: ObjectRecord): void {
    if (record.known) return;
    // Before the first list there is nothing to ask: it will tell.
    if (this.#listsBegun() > 0) this.#options.enqueue(record.key);
    else if (this.#notServed) this.#acceptAbsence(record, '');
  }

  /** The API server does not know the resource, for now: none of its objects exists. */
  notServed(): void {
    this.#notServed = true;
    for (const record of this.table.values()) if (!record.known) this.#acceptAbsence(record, '');
  }

  unwanted(record: ObjectRecord): void {
    this.table.delete(record);
  }

  prepare(object: KubeObject): Prepared | undefined {
    const key = this.table.keyOf(object);
    if (this.table.get(key) === undefined && this.#options.admits?.(object) !== true) return undefined;
    return this.#prepare(key, object);
  }

  put(entry: Prepared): void {
    this.#touch(entry.key);
    this.#accept(entry, false);
  }

  replace(entries: Iterable<Prepared>, list: CompleteList): void {
    if (list.wentBack) for (const fetch of this.#fetches.values()) fetch.stale = true;
    const listed = new Set<ContentKey>();
    for (const entry of entries) {
      listed.add(entry.key);
      this.#touch(entry.key);
      this.#accept(entry, list.wentBack);
    }
    for (const record of [...this.table.values()]) if (!listed.has(record.key)) this.#notListed(record, list);
  }

  remove(object: KubeObject): void {
    const record = this.table.get(this.table.keyOf(object));
    if (record === undefined) return;
    this.#touch(record.key);
    const version = object.metadata.resourceVersion ?? '';
    if (record.known && isOlder(version, record.version)) return;
    this.#acceptAbsence(record, version);
  }

  /**
   * Asks the API server for the object, and keeps what it answers. Nothing happens where nobody wants it any more.
   * Errors: those of `ApiClient`, but NotFound.
   */
  async fetch(key: ContentKey, signal: AbortSignal): Promise<void> {
    const record = this.table.get(key);
    if (record === undefined) return;
    const fetch: Fetch = { touched: false, stale: false };
    this.#fetches.set(key, fetch);
    let object: KubeObject | undefined;
    try {
      object = await this.#read(key, signal);
    } finally {
      this.#fetches.delete(key);
    }
    // Wanted anew meanwhile, by another record: that one has its own fetch.
    if (this.table.get(key) !== record) return;
    if (fetch.stale) this.#options.enqueue(key);
    else if (object !== undefined) this.#acceptFetched(record, object, fetch);
    else if (!fetch.touched || !record.known) this.#acceptAbsence(record, record.version);
  }

  /**
   * Whether what is kept for the node is what the API server has, object by object.
   * Errors: those of `ApiClient`, but NotFound.
   */
  async agrees(scope: NodeScope, signal: AbortSignal): Promise<boolean> {
    const held = [...scope.holds.keys()].filter(({ owner }) => owner === this);
    for (let from = 0; from < held.length; from += COMPARED_AT_ONCE) {
      const some = held.slice(from, from + COMPARED_AT_ONCE);
      const agreed = await Promise.all(some.map((record) => this.#agrees(record, signal)));
      if (agreed.includes(false)) return false;
    }
    return true;
  }

  /** The object as the API server has it now, with a quorum read; undefined: it does not exist. */
  async #read(key: ContentKey, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { namespace, name } = parseKey(key);
    try {
      return await this.#objects.get(namespace, name, { signal, retries: 0 });
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 404) return undefined;
      throw error;
    }
  }

  async #agrees(record: ObjectRecord, signal: AbortSignal): Promise<boolean> {
    const object = await this.#read(record.key, signal);
    if (object === undefined || record.content === undefined)
      return (object === undefined) === (record.content === undefined);
    return !isOlder(record.version, object.metadata.resourceVersion ?? '');
  }

  #acceptFetched(record: ObjectRecord, object: KubeObject, { touched }: Fetch): void {
    const version = object.metadata.resourceVersion ?? '';
    // Where versions are opaque, the watch is believed.
    if (touched && record.known && !isOlder(record.version, version)) return;
    this.#accept(this.#prepare(record.key, object), false);
  }

  #prepare(key: ContentKey, object: KubeObject): Prepared {
    const { references, onSeen } = this.#options;
    const { version, content } = this.table.prepare(key, object);
    // Written out, here and elsewhere: a spread of what a call answers costs a hidden class for each object.
    return {
      key,
      version,
      content,
      references: references?.(object) ?? [],
      object: onSeen === undefined ? undefined : object,
    };
  }

  #accept(entry: Prepared, forced: boolean): void {
    const admitted = entry.object !== undefined && this.#options.admits?.(entry.object) === true;
    const record = admitted ? this.resolve(entry.key) : this.table.get(entry.key);
    if (record === undefined || !this.table.accept(record, entry, forced)) return;
    this.#setReferences(record, entry.references);
    this.#options.onSeen?.(entry.key, entry.object);
    // It was let in, and nobody took it.
    if (record.wantedBy === 0) this.table.delete(record);
  }

  #acceptAbsence(record: ObjectRecord, version: string): void {
    this.table.acceptAbsence(record, version);
    this.#setReferences(record, []);
    this.#options.onSeen?.(record.key, undefined);
  }

  #setReferences(record: ObjectRecord, keys: readonly ContentKey[]): void {
    if (record.references.length === 0 && keys.length === 0) return;
    const { resolve } = this.#options;
    setReferences(
      record,
      // Nobody would hold what an object names that nobody holds.
      record.wantedBy === 0 ? [] : keys.map((key) => resolve?.(key)).filter((found) => found !== undefined),
    );
  }

  #notListed(record: ObjectRecord, { version, number, wentBack }: CompleteList): void {
    if (record.wantedAtList >= number) {
      // The list may have passed it before it was wanted; and it swallowed deletions, so that an answer that is on
      // its way does not do.
      const fetch = this.#fetches.get(record.key);
      if (fetch !== undefined) fetch.stale = true;
      else this.#options.enqueue(record.key);
    } else if (wentBack || !record.known || !isOlder(version, record.version)) {
      this.#acceptAbsence(record, version);
    }
  }

  #touch(key: ContentKey): void {
    const fetch = this.#fetches.get(key);
    if (fetch !== undefined) fetch.touched = true;
  }
}
