import {
  cacheKey,
  controllerOf,
  LabelSelector,
  type Controller,
  type Informer,
  type KubeObject,
  type LabelSelectorObject,
  type ResourceClient,
} from '@hawser/kube';
import { unlessGone } from './context.ts';
import { claimObjects } from './owned-objects.ts';

/** An object that has others by their labels. */
export interface SelectingObject extends KubeObject {
  readonly spec: { readonly selector: LabelSelectorObject };
}

/** What {@link Dependents} are made of. */
export interface DependentsOptions<Owner extends SelectingObject, Dependent extends KubeObject> {
  /** Of the owners: `ReplicaSet`. */
  readonly kind: string;
  readonly owners: Informer;
  readonly ownerClient: ResourceClient<Owner>;
  readonly dependents: Informer;
  readonly dependentClient: ResourceClient<Dependent>;
  readonly queue: Pick<Controller, 'enqueue'>;
}

/** The objects of one kind that owners of another kind have: the pods of ReplicaSets, the ReplicaSets of Deployments. */
export class Dependents<Owner extends SelectingObject, Dependent extends KubeObject> {
  readonly #options: DependentsOptions<Owner, Dependent>;

  constructor(options: DependentsOptions<Owner, Dependent>) {
    this.#options = options;
  }

  /** Enqueues whom an object concerns: the one that owns it; if nobody does, each that could adopt it. */
  noticed(object: KubeObject | undefined): void {
    if (object === undefined) return;
    const { kind, owners, queue } = this.#options;
    const { namespace = '', labels } = object.metadata;
    const owner = controllerOf(object);
    if (owner !== undefined) {
      if (owner.kind === kind) queue.enqueue(cacheKey(namespace, owner.name));
      return;
    }
    for (const { key, value } of owners.lister.list({ namespace })) {
      if (LabelSelector.fromObject((value as Owner).spec.selector).matches(labels)) queue.enqueue(key);
    }
  }

  /** Adopts and releases, as {@link claimObjects} does; returns what the owner has then. */
  claim(owner: Owner, signal: AbortSignal): Promise<Dependent[]> {
    const { ownerClient, dependents, dependentClient: client } = this.#options;
    const { namespace = '', name = '' } = owner.metadata;
    const objects = dependents.lister.list({ namespace }).map(({ value }) => value as Dependent);
    return claimObjects(objects, {
      owner,
      selector: LabelSelector.fromObject(owner.spec.selector),
      client,
      signal,
      freshOwner: () => unlessGone(ownerClient.get(namespace, name, { signal })),
    });
  }
}
