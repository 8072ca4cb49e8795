import { serviceUnavailable, type GroupResource, type ObjectKey } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import {
  formatKey,
  parseKey,
  poolResourceName,
  type ContentHash,
  type ContentKey,
  type ReplicaEntry,
  type ReplicaStore,
} from '@hawser/sync';
import type { ChangeHistoryLimits } from './change-history.ts';
import { versionOf } from './content-entry.ts';
import { JsonEntry } from './local-entry.ts';
import { LoadedContents } from './loaded-contents.ts';
import { ResourceState } from './resource-state.ts';

/** What a {@link DiskObjects} needs. */
export interface DiskObjectsOptions {
  readonly replica: ReplicaStore;
  /** `node/<name>`. */
  readonly scope: string;
  /** Whether keys of a resource, as they name it, are shown from here. */
  readonly shows: (resource: string) => boolean;
  /** The version that a resource begins with. */
  readonly firstVersion: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOADED = { bytes: 1024 * 1024, neededBytes: 16 * 1024 * 1024 };
/** Changes are kept only while somebody watches, with what they have changed. */
const HISTORY: ChangeHistoryLimits = { events: 200, bytes: 256 * 1024 };
/** A content that is another one each time it has been read: somebody writes without an end. */
const MAX_READS = 5;

/**
 * Single objects of the node's scope, whose contents are on the disk: `load` reads one before it is asked for. They show
 * the resourceVersion that the API server gave them, so that what was read here can be written there; lists and events
 * have versions of this node.
 */
export class DiskObjects {
  readonly #options: DiskObjectsOptions;
  readonly #loaded: LoadedContents;
  /** By the resource as keys name it. */
  readonly #states = new Map<string, ResourceState>();
  /** What is told, in its order: contents are read for watches. */
  #telling: Promise<void> = Promise.resolve();
  #unlisten: (() => void) | undefined;

  constructor(options: DiskObjectsOptions) {
    this.#options = options;
    this.#loaded = new LoadedContents(LOADED, options.clock);
  }

  start(): void {
    this.#unlisten ??= this.#options.replica.listen((scope, keys) => {
      if (scope === this.#options.scope) this.#changed(keys);
    });
  }

  stop(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    for (const state of this.#states.values()) state.close();
    this.#states.clear();
  }

  has(key: ObjectKey): boolean {
    return this.#entry(contentKey(key)) !== undefined && this.#options.shows(poolResourceName(key));
  }

  /** Reads an object, if the node has it. Rejects where the disk does not give it. */
  async load(key: ObjectKey): Promise<void> {
    if (this.has(key)) await this.#load(contentKey(key));
  }

  /** Somebody is about to watch: what was read for it is kept, to be told once it is gone. */
  hold(resource: GroupResource): void {
    const state = this.#states.get(poolResourceName(resource));
    for (const entry of state?.entries() ?? []) {
      const held = entry instanceof DiskEntry ? entry.held() : undefined;
      if (held !== undefined) state?.replace(held);
    }
  }

  /** undefined: the node has none of it, and had none. */
  state(resource: GroupResource): ResourceState | undefined {
    const name = poolResourceName(resource);
    const present = this.#states.get(name);
    if (present !== undefined || !this.#options.shows(name)) return present;
    const entries = this.#entriesOf(resource, name);
    if (entries.length === 0) return undefined;
    const { group, resource: plural } = resource;
    const version = this.#options.firstVersion();
    const state = new ResourceState({
      ...{ entries, version, limits: HISTORY },
      resource: { group, resource: plural },
      floor: version,
      clock: this.#options.clock,
    });
    this.#states.set(name, state);
    return state;
  }

  states(): readonly ResourceState[] {
    return [...this.#states.values()];
  }

  #entriesOf(resource: GroupResource, name: string): readonly DiskEntry[] {
    const { replica, scope } = this.#options;
    const entries: DiskEntry[] = [];
    for (const [key, entry] of replica.entries(scope))
      if (key.startsWith(`${name}/`)) entries.push(this.#made(resource, key, entry));
    return entries;
  }

  #made({ group, resource }: GroupResource, key: ContentKey, entry: ReplicaEntry): DiskEntry {
    const { namespace, name } = parseKey(key);
    const { hash, sizeBytes } = entry;
    const at = { group, resource, namespace, name };
    return new DiskEntry(at, versionOf(entry.version), {
      bytes: undefined,
      sizeBytes,
      read: () => this.#loaded.get(key, hash),
    });
  }

  #entry(key: ContentKey): ReplicaEntry | undefined {
    return this.#options.replica.entries(this.#options.scope).get(key);
  }

  /** The content as it is now; undefined: there is none any more. */
  async #load(key: ContentKey): Promise<Loaded | undefined> {
    const { replica, scope } = this.#options;
    for (let read = 0; read < MAX_READS; read += 1) {
      const entry = this.#entry(key);
      if (entry === undefined) return undefined;
      const { hash } = entry;
      const bytes = this.#loaded.get(key, hash) ?? (await replica.read(scope, key));
      // What came meanwhile is another content.
      if (bytes === undefined || this.#entry(key)?.hash !== hash) continue;
      this.#loaded.put(key, hash, bytes);
      return { hash, bytes };
    }
    throw serviceUnavailable(`${key} changes all the time`);
  }

  #changed(keys: readonly ContentKey[]): void {
    for (const key of keys) {
      const state = this.#states.get(key.slice(0, key.indexOf('/')));
      if (state === undefined) continue;
      const isWatched = state.watches > 0;
      // Begun at once: what was just written need not be read from the disk.
      const loading = isWatched ? this.#load(key) : Promise.resolve(undefined);
      loading.catch(() => {}); // told below
      this.#telling = this.#telling.then(() => this.#tell(state, key, isWatched ? loading : undefined));
    }
  }

  /** Never rejects. `loading`: absent where nobody watches. */
  async #tell(
    state: ResourceState,
    key: ContentKey,
    loading: Promise<Loaded | undefined> | undefined,
  ): Promise<void> {
    const { namespace, name } = parseKey(key);
    let content: Loaded | undefined;
    let isKnown = loading !== undefined;
    try {
      content = await loading;
    } catch (error) {
      isKnown = false;
      this.#options.log.warn({ err: error, key }, 'a change cannot be shown: readers list again');
    }
    const entry = this.#entry(key);
    const made = entry === undefined ? undefined : this.#made(state.resource, key, entry);
    if (isKnown && content?.hash === entry?.hash) {
      const now = content === undefined ? undefined : made?.holding(content.bytes);
      state.touch([{ namespace, name, now }], 'own');
      return;
    }
    // There is nothing to go on from; and nobody needs what was held for watches.
    state.restartWith([{ namespace, name, now: made }]);
    if (state.watches > 0) return;
    for (const present of state.entries())
      if (present instanceof DiskEntry && present.isHeld) state.replace(present.released());
  }
}

interface Loaded {
  readonly hash: ContentHash;
  readonly bytes: Uint8Array;
}

interface DiskContent {
  /** Held by the entry of an event. */
  readonly bytes: Uint8Array | undefined;
  readonly sizeBytes: number;
  readonly read: () => Uint8Array | undefined;
}

/** An entry whose content is on the disk, and has to be read before it is asked for. */
class DiskEntry extends JsonEntry {
  readonly #content: DiskContent;

  constructor(key: ObjectKey, resourceVersion: number, content: DiskContent) {
    super(key, resourceVersion);
    this.#content = content;
  }

  get sizeBytes(): number {
    return this.#content.sizeBytes;
  }

  at(resourceVersion: number): DiskEntry {
    return new DiskEntry(this.key, resourceVersion, this.#content);
  }

  /** Whether its content is kept with it. */
  get isHeld(): boolean {
    return this.#content.bytes !== undefined;
  }

  /** With its content, if that was read and is not kept yet. */
  held(): DiskEntry | undefined {
    const bytes = this.isHeld ? undefined : this.#content.read();
    return bytes === undefined ? undefined : this.holding(bytes);
  }

  released(): DiskEntry {
    return new DiskEntry(this.key, this.resourceVersion, { ...this.#content, bytes: undefined });
  }

  holding(bytes: Uint8Array): DiskEntry {
    return new DiskEntry(this.key, this.resourceVersion, { ...this.#content, bytes });
  }

  protected bytes(): Uint8Array {
    const bytes = this.#content.bytes ?? this.#content.read();
    if (bytes !== undefined) return bytes;
    throw serviceUnavailable(`${this.key.resource} "${this.key.name}" cannot be read from the disk now`);
  }
}

function contentKey(key: ObjectKey): ContentKey {
  return formatKey(poolResourceName(key), key.namespace, key.name);
}
