import {
  Controller,
  isPlainObject,
  ResourceClient,
  RESOURCES,
  StatusError,
  workqueueMetrics,
  type ApiClient,
  type KubeObject,
} from '@hawser/kube';
import { systemClock, type Clock, type Logger } from '@hawser/seams';
import { Counter, type Registry } from 'prom-client';
import type { ClusterView, NodeFacts } from '../cache/cluster-view.ts';
import { policyOf, unboundedTolerations, type TolerationsPolicy } from './tolerations-plan.ts';

/** Settings of {@link TolerationsController}. */
export interface TolerationsControllerOptions {
  readonly client: ApiClient;
  readonly view: ClusterView;
  readonly log: Logger;
  readonly registry: Registry;
  /** For nodes whose annotation says nothing. Default `unbounded`. */
  readonly policy?: TolerationsPolicy;
  /** Pods worked on at a time. Default 4. */
  readonly workers?: number;
  readonly clock?: Clock;
}

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly tolerations?: unknown };
}

const PODS = 'pods/';
/** A refusal that stays a refusal is not tried for ever; the next change of the pod tries again. */
const MAX_FAILURES = 12;
/** In canonical JSON a pod with a default toleration has this text; most pods have not, and cost no parsing. */
const HINT = Buffer.from('"tolerationSeconds":300');

/**
 * Lets pods stay on edge nodes that are away: see {@link unboundedTolerations}. Without it Kubernetes deletes them
 * 5 minutes after a node was cut off, and a node that comes back after a week has nothing to run.
 *
 * Steps for each pod that is bound to an edge node, when it or the policy of its node changes:
 * 1. its node's policy is `keep`: nothing;
 * 2. what the hub holds of it has no default toleration: nothing;
 * 3. the pod is patched on top of the version that passed by just now; where there is none, or a later one, on top of
 *    the live one, which is read; a Conflict then comes again later.
 *
 * Several replicas may do the same: the second one finds nothing to do. A policy that is changed to `keep` does not
 * bound again what was unbounded before.
 * To be started before the caches of the view are, so that it hears of every pod.
 */
export class TolerationsController {
  readonly #options: TolerationsControllerOptions;
  readonly #log: Logger;
  readonly #pods: ResourceClient<Pod>;
  readonly #queue: Controller;
  readonly #patched: Counter;
  /** Nodes whose pods are kept as they are. */
  readonly #keeping = new Set<string>();
  #stopListening: (() => void)[] | undefined;

  constructor(options: TolerationsControllerOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: 'tolerations' });
    this.#pods = new ResourceClient<Pod>(options.client, RESOURCES.pods);
    this.#patched = new Counter({
      name: 'hawser_tolerations_unbounded_total',
      help: 'Pods whose default tolerations were made unbounded.',
      registers: [options.registry],
    });
    this.#queue = new Controller({
      name: 'tolerations',
      workers: options.workers ?? 4,
      maxFailures: MAX_FAILURES,
      reconcile: (key, signal) => this.#reconcile(key, signal),
      onError: (error, key, dropped) => this.#onError(error, key, dropped),
      metrics: workqueueMetrics(options.registry),
      clock: options.clock ?? systemClock,
    });
  }

  /** Begins to listen and to work. Idempotent. */
  start(): void {
    const { view } = this.#options;
    this.#stopListening ??= [
      view.onPod((namespace, name) => this.#queue.enqueue(`${namespace}/${name}`)),
      view.onNode((name) => this.#onNode(name)),
    ];
    this.#queue.start();
  }

  /** Resolves when nothing is under way. Idempotent. */
  async stop(): Promise<void> {
    for (const stopListening of this.#stopListening ?? []) stopListening();
    this.#stopListening = [];
    await this.#queue.stop();
  }

  /** A Node that is not to be kept as it is any more: its pods are looked at again. */
  #onNode(name: string): void {
    const { view } = this.#options;
    const node = view.node(name);
    if (node !== undefined && this.#policyOf(node) === 'keep') {
      this.#keeping.add(name);
      return;
    }
    if (!this.#keeping.delete(name) || node === undefined) return;
    for (const [key] of view.nodeView(name).hashes()) {
      if (key.startsWith(PODS)) this.#queue.enqueue(key.slice(PODS.length));
    }
  }

  #policyOf(node: NodeFacts | undefined): TolerationsPolicy {
    return policyOf(node, this.#options.policy);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { view } = this.#options;
    const [namespace = '', name = ''] = key.split('/');
    const facts = view.pod(namespace, name);
    if (facts === undefined || facts.deleting) return;
    if (this.#policyOf(view.node(facts.nodeName)) === 'keep') {
      this.#keeping.add(facts.nodeName); // its Node may be seen later, and say otherwise
      return;
    }
    const held = view.nodeView(facts.nodeName).get(`${PODS}${key}`);
    if (held !== undefined && !mayHaveDefaults(held.bytes)) return;
    try {
      await this.#patch(namespace, name, facts.uid, signal);
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.code !== 404) throw error;
    }
  }

  async #patch(namespace: string, name: string, uid: string, signal: AbortSignal): Promise<void> {
    const recent: Pod | undefined = this.#options.view.recentPod(namespace, name);
    if (recent !== undefined) {
      try {
        await this.#patchUpon(recent, uid, signal);
        return;
      } catch (error) {
        if (!(error instanceof StatusError) || error.status.code !== 409) throw error;
      }
    }
    await this.#patchUpon(await this.#pods.get(namespace, name, { signal }), uid, signal);
  }

  async #patchUpon(pod: Pod, uid: string, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '' } = pod.metadata;
    if (pod.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined) return;
    const tolerations = unboundedTolerations(pod.spec?.tolerations);
    if (tolerations === undefined) return;
    const body = { metadata: { resourceVersion: pod.metadata.resourceVersion }, spec: { tolerations } };
    await this.#pods.patch(namespace, name, 'merge', body, { signal });
    this.#patched.inc();
    this.#log.debug({ pod: `${namespace}/${name}`, uid, node: pod.spec?.nodeName }, 'pod may stay');
  }

  #onError(error: Error, key: string, dropped: boolean): void {
    const conflict = error instanceof StatusError && error.status.code === 409;
    this.#log[conflict ? 'debug' : 'warn'](
      { pod: key, err: error, dropped },
      'the tolerations of a pod were not changed',
    );
  }
}

/** Whether canonical JSON of a pod has a default toleration, so far as can be told without a call. */
function mayHaveDefaults(bytes: Uint8Array): boolean {
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(HINT)) return false;
  const pod: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const spec = isPlainObject(pod) ? pod['spec'] : undefined;
  return isPlainObject(spec) && unboundedTolerations(spec['tolerations']) !== undefined;
}
