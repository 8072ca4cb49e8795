import { formatTime, ResourceClient, type Controller, type Informer } from '@hawser/kube';
import { isPodTerminal, withCondition, type Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import { PODS_BY_NODE } from './pods-by-node.ts';

const NAME = 'pod-garbage-collector';
const QUARANTINE_MS = 40_000;
/** Ended pods that are kept for a look. Source: kube-controller-manager --terminated-pod-gc-threshold. */
const LIMIT_TERMINATED = 12_500;
const TERMINATED = 'terminated pods';

/** Settings of {@link PodCleanupController}. */
export interface PodCleanupOptions {
  /** How long a node must be gone before its pods go, in milliseconds. Default 40 s. */
  readonly quarantineMs?: number;
}

/**
 * Removes pods that nobody else will: those of nodes that do not exist (any more), once that has lasted a while; and
 * the oldest of ended pods, when there are very many.
 * Source: kubernetes pkg/controller/podgc.
 */
export class PodCleanupController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #quarantineMs: number;
  readonly #nodes: Informer;
  readonly #pods: Informer;
  readonly #client: ResourceClient<Pod>;
  readonly #queue: Controller;
  /** Since when (monotonic) a node that pods name has been missing. */
  readonly #missing = new Map<string, number>();

  constructor(context: ControllerContext, options: PodCleanupOptions = {}) {
    this.#context = context;
    this.#quarantineMs = options.quarantineMs ?? QUARANTINE_MS;
    this.#nodes = context.informers.informer(API.nodes);
    this.#pods = context.informers.informer(API.pods);
    this.#client = new ResourceClient(context.client, API.pods);
    this.#queue = controlQueue(context, {
      name: NAME,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
  }

  start(): void {
    this.#pods.addHandler((old, current) => {
      const { nodeName = '' } = ((current ?? old)?.value as Pod).spec;
      if (nodeName !== '' && this.#nodes.lister.byKey(nodeName) === undefined) this.#queue.enqueue(nodeName);
      if (current !== undefined && this.#pods.lister.size > LIMIT_TERMINATED) this.#queue.enqueue(TERMINATED);
    });
    this.#nodes.addHandler((_old, current) => {
      if (current === undefined) this.#queue.enqueue(_old?.name ?? '');
      else this.#missing.delete(current.name);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #reconcile(nodeName: string, signal: AbortSignal): Promise<void> {
    if (nodeName === TERMINATED) {
      await this.#removeTerminated(signal);
      return;
    }
    const pods = this.#pods.lister.byIndex(PODS_BY_NODE, nodeName);
    if (this.#nodes.lister.byKey(nodeName) !== undefined || pods.length === 0) {
      this.#missing.delete(nodeName);
      return;
    }
    const nowMs = this.#context.clock.monotonicMs();
    const sinceMs = this.#missing.get(nodeName) ?? nowMs;
    this.#missing.set(nodeName, sinceMs);
    const waitMs = sinceMs + this.#quarantineMs - nowMs;
    if (waitMs > 0) {
      this.#queue.enqueueAfter(nodeName, waitMs);
      return;
    }
    for (const { value } of pods) await this.#remove(value as Pod, signal);
  }

  async #remove(pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    if (!isPodTerminal(pod)) {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
        lastTransitionTime: formatTime(this.#context.clock.wallMs()),
      };
      const status = { phase: 'Failed', conditions: withCondition(pod.status?.conditions, condition) };
      const options = { subresource: 'status', signal };
      await unlessGone(
        this.#client.patch(namespace, name, 'strategic', { metadata: { uid }, status }, options),
      );
    }
    const preconditions = uid === undefined ? {} : { uid };
    await unlessGone(this.#client.delete(namespace, name, { gracePeriodSeconds: 0, preconditions, signal }));
  }

  async #removeTerminated(signal: AbortSignal): Promise<void> {
    const createdMs = (pod: Pod): number => Date.parse(pod.metadata.creationTimestamp ?? '');
    const ended = this.#pods.lister
      .list()
      .map(({ value }) => value as Pod)
      .filter((pod) => isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined)
      .sort((a, b) => createdMs(a) - createdMs(b));
    for (const pod of ended.slice(0, Math.max(0, ended.length - LIMIT_TERMINATED)))
      await this.#remove(pod, signal);
  }
}
