import { randomUUID } from 'node:crypto';
import type { Random } from '@hawser/seams';
import { generateName } from '../../meta/generate-name.ts';
import { jsonEqual } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import {
  alreadyExists,
  conflict,
  generateNameConflict,
  invalid,
  notFound,
  plainError,
  uidConflict,
} from '../../status/status-errors.ts';
import { StatusError } from '../../status/status.ts';
import type { Entry, ObjectKey, ObjectStore } from '../../store/store.ts';
import { admit, type AdmissionAttributes, type AdmissionPlugin } from '../admission/admission.ts';
import { draftOf, type Draft } from '../draft.ts';
import type { ResourceDefinition, StrategyContext, UpdateStrategy } from '../registry/definition.ts';
import { defaultNameCheck, keepSystemMeta, metaErrors, metaUpdateErrors } from './meta-validation.ts';

/** What all writes need. */
export interface WriterDependencies {
  readonly store: ObjectStore;
  readonly plugins: readonly AdmissionPlugin[];
  readonly random: Random;
}

/** One change of one object. */
export interface UpdateRequest {
  readonly namespace: string;
  readonly name: string;
  /** The subresource's name for admission, '' for the resource itself. */
  readonly subresource: string;
  readonly strategy: UpdateStrategy;
  /** Makes the new state out of the present one; called again after a conflict. Undefined: the object is missing. */
  transform(current: Entry | undefined): Draft | Promise<Draft>;
  /** Whether a `metadata.uid` in the new state is a precondition (PUT) instead of a change (PATCH). */
  readonly uidIsPrecondition: boolean;
  /** Whether transform may be called with undefined to create the object. */
  readonly mayCreate: boolean;
  /** Whether a missing resourceVersion is refused where the strategy says so: on PUT. */
  readonly needsVersion: boolean;
}

/** What a write left behind. */
export interface WriteResult {
  readonly object: KubeObject;
  /** The stored state; absent on a dry run, and where the write removed the object. */
  readonly entry?: Entry;
  readonly created: boolean;
}

const NAME_ATTEMPTS = 8;
/** Writers of one object in one process wait for each other a few rounds at most. */
const UPDATE_ATTEMPTS = 100;

/**
 * Creates and updates objects: admission, defaults, validation, versions, finalizers.
 * Source: k8s.io/apiserver registry/generic/registry Store.
 */
export class ObjectWriter {
  readonly #dependencies: WriterDependencies;

  constructor(dependencies: WriterDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Creates an object.
   * @throws StatusError AlreadyExists, Invalid, and what admission refuses with.
   */
  async create(
    definition: ResourceDefinition,
    namespace: string,
    draft: Draft,
    context: StrategyContext,
  ): Promise<WriteResult> {
    await this.#admit(definition, '', context, {
      operation: 'CREATE',
      namespace,
      name: draft.metadata.name ?? '',
      object: draft,
    });
    for (let attempt = 1; ; attempt += 1) {
      const candidate = attempt === 1 ? draft : structuredClone(draft);
      let generated = false;
      try {
        generated = this.#prepareForCreate(definition, candidate, context);
        return await this.#store(definition, candidate, context);
      } catch (error) {
        const taken = error instanceof StatusError && error.status.reason === 'AlreadyExists';
        if (!generated || !taken) throw error;
        if (attempt >= NAME_ATTEMPTS) throw generateNameConflict(definition, candidate.metadata.name ?? '');
        delete draft.metadata.name;
      } finally {
        definition.strategy.settle?.(candidate);
      }
    }
  }

  /**
   * Changes an object; an object being deleted whose last finalizer goes is removed.
   * @throws StatusError NotFound, Conflict, Invalid, and what admission refuses with.
   */
  async update(
    definition: ResourceDefinition,
    request: UpdateRequest,
    context: StrategyContext,
  ): Promise<WriteResult> {
    const { store } = this.#dependencies;
    const key = keyOf(definition, request.namespace, request.name);
    for (let attempt = 1; ; attempt += 1) {
      const current = store.get(key);
      if (current === undefined) {
        if (!request.mayCreate) throw notFound(definition, request.name);
        return this.create(definition, request.namespace, await request.transform(undefined), context);
      }
      const draft = await request.transform(current);
      const conditional = this.#checkVersion(definition, request, draft, current);
      try {
        return await this.#replace(definition, request, draft, current, context);
      } catch (error) {
        const raced =
          error instanceof StatusError &&
          error.status.reason === 'Conflict' &&
          error.status.details?.name === request.name;
        if (!raced || conditional || store.get(key) === current || attempt >= UPDATE_ATTEMPTS) throw error;
      } finally {
        definition.strategy.settle?.(draft);
      }
    }
  }

  /** Whether the new state carries the version it was made from. */
  #checkVersion(
    definition: ResourceDefinition,
    request: UpdateRequest,
    draft: Draft,
    current: Entry,
  ): boolean {
    const { metadata } = draft;
    const uid = current.object.metadata.uid ?? '';
    if (request.uidIsPrecondition && metadata.uid !== undefined && metadata.uid !== uid) {
      const { namespace, name } = request;
      throw uidConflict(definition, { namespace, name, uid, expectedUid: metadata.uid });
    }
    const { resourceVersion = '' } = metadata;
    if (resourceVersion === '' || resourceVersion === '0') {
      if (request.needsVersion && definition.strategy.allowUnconditionalUpdate === false) {
        throw invalid({ group: definition.group, kind: definition.resource }, request.name, [
          field.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
        ]);
      }
      return false;
    }
    if (resourceVersion !== String(current.resourceVersion)) throw conflict(definition, request.name);
    return request.uidIsPrecondition;
  }

  async #replace(
    definition: ResourceDefinition,
    request: UpdateRequest,
    draft: Draft,
    current: Entry,
    context: StrategyContext,
  ): Promise<WriteResult> {
    const old = current.object;
    const { namespace, name, strategy } = request;
    await this.#admit(definition, request.subresource, context, {
      operation: 'UPDATE',
      namespace,
      name,
      object: draft,
      oldObject: old,
    });
    keepSystemMeta(draft, old);
    if (namespace !== '') draft.metadata.namespace ??= namespace;
    strategy.prepareForUpdate?.(draft, old, context);
    const common = metaUpdateErrors(draft, old);
    // Twice, as the API does: generic validation and the strategy's own each check the metadata.
    const errors = [...common, ...common, ...(strategy.validateUpdate?.(draft, old, context) ?? [])];
    throwIfInvalid(definition, name, errors);
    draft.metadata.resourceVersion = String(current.resourceVersion);
    if (isRemoved(definition, draft)) {
      if (!context.dryRun) {
        await this.#dependencies.store.delete(current.key, current.resourceVersion, draft);
      }
      return { object: draft, created: false };
    }
    if (context.dryRun) return { object: draft, created: false };
    if (jsonEqual(draft, old)) return { object: old, entry: current, created: false };
    const entry = await this.#dependencies.store.update(current.key, current.resourceVersion, draft);
    return { object: entry.object, entry, created: false };
  }

  /** Fills in what the server sets. Returns whether the name was generated. */
  #prepareForCreate(definition: ResourceDefinition, draft: Draft, context: StrategyContext): boolean {
    const { metadata } = draft;
    const { strategy } = definition;
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    delete metadata.generation;
    metadata.uid = randomUUID();
    metadata.creationTimestamp = context.now;
    const prefix = metadata.generateName ?? '';
    const generated = (metadata.name ?? '') === '' && prefix !== '';
    if (generated) metadata.name = generateName(prefix, this.#dependencies.random);
    strategy.prepareForCreate?.(draft, context);
    const errors = [
      ...metaErrors(
        metadata,
        definition.namespaced,
        strategy.nameProblems?.bind(strategy) ?? defaultNameCheck,
      ),
      ...(strategy.validate?.(draft, context) ?? []),
    ];
    throwIfInvalid(definition, metadata.name ?? '', errors);
    return generated;
  }

  async #store(definition: ResourceDefinition, draft: Draft, context: StrategyContext): Promise<WriteResult> {
    const { resourceVersion = '', namespace = '', name = '' } = draft.metadata;
    if (resourceVersion !== '' && resourceVersion !== '0') {
      throw plainError('resourceVersion should not be set on objects to be created');
    }
    const key = keyOf(definition, namespace, name);
    if (context.dryRun) {
      if (this.#dependencies.store.get(key) !== undefined) throw alreadyExists(definition, name);
      return { object: draft, created: true };
    }
    const entry = await this.#dependencies.store.create(key, draft);
    return { object: entry.object, entry, created: true };
  }

  async #admit(
    definition: ResourceDefinition,
    subresource: string,
    { user, dryRun }: StrategyContext,
    rest: Pick<AdmissionAttributes, 'operation' | 'namespace' | 'name' | 'object' | 'oldObject'>,
  ): Promise<void> {
    const { group, resource, version, kind } = definition;
    const about = { resource: { group, resource }, version, kind, subresource, user, dryRun };
    await admit(this.#dependencies.plugins, { ...about, ...rest });
  }
}

/** Where an object of the resource is kept. */
export function keyOf({ storage }: ResourceDefinition, namespace: string, name: string): ObjectKey {
  return { group: storage.group, resource: storage.resource, namespace, name };
}

/** The draft of the present state. */
export function currentDraft(entry: Entry): Draft {
  return draftOf(entry.object);
}

/** Whether nothing keeps an object that is being deleted any more. */
export function isRemoved(definition: ResourceDefinition, draft: Draft): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = draft.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds !== 0 || finalizers.length > 0)
    return false;
  return definition.strategy.mustStay?.(draft) !== true;
}

function throwIfInvalid(definition: ResourceDefinition, name: string, errors: readonly FieldError[]): void {
  // An object that several groups serve is validated as that of the group it is stored in.
  const { storage, kind } = definition;
  if (errors.length > 0) throw invalid({ group: storage.group, kind }, name, errors);
}
