import { Backoff, type Clock, type Timer } from '@hawser/seams';
import type { KubeObject } from '../../meta/object.ts';
import { StatusError } from '../../status/status.ts';
import type { Entry, ObjectStore, StoreWatch } from '../../store/store.ts';
import { apiTime, draftOf } from '../draft.ts';
import type { Registry } from '../registry/registry.ts';
import {
  CLEANUP_FINALIZER,
  conditionOf,
  CRD_RESOURCE,
  type CrdCondition,
  type CrdNames,
  type CrdSpec,
  type CrdStatus,
} from './crd-types.ts';
import { customResources } from './custom-resource.ts';

/** What a {@link CrdController} needs. */
export interface CrdControllerOptions {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly onError: ((error: Error, about: string) => void) | undefined;
}

const SCOPE = CRD_RESOURCE;
/** How soon the end of a definition whose objects have finalizers is tried again, in ms. */
const RETRY_BASE_MS = 200;
const RETRY_CAP_MS = 5000;

/**
 * Makes CustomResourceDefinitions real. For each, from its present state:
 * 1. names that no other definition of its group holds are accepted (conditions NamesAccepted, Established);
 * 2. what is established is served;
 * 3. one that is being deleted creates no more objects; those it has are deleted, then its finalizer goes.
 * Source: apiextensions-apiserver controllers status, establish and finalizer.
 */
export class CrdController {
  readonly #options: CrdControllerOptions;
  readonly #backoff = new Backoff({ baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS });
  readonly #served = new Map<string, { group: string; plural: string; entry: Entry }>();
  #watch: StoreWatch | undefined;
  #running: Promise<void> | undefined;
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: CrdControllerOptions) {
    this.#options = options;
  }

  /** Serves what is established already, and follows the changes. A second call does nothing. */
  start(): void {
    if (this.#running !== undefined || this.#stopped) return;
    const { entries } = this.#options.store.list(SCOPE);
    for (const entry of entries) this.#serve(entry);
    this.#running = this.#run();
  }

  /** Ends; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#watch?.close();
    await this.#running;
  }

  /** Follows the store, from the beginning again wherever that fails. */
  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const { entries, resourceVersion } = this.#options.store.list(SCOPE);
        this.#watch = this.#options.store.watch(SCOPE, { fromVersion: resourceVersion });
        await this.#reconcileAll(entries);
        for await (const event of this.#watch) {
          if (event.type === 'DELETED') this.#forget(event.entry);
          await this.#reconcileAll(this.#options.store.list(SCOPE).entries);
        }
      } catch (error) {
        this.#report(error, 'customresourcedefinitions');
        if (error instanceof Error && 'code' in error && error.code === 'ERR_KUBE_STORE_CLOSED') return;
      }
    }
  }

  async #reconcileAll(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      if (this.#stopped) return;
      try {
        await this.#reconcile(entry);
      } catch (error) {
        // A conflict means that a newer state is there, with an event of its own.
        const raced =
          error instanceof StatusError && (error.status.code === 409 || error.status.code === 404);
        if (!raced) this.#report(error, entry.key.name);
      }
    }
  }

  async #reconcile(entry: Entry): Promise<void> {
    const { object } = entry;
    if (object.metadata.deletionTimestamp !== undefined) {
      await this.#finish(entry);
      return;
    }
    const status = this.#acceptedStatus(object);
    if (status === undefined) {
      this.#serve(entry);
      return;
    }
    const updated = await this.#options.store.update(entry.key, entry.resourceVersion, {
      ...draftOf(object),
      status,
    });
    this.#serve(updated);
  }

  /** The status that a definition should have, or undefined if it has that. */
  #acceptedStatus(object: KubeObject): CrdStatus | undefined {
    const spec = object['spec'] as CrdSpec; // decoded when it was stored
    const status = object['status'] as CrdStatus; // decoded when it was stored
    const clash = this.#clash(object, spec);
    const accepted = clash === undefined ? spec.names : status.acceptedNames;
    const conditions = [
      clash === undefined
        ? condition('NamesAccepted', 'True', 'NoConflicts', 'no conflicts found')
        : condition('NamesAccepted', 'False', clash.reason, clash.message),
    ];
    const established = conditionOf(status, 'Established')?.status === 'True';
    if (clash === undefined || established) {
      conditions.push(
        condition('Established', 'True', 'InitialNamesAccepted', 'the initial names have been accepted'),
      );
    } else conditions.push(condition('Established', 'False', 'NotAccepted', 'not all names are accepted'));
    const unchanged =
      JSON.stringify(accepted) === JSON.stringify(status.acceptedNames) &&
      conditions.every(({ type, status: value, reason, message }) => {
        const present = conditionOf(status, type);
        return (
          present?.status === value &&
          (present.reason === reason || established) &&
          (present.message === message || established)
        );
      });
    if (unchanged) return undefined;
    const now = apiTime(this.#options.clock.wallMs());
    const stamped = conditions.map((made): CrdCondition => {
      const present = conditionOf(status, made.type);
      const lastTransitionTime = present?.status === made.status ? present.lastTransitionTime : now;
      return { ...made, lastTransitionTime };
    });
    return { ...status, conditions: stamped, acceptedNames: accepted };
  }

  /** Which other definition of the group holds a name that this one wants. */
  #clash(object: KubeObject, spec: CrdSpec): { reason: string; message: string } | undefined {
    const taken = { resources: new Set<string>(), kinds: new Set<string>() };
    for (const { object: other } of this.#options.store.list(SCOPE).entries) {
      if (other.metadata.name === object.metadata.name) continue;
      if ((other['spec'] as CrdSpec).group !== spec.group) continue; // decoded when it was stored
      const { acceptedNames } = other['status'] as CrdStatus; // decoded when it was stored
      for (const name of resourceNames(acceptedNames)) taken.resources.add(name);
      for (const name of [acceptedNames.kind, acceptedNames.listKind ?? ''])
        if (name !== '') taken.kinds.add(name);
    }
    const { names } = spec;
    const resource = resourceNames(names).find((name) => taken.resources.has(name));
    if (resource !== undefined) {
      const reason =
        resource === names.plural
          ? 'PluralConflict'
          : resource === names.singular
            ? 'SingularConflict'
            : 'ShortNamesConflict';
      return { reason, message: `${JSON.stringify(resource)} is already in use` };
    }
    const kind = [names.kind, names.listKind ?? ''].find((name) => taken.kinds.has(name));
    if (kind === undefined) return undefined;
    const reason = kind === names.kind ? 'KindConflict' : 'ListKindConflict';
    return { reason, message: `${JSON.stringify(kind)} is already in use` };
  }

  /** Puts an established definition into the registry, unless that state of it is there. */
  #serve(entry: Entry): void {
    const { object, key } = entry;
    const status = object['status'] as CrdStatus; // decoded when it was stored
    if (conditionOf(status, 'Established')?.status !== 'True') return;
    const known = this.#served.get(key.name);
    const sameSpec =
      known !== undefined &&
      known.entry.object.metadata.generation === object.metadata.generation &&
      known.entry.object.metadata.uid === object.metadata.uid &&
      known.entry.object.metadata.deletionTimestamp === object.metadata.deletionTimestamp;
    if (sameSpec) return;
    const spec = object['spec'] as CrdSpec; // decoded when it was stored
    const plural = status.acceptedNames.plural;
    const terminating = object.metadata.deletionTimestamp !== undefined;
    this.#options.registry.replace(
      spec.group,
      plural,
      customResources(spec, status.acceptedNames, terminating),
    );
    this.#served.set(key.name, { group: spec.group, plural, entry });
  }

  #forget({ key }: Entry): void {
    const known = this.#served.get(key.name);
    if (known === undefined) return;
    this.#served.delete(key.name);
    this.#options.registry.remove(known.group, known.plural);
  }

  /** Deletes the objects of a definition that is going, and lets it go once there are none. */
  async #finish(entry: Entry): Promise<void> {
    this.#serve(entry);
    const { object, key, resourceVersion } = entry;
    if (!(object.metadata.finalizers ?? []).includes(CLEANUP_FINALIZER)) return;
    const known = this.#served.get(key.name);
    const left = known === undefined ? 0 : await this.#deleteObjects(known.group, known.plural);
    if (left > 0) {
      this.#retryLater();
      return;
    }
    this.#backoff.reset();
    const draft = draftOf(object);
    const finalizers = (draft.metadata.finalizers ?? []).filter((name) => name !== CLEANUP_FINALIZER);
    if (finalizers.length === 0) {
      delete draft.metadata.finalizers;
      await this.#options.store.delete(key, resourceVersion, draft);
    } else {
      draft.metadata.finalizers = finalizers;
      await this.#options.store.update(key, resourceVersion, draft);
    }
  }

  /** Returns how many objects could not go yet: those with finalizers of their own. */
  async #deleteObjects(group: string, resource: string): Promise<number> {
    const { store, clock } = this.#options;
    let left = 0;
    for (const { key, resourceVersion, object } of store.list({ group, resource }).entries) {
      if ((object.metadata.finalizers ?? []).length === 0) {
        await store.delete(key, resourceVersion);
        continue;
      }
      left += 1;
      if (object.metadata.deletionTimestamp !== undefined) continue;
      const draft = draftOf(object);
      draft.metadata.deletionTimestamp = apiTime(clock.wallMs());
      draft.metadata.deletionGracePeriodSeconds = 0;
      await store.update(key, resourceVersion, draft);
    }
    return left;
  }

  #retryLater(): void {
    this.#retry?.cancel();
    const again = (): void => {
      if (this.#stopped) return;
      void this.#reconcileAll(this.#options.store.list(SCOPE).entries);
    };
    this.#retry = this.#options.clock.setTimer(this.#backoff.nextMs(), again, { background: true });
  }

  #report(error: unknown, about: string): void {
    this.#options.onError?.(error instanceof Error ? error : new Error(String(error)), about);
  }
}

function resourceNames({ plural, singular = '', shortNames = [] }: CrdNames): string[] {
  return [plural, singular, ...shortNames].filter((name) => name !== '');
}

function condition(type: string, status: string, reason: string, message: string): CrdCondition {
  return { type, status, lastTransitionTime: '', reason, message };
}
