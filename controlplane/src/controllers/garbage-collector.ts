import {
  parseApiVersion,
  ResourceClient,
  type Controller,
  type Entry,
  type KubeObject,
  type OwnerReference,
} from '@hawser/kube';
import { controlQueue, hasReason, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import {
  awaits,
  blocks,
  FOREGROUND_FINALIZER,
  judge,
  ORPHAN_FINALIZER,
  type OwnerState,
} from './garbage-plan.ts';
import { StoreObserver } from './store-observer.ts';
import type { StoredResource } from './stored-resources.ts';

const NAME = 'garbage-collector-controller';
const WORKERS = 10;
/** Owners of kinds that are not served may be served again. */
const UNKNOWN_AGAIN_MS = 30_000;

interface Place {
  readonly resource: StoredResource;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Deletes what has lost its owners. For each object that changed, and each dependent of one that went:
 * 1. waiting with the `orphan` finalizer: its dependents let go of it, then the finalizer goes;
 * 2. waiting with `foregroundDeletion`: its dependents are looked at; when none blocks it, the finalizer goes;
 * 3. with owner references: see {@link judge}.
 *
 * The dependents of an owner are an index of uids, kept from the store's own events; whether an owner is there is asked
 * of the store itself, which is never behind. (Upstream has to ask the API server about each absent owner.)
 * Source: kubernetes pkg/controller/garbagecollector.
 */
export class GarbageCollector implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #observer: StoreObserver;
  readonly #queue: Controller;
  readonly #places = new Map<string, Place>();
  /** Keys of dependents by the uid of an owner. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #ownersOf = new Map<string, readonly string[]>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#observer = new StoreObserver({
      ...context,
      logger: context.logger.child({ component: NAME }),
      onObject: (resource, last, entry) => this.#onObject(resource, last, entry),
    });
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
  }

  start(): void {
    this.#observer.start();
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#observer.stop();
    await this.#queue.stop();
  }

  #onObject(resource: StoredResource, last: Entry, entry: Entry | undefined): void {
    const { namespace, name } = last.key;
    const key = JSON.stringify([resource.storage.group, resource.storage.resource, namespace, name]);
    const { uid = '' } = last.object.metadata;
    this.#index(key, entry?.object);
    if (entry === undefined) {
      this.#places.delete(key);
      this.#enqueueDependents(uid);
      // Whoever waits for it in the foreground.
      for (const owner of last.object.metadata.ownerReferences ?? []) this.#enqueueOwner(owner, namespace);
      return;
    }
    const { metadata } = entry.object;
    const concerned =
      (metadata.ownerReferences ?? []).length > 0 ||
      awaits(entry.object, ORPHAN_FINALIZER) ||
      awaits(entry.object, FOREGROUND_FINALIZER);
    if (!concerned) return;
    this.#places.set(key, { resource, namespace, name });
    this.#queue.enqueue(key);
  }

  #index(key: string, object: KubeObject | undefined): void {
    for (const uid of this.#ownersOf.get(key) ?? []) {
      const keys = this.#dependents.get(uid);
      keys?.delete(key);
      if (keys?.size === 0) this.#dependents.delete(uid);
    }
    const owners = (object?.metadata.ownerReferences ?? []).map(({ uid }) => uid);
    if (owners.length === 0) {
      this.#ownersOf.delete(key);
      return;
    }
    this.#ownersOf.set(key, owners);
    for (const uid of owners) this.#dependents.set(uid, (this.#dependents.get(uid) ?? new Set()).add(key));
  }

  #enqueueDependents(uid: string): void {
    for (const key of this.#dependents.get(uid) ?? []) this.#queue.enqueue(key);
  }

  #enqueueOwner(reference: OwnerReference, namespace: string): void {
    const found = this.#ownerEntry(reference, namespace);
    if (found === undefined || found === 'unknown') return;
    const { group, resource, namespace: at, name } = found.key;
    const key = JSON.stringify([group, resource, at, name]);
    if (this.#places.has(key)) this.#queue.enqueue(key);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const place = this.#places.get(key);
    if (place === undefined) return;
    const { resource, namespace, name } = place;
    const object = this.#context.store.get({ ...resource.storage, namespace, name })?.object;
    if (object === undefined) return;
    if (awaits(object, ORPHAN_FINALIZER)) await this.#orphanDependents(place, object, signal);
    else if (awaits(object, FOREGROUND_FINALIZER)) await this.#awaitDependents(place, object, signal);
    const { uid = '' } = object.metadata;
    const state = (reference: OwnerReference): OwnerState => this.#stateOf(reference, place);
    const action = judge(object, state, (this.#dependents.get(uid)?.size ?? 0) > 0);
    if (action.type === 'delete') {
      await this.#delete(place, object, action.propagation, signal);
    } else if (action.type === 'dropOwners') {
      await this.#dropOwners(place, object, action.uids, signal);
    } else if ((object.metadata.ownerReferences ?? []).some((reference) => state(reference) === 'unknown')) {
      this.#queue.enqueueAfter(key, UNKNOWN_AGAIN_MS);
    }
  }

  #stateOf(reference: OwnerReference, { namespace }: Place): OwnerState {
    const entry = this.#ownerEntry(reference, namespace);
    if (entry === 'unknown') return 'unknown';
    if (entry?.object.metadata.uid !== reference.uid) return 'absent';
    return awaits(entry.object, FOREGROUND_FINALIZER) ? 'waiting' : 'present';
  }

  #ownerEntry(reference: OwnerReference, namespace: string): Entry | 'unknown' | undefined {
    const { apiVersion, kind, name } = reference;
    if (apiVersion.split('/').length > 2) return 'unknown';
    const { registry, store } = this.#context;
    const definition =
      registry.findKind(apiVersion, kind) ??
      registry
        .all()
        .find(
          (candidate) => candidate.kind === kind && candidate.group === parseApiVersion(apiVersion).group,
        );
    if (definition === undefined) return 'unknown';
    // A cluster-wide object cannot be owned by one in a namespace.
    if (definition.namespaced && namespace === '') return 'unknown';
    return store.get({ ...definition.storage, namespace: definition.namespaced ? namespace : '', name });
  }

  async #delete(
    place: Place,
    object: KubeObject,
    propagationPolicy: 'Foreground' | 'Background' | 'Orphan',
    signal: AbortSignal,
  ): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    // The version too: an owner may be added between our look and the deletion.
    const preconditions = {
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    };
    const client = this.#client(place);
    await unlessGone(
      client.delete(place.namespace, place.name, { propagationPolicy, preconditions, signal }),
    );
    this.#context.logger.debug(
      { object: `${place.resource.resource} ${place.namespace}/${place.name}` },
      'collected',
    );
  }

  async #dropOwners(
    place: Place,
    object: KubeObject,
    uids: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { resourceVersion, ownerReferences = [] } = object.metadata;
    const kept = ownerReferences.filter(({ uid }) => !uids.includes(uid));
    const body = { metadata: { resourceVersion, ownerReferences: kept.length === 0 ? null : kept } };
    await unlessGone(this.#client(place).patch(place.namespace, place.name, 'merge', body, { signal }));
  }

  async #orphanDependents(place: Place, owner: KubeObject, signal: AbortSignal): Promise<void> {
    const { uid = '' } = owner.metadata;
    const keys = [...(this.#dependents.get(uid) ?? [])];
    await Promise.all(
      keys.map(async (key) => {
        const dependent = this.#places.get(key);
        if (dependent === undefined) return;
        const { resource, namespace, name } = dependent;
        const object = this.#context.store.get({ ...resource.storage, namespace, name })?.object;
        if (object !== undefined) await this.#dropOwners(dependent, object, [uid], signal);
      }),
    );
    await this.#dropFinalizer(place, owner, ORPHAN_FINALIZER, signal);
  }

  async #awaitDependents(place: Place, owner: KubeObject, signal: AbortSignal): Promise<void> {
    const { uid = '' } = owner.metadata;
    let blocked = false;
    for (const key of this.#dependents.get(uid) ?? []) {
      const dependent = this.#places.get(key);
      if (dependent === undefined) continue;
      const { resource, namespace, name } = dependent;
      const object = this.#context.store.get({ ...resource.storage, namespace, name })?.object;
      if (object === undefined) continue;
      this.#queue.enqueue(key);
      if (blocks(object, uid)) blocked = true; // its end enqueues the owner
    }
    if (!blocked) await this.#dropFinalizer(place, owner, FOREGROUND_FINALIZER, signal);
  }

  async #dropFinalizer(
    place: Place,
    object: KubeObject,
    finalizer: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { resourceVersion, finalizers = [] } = object.metadata;
    const body = {
      metadata: { resourceVersion, finalizers: finalizers.filter((name) => name !== finalizer) },
    };
    try {
      await this.#client(place).patch(place.namespace, place.name, 'merge', body, { signal });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
  }

  #client({ resource }: Place): ResourceClient {
    return new ResourceClient(this.#context.client, resource);
  }
}
