import type { KubeObject } from '../../meta/object.ts';
import { deleteUidConflict, deleteVersionConflict, notFound } from '../../status/status-errors.ts';
import { StatusError } from '../../status/status.ts';
import type { Entry } from '../../store/store.ts';
import { admit } from '../admission/admission.ts';
import { apiTime, draftOf, type Draft } from '../draft.ts';
import type { ResourceDefinition, StrategyContext } from '../registry/definition.ts';
import type { DeleteOptions } from './delete-options.ts';
import { keyOf, type WriterDependencies } from './object-writer.ts';

/** What a DELETE left behind. */
export interface DeleteResult {
  /** The last state that the client is to see. */
  readonly object: KubeObject;
  /** Whether the object is gone; otherwise it waits for its grace period or its finalizers. */
  readonly removed: boolean;
}

const ATTEMPTS = 100;
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/** Deletes objects: preconditions, grace, finalizers. Source: k8s.io/apiserver registry Store.Delete. */
export class ObjectDeleter {
  readonly #dependencies: WriterDependencies;

  constructor(dependencies: WriterDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Deletes an object, or begins to.
   * @throws StatusError NotFound, Conflict (preconditions), and what admission refuses with.
   */
  async delete(
    definition: ResourceDefinition,
    place: { namespace: string; name: string },
    options: DeleteOptions,
    context: StrategyContext,
  ): Promise<DeleteResult> {
    const { store, plugins } = this.#dependencies;
    const { namespace, name } = place;
    const key = keyOf(definition, namespace, name);
    for (let attempt = 1; ; attempt += 1) {
      const current = store.get(key);
      if (current === undefined) throw notFound(definition, name);
      const { group, resource, version, kind } = definition;
      await admit(plugins, {
        operation: 'DELETE',
        resource: { group, resource },
        version,
        kind,
        subresource: '',
        namespace,
        name,
        user: context.user,
        dryRun: context.dryRun,
        oldObject: current.object,
      });
      checkPreconditions(definition, current, options);
      try {
        return await this.#deleteVersion(definition, current, options, context);
      } catch (error) {
        const raced = error instanceof StatusError && error.status.reason === 'Conflict';
        if (!raced || attempt >= ATTEMPTS || store.get(key) === current) throw error;
      }
    }
  }

  async #deleteVersion(
    definition: ResourceDefinition,
    current: Entry,
    options: DeleteOptions,
    context: StrategyContext,
  ): Promise<DeleteResult> {
    const { store } = this.#dependencies;
    const draft = draftOf(current.object);
    const before = JSON.stringify(draft);
    const graceful = beginGrace(definition, draft, options, context);
    setFinalizers(definition, draft, options);
    const waits =
      (draft.metadata.finalizers ?? []).length > 0 || definition.strategy.mustStay?.(draft) === true;
    if (!graceful && waits) markDeleting(definition, draft, context);
    if (graceful || waits) {
      if (waits || draft.metadata.deletionGracePeriodSeconds !== 0) {
        if (JSON.stringify(draft) === before) return { object: current.object, removed: false };
        if (context.dryRun) return { object: draft, removed: false };
        const marked = await store.update(current.key, current.resourceVersion, draft);
        return { object: marked.object, removed: false };
      }
      // The last moment of a graceful deletion is shown to watchers before the removal itself.
      if (context.dryRun) return { object: draft, removed: true };
      const marked = await store.update(current.key, current.resourceVersion, draft);
      const gone = await store.delete(marked.key, marked.resourceVersion);
      return { object: gone.object, removed: true };
    }
    if (context.dryRun) return { object: current.object, removed: true };
    const gone = await store.delete(current.key, current.resourceVersion);
    return { object: gone.object, removed: true };
  }
}

function checkPreconditions(definition: ResourceDefinition, current: Entry, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions;
  const { name = '', uid: actualUid = '' } = current.object.metadata;
  if (uid !== undefined && uid !== actualUid) throw deleteUidConflict(definition, name, uid, actualUid);
  if (resourceVersion !== undefined && resourceVersion !== String(current.resourceVersion)) {
    throw deleteVersionConflict(definition, name, resourceVersion, String(current.resourceVersion));
  }
}

/**
 * Sets or shortens the grace period. Returns whether the deletion is graceful: then the object stays until the
 * period it now carries is 0.
 * Source: k8s.io/apiserver registry/rest BeforeDelete.
 */
function beginGrace(
  definition: ResourceDefinition,
  draft: Draft,
  options: DeleteOptions,
  context: StrategyContext,
): boolean {
  const { metadata } = draft;
  const gracePeriod = definition.strategy.gracePeriodSeconds?.bind(definition.strategy);
  if (gracePeriod === undefined) return false;
  const nowMs = Date.parse(context.now);
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp !== undefined) {
    if (deletionGracePeriodSeconds === undefined) return false;
    const wanted = options.gracePeriodSeconds;
    if (wanted === undefined || wanted >= deletionGracePeriodSeconds) return true;
    const sinceMs = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
    metadata.deletionTimestamp = apiTime(sinceMs + Math.max(0, wanted) * 1000);
    metadata.deletionGracePeriodSeconds = Math.max(0, wanted);
    return true;
  }
  const seconds = gracePeriod(draft, options.gracePeriodSeconds);
  if (seconds === undefined) return false;
  metadata.deletionTimestamp = apiTime(nowMs + seconds * 1000);
  metadata.deletionGracePeriodSeconds = seconds;
  if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation += 1;
  definition.strategy.prepareForDelete?.(draft, context);
  return true;
}

/** Source: Store.deletionFinalizersForGarbageCollection. */
function setFinalizers(definition: ResourceDefinition, draft: Draft, options: DeleteOptions): void {
  const { metadata } = draft;
  const isFirst = metadata.deletionTimestamp === undefined;
  const wanted = isFirst ? (definition.strategy.finalizersOnDelete?.(draft) ?? []) : [];
  if (wanted.length > 0) metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), ...wanted])];
  const old = metadata.finalizers ?? [];
  const { propagation, orphanDependents } = options;
  if (propagation === undefined && orphanDependents === undefined) return; // those it has stay
  const orphan = propagation === 'Orphan' || orphanDependents === true;
  const foreground = propagation === 'Foreground';
  const kept = old.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  if (orphan) kept.push(ORPHAN);
  if (foreground) kept.push(FOREGROUND);
  if (kept.length === 0) delete metadata.finalizers;
  else metadata.finalizers = kept;
}

/** Source: markAsDeleting. */
function markDeleting(definition: ResourceDefinition, draft: Draft, context: StrategyContext): void {
  const { metadata } = draft;
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = context.now;
    if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation += 1;
    definition.strategy.prepareForDelete?.(draft, context);
  }
  // Namespaces wait for their own finalizers and carry no grace period.
  if ((metadata.finalizers ?? []).length > 0) metadata.deletionGracePeriodSeconds ??= 0;
}
