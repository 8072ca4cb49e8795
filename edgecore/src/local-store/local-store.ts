import {
  KubeError,
  methodNotAllowed,
  serviceUnavailable,
  FieldSelector,
  type Entry,
  type EntryList,
  type GroupResource,
  type ObjectKey,
  type ObjectStore,
  type Scope,
  type StoreWatch,
} from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import type { PoolReader } from '../pool/pool-types.ts';
import type { ChangeHistoryLimits } from './change-history.ts';
import type { NodeObjects } from './node-objects.ts';
import { firstOwnVersion } from './own-versions.ts';
import { PoolObjects } from './pool-objects.ts';
import type { ResourceState } from './resource-state.ts';

/** What a {@link LocalStore} needs. */
export interface LocalStoreOptions {
  readonly pool: PoolReader;
  /** Absent: nothing but the pool's resources is answered. */
  readonly node?: NodeObjects;
  readonly clock: Clock;
  /** Of what is kept of the changes of each of the pool's resources. Default: 2,000 changes, 1.5 MiB. */
  readonly limits?: ChangeHistoryLimits;
}

/**
 * What this node has, as a read-only {@link ObjectStore}: resources of the pool, and what is of the node itself. Each
 * resource has versions of its own ({@link versionOf}). Writes are refused with 405; they go to the API server.
 *
 * Lists and watches of what is not here now fail with 503; {@link serves} tells before.
 */
export class LocalStore implements ObjectStore {
  readonly pool: PoolReader;
  readonly clock: Clock;
  readonly #pool: PoolObjects;
  readonly #node: NodeObjects | undefined;
  readonly #onClose = new Set<() => void>();
  #closed = false;

  constructor({ pool, node, clock, limits }: LocalStoreOptions) {
    this.#pool = new PoolObjects({
      ...{ pool, clock, ...(limits !== undefined && { limits }) },
      ownVersion: () => this.ownVersion(),
    });
    this.#node = node;
    this.pool = pool;
    this.clock = clock;
  }

  /** Begins to listen. Idempotent. */
  start(): void {
    this.#pool.start();
    this.#node?.start();
  }

  get resourceVersion(): number {
    return this.#states().reduce((newest, { version }) => Math.max(newest, version), 0);
  }

  get oldestWatchVersion(): number {
    return this.#states().reduce((oldest, { floor }) => Math.max(oldest, floor), 0);
  }

  versionOf(resource: GroupResource): number {
    return this.stateOf(resource)?.version ?? 0;
  }

  /**
   * Whether a get, list or watch is answered from here: any of a pool's resource; of what is of the node itself one object
   * (by its name, or `metadata.name=`), and pods with `spec.nodeName=` this node.
   * @param namespace '' for all, and for cluster-scoped ones
   * @param name '' for lists and watches
   * @param fieldSelector as in the query
   * @throws StatusError BadRequest for a selector that is none
   */
  serves(resource: GroupResource, namespace: string, name: string, fieldSelector: string): boolean {
    if (this.#pool.has(resource)) return true;
    if (this.#node === undefined) return false;
    const { requirements } = FieldSelector.parse(fieldSelector);
    const one = (field: string): string | undefined =>
      requirements.find((part) => part.field === field && part.operator === '=')?.value;
    if (name === '' && resource.group === '' && resource.resource === 'pods') {
      if (one('spec.nodeName') === this.#node.node) return true;
    }
    const wanted = name === '' ? one('metadata.name') : name;
    return wanted !== undefined && wanted !== '' && this.#node.has({ ...resource, namespace, name: wanted });
  }

  /**
   * Reads an object of the node from its disk, so that requests for it can be answered for the next half minute. Nothing
   * to do for others. Rejects where the disk does not give it.
   */
  async load(key: ObjectKey): Promise<void> {
    if (this.#pool.has(key)) return;
    await this.#node?.load(key);
  }

  /** The version that what is made here begins with now. */
  ownVersion(): number {
    return this.#node?.firstVersion() ?? firstOwnVersion(this.clock.wallMs());
  }

  /** What readers of a resource see; undefined: it is not here. For those that show it in another way. */
  stateOf(resource: GroupResource): ResourceState | undefined {
    if (this.#closed) throw new KubeError('ERR_KUBE_STORE_CLOSED', 'the store is closed');
    return this.#pool.state(resource) ?? this.#node?.state(resource);
  }

  get(key: ObjectKey): Entry | undefined {
    return this.stateOf(key)?.get(key.namespace, key.name);
  }

  /** @throws StatusError ServiceUnavailable, Expired, Timeout */
  list(scope: Scope, options: { atVersion?: number } = {}): EntryList {
    return this.#needed(scope).list(scope.namespace, options.atVersion);
  }

  /** @throws StatusError ServiceUnavailable, Expired */
  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    const state = this.#needed(scope);
    this.#node?.hold(scope);
    return state.watch(scope, options);
  }

  /** @throws StatusError MethodNotAllowed, always */
  create(): Promise<Entry> {
    return Promise.reject(methodNotAllowed());
  }

  /** @throws StatusError MethodNotAllowed, always */
  update(): Promise<Entry> {
    return Promise.reject(methodNotAllowed());
  }

  /** @throws StatusError MethodNotAllowed, always */
  delete(): Promise<Entry> {
    return Promise.reject(methodNotAllowed());
  }

  /** Calls when the store is closed. */
  onClose(listener: () => void): void {
    this.#onClose.add(listener);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const listener of this.#onClose) listener();
    this.#onClose.clear();
    this.#pool.stop();
    this.#node?.stop();
    return Promise.resolve();
  }

  #needed(resource: GroupResource): ResourceState {
    const state = this.stateOf(resource);
    if (state !== undefined) return state;
    throw serviceUnavailable(`${resource.resource} are not to be had at this node now`);
  }

  #states(): readonly ResourceState[] {
    return [...this.#pool.states(), ...(this.#node?.states() ?? [])];
  }
}
