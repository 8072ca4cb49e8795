import { formatTime, ResourceClient, type Controller, type Informer, type KubeObject } from '@hawser/kube';
import { withCondition, type Condition } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import { storedResources } from './stored-resources.ts';

const NAME = 'namespace-controller';
const FINALIZER = 'kubernetes';
const WORKERS = 4;
/** Deletions under way at a time, for each namespace. */
const PARALLEL = 16;
const LOOK_AGAIN_MS = 250;

interface Namespace extends KubeObject {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] };
}

/** What is left in a namespace, by resource. */
export interface Remainder {
  /** E.g. `pods.` or `deployments.apps`: number of objects. */
  readonly resources: ReadonlyMap<string, number>;
  /** Finalizers that are waited for: number of objects. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/**
 * Empties namespaces that end:
 * 1. deletes every object in it, of whatever resource, as a user would (pods end gracefully);
 * 2. while something is left, says what at the namespace, and looks again;
 * 3. then takes the namespace's own finalizer away, and with it the namespace.
 *
 * Source: kubernetes pkg/controller/namespace/deletion.
 */
export class NamespaceController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #namespaces: Informer;
  readonly #client: ResourceClient<Namespace>;
  readonly #queue: Controller;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#namespaces = context.informers.informer(API.namespaces);
    this.#client = new ResourceClient(context.client, API.namespaces);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
  }

  start(): void {
    this.#namespaces.addHandler((_old, current) => {
      if (current?.value.metadata.deletionTimestamp !== undefined) this.#queue.enqueue(current.key);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<void> {
    const namespace = this.#namespaces.lister.byKey(name)?.value as Namespace | undefined;
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    const finalizers = namespace.spec?.finalizers ?? [];
    if (!finalizers.includes(FINALIZER)) return;
    const remainder = await this.#empty(name, signal);
    if (remainder.resources.size > 0) {
      await this.#say(namespace, remainder, signal);
      this.#queue.enqueueAfter(name, LOOK_AGAIN_MS);
      return;
    }
    const spec = { ...namespace.spec, finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER) };
    await unlessGone(this.#client.update({ ...namespace, spec }, { subresource: 'finalize', signal }));
  }

  async #empty(namespace: string, signal: AbortSignal): Promise<Remainder> {
    const { registry, store, client } = this.#context;
    const resources = new Map<string, number>();
    const finalizers = new Map<string, number>();
    for (const resource of storedResources(registry)) {
      if (!resource.namespaced) continue;
      const doomed = store
        .list({ ...resource.storage, namespace })
        .entries.filter(({ object }) => object.metadata.deletionTimestamp === undefined);
      const objects = new ResourceClient(client, resource);
      for (let start = 0; start < doomed.length; start += PARALLEL) {
        const batch = doomed.slice(start, start + PARALLEL);
        const options = { propagationPolicy: 'Background', signal } as const;
        await Promise.all(batch.map(({ key }) => unlessGone(objects.delete(namespace, key.name, options))));
      }
      const left = store.list({ ...resource.storage, namespace }).entries;
      if (left.length > 0) resources.set(`${resource.resource}.${resource.group}`, left.length);
      for (const finalizer of left.flatMap(({ object }) => object.metadata.finalizers ?? [])) {
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
      }
    }
    return { resources, finalizers };
  }

  async #say(namespace: Namespace, remainder: Remainder, signal: AbortSignal): Promise<void> {
    const now = formatTime(this.#context.clock.wallMs());
    let conditions: readonly Condition[] = namespace.status?.conditions ?? [];
    for (const condition of remainderConditions(remainder)) {
      const old = conditions.find(({ type }) => type === condition.type);
      if (old?.status === condition.status && old.message === condition.message) continue;
      conditions = withCondition(conditions, { ...condition, lastTransitionTime: now });
    }
    if (conditions === (namespace.status?.conditions ?? []) || conditions === namespace.status?.conditions)
      return;
    const { name = '', uid } = namespace.metadata;
    const body = { metadata: { uid }, status: { conditions } };
    await unlessGone(this.#client.patch('', name, 'merge', body, { subresource: 'status', signal }));
  }
}

/** Source: kubernetes namespace deletion status_condition_utils. */
export function remainderConditions({ resources, finalizers }: Remainder): Condition[] {
  const list = (
    counts: ReadonlyMap<string, number>,
    words: (name: string, count: number) => string,
  ): string =>
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => words(name, count))
      .join(', ');
  const content = list(resources, (name, count) => `${name} has ${count} resource instances`);
  const waiting = list(finalizers, (name, count) => `${name} in ${count} resource instances`);
  return [
    {
      type: 'NamespaceContentRemaining',
      status: resources.size > 0 ? 'True' : 'False',
      reason: resources.size > 0 ? 'SomeResourcesRemain' : 'ContentRemoved',
      message:
        resources.size > 0 ? `Some resources are remaining: ${content}` : 'All content successfully removed',
    },
    {
      type: 'NamespaceFinalizersRemaining',
      status: finalizers.size > 0 ? 'True' : 'False',
      reason: finalizers.size > 0 ? 'SomeFinalizersRemain' : 'ContentHasNoFinalizers',
      message:
        finalizers.size > 0
          ? `Some content in the namespace has finalizers remaining: ${waiting}`
          : 'All content-preserving finalizers finished',
    },
  ];
}
