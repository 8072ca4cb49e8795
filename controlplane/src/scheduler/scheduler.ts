import {
  formatTime,
  ResourceClient,
  type CacheEntry,
  type Controller,
  type Informer,
  type KubeObject,
} from '@hawser/kube';
import type { Node } from '../api/node.ts';
import { conditionOf, isPodTerminal, withCondition, type Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import {
  controlQueue,
  hasReason,
  unlessGone,
  type ControllerContext,
  type ControlLoop,
} from '../controllers/context.ts';
import { decide } from './decision.ts';
import type { NodeState } from './filters.ts';
import { unsupportedConstraints } from './unsupported.ts';
import { PODS_BY_NODE } from '../controllers/pods-by-node.ts';

const NAME = 'default-scheduler';
const CYCLE = 'cycle';
const BACKOFF_BASE_MS = 1000;
const BACKOFF_CAP_MS = 10_000;
/** A pod that fits nowhere is tried again after this though nothing seems to have changed. */
const LOOK_AGAIN_MS = 5 * 60_000;

/** A pod that waits for a node. */
interface Waiting {
  readonly uid: string;
  attempts: number;
  /** Monotonic; not tried before. */
  dueMs: number;
  /** Whether it fits nowhere, and waits for a change. */
  parked: boolean;
}

/**
 * Gives pods without a node to nodes, one at a time, the most important and then the oldest first:
 * 1. takes the next pod that is due;
 * 2. asks each node whether it can take it, with all pods that are there or were given to it;
 * 3. binds it to the best; or says at the pod why there is none, and waits for nodes or pods to change.
 *
 * Source: kubernetes pkg/scheduler.
 */
export class Scheduler implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #pods: Informer;
  readonly #nodes: Informer;
  readonly #client: ResourceClient<Pod>;
  readonly #queue: Controller;
  readonly #waiting = new Map<string, Waiting>();
  /** Pods bound by us, by uid, until the cache shows it. */
  readonly #assumed = new Map<string, { readonly pod: Pod; readonly nodeName: string }>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#pods = context.informers.informer(API.pods);
    this.#nodes = context.informers.informer(API.nodes);
    this.#client = new ResourceClient(context.client, API.pods);
    this.#queue = controlQueue(context, { name: NAME, reconcile: (_key, signal) => this.#cycle(signal) });
  }

  start(): void {
    this.#pods.addHandler((old, current) => this.#onPod(old, current));
    this.#nodes.addHandler((old, current) => {
      if (current !== undefined && mayHelp(old?.value, current.value)) this.#wake();
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  #onPod(old: CacheEntry<KubeObject> | undefined, current: CacheEntry<KubeObject> | undefined): void {
    const pod = current?.value as Pod | undefined;
    if (old !== undefined && old.uid !== current?.uid) this.#assumed.delete(old.uid);
    if (pod?.spec.nodeName !== undefined) this.#assumed.delete(current?.uid ?? '');
    const key = (current ?? old)?.key ?? '';
    if (current !== undefined && pod !== undefined && wantsNode(pod) && !this.#assumed.has(current.uid)) {
      const known = this.#waiting.get(key);
      const changed = (old?.value as Pod | undefined)?.metadata.generation !== pod.metadata.generation;
      if (known?.uid !== current.uid || (known.parked && changed)) {
        this.#waiting.set(key, { uid: current.uid, attempts: 0, dueMs: 0, parked: false });
        this.#queue.enqueue(CYCLE);
      }
    } else {
      this.#waiting.delete(key);
    }
    const before = old?.value as Pod | undefined;
    const freed =
      before?.spec.nodeName !== undefined &&
      (pod === undefined || (isPodTerminal(pod) && !isPodTerminal(before)));
    if (freed) this.#wake();
  }

  /** Something changed for the better: whoever fits nowhere is tried again, after its back-off. */
  #wake(): void {
    const nowMs = this.#context.clock.monotonicMs();
    let any = false;
    for (const waiting of this.#waiting.values()) {
      if (!waiting.parked) continue;
      waiting.parked = false;
      waiting.dueMs = Math.max(nowMs, waiting.dueMs);
      any = true;
    }
    if (any) this.#queue.enqueue(CYCLE);
  }

  /** One pod; then comes again at once, or when the next is due. */
  async #cycle(signal: AbortSignal): Promise<void> {
    const nowMs = this.#context.clock.monotonicMs();
    const next = this.#next(nowMs);
    if (next === undefined) {
      const dueMs = Math.min(...[...this.#waiting.values()].map((waiting) => this.#dueMs(waiting)));
      if (dueMs !== Infinity) this.#queue.enqueueAfter(CYCLE, Math.max(1, dueMs - nowMs));
      return;
    }
    this.#queue.enqueue(CYCLE);
    const [key, waiting, pod] = next;
    waiting.attempts += 1;
    try {
      await this.#schedule(key, waiting, pod, signal);
    } catch (error) {
      waiting.dueMs = this.#context.clock.monotonicMs() + backoffMs(waiting.attempts);
      throw error;
    }
  }

  #dueMs({ parked, dueMs }: Waiting): number {
    return parked ? dueMs + LOOK_AGAIN_MS : dueMs;
  }

  #next(nowMs: number): readonly [string, Waiting, Pod] | undefined {
    let best: readonly [string, Waiting, Pod] | undefined;
    for (const [key, waiting] of this.#waiting) {
      if (this.#dueMs(waiting) > nowMs) continue;
      const entry = this.#pods.lister.byKey(key);
      if (entry?.uid !== waiting.uid) continue; // the cache is about to tell
      const candidate = [key, waiting, entry.value as Pod] as const;
      if (best === undefined || goesBefore(candidate[2], best[2])) best = candidate;
    }
    return best;
  }

  async #schedule(key: string, waiting: Waiting, pod: Pod, signal: AbortSignal): Promise<void> {
    const decision = decide(pod, this.#nodeStates(), this.#context.random);
    if (decision.nodeName === undefined) {
      waiting.parked = true;
      waiting.dueMs = this.#context.clock.monotonicMs() + backoffMs(waiting.attempts);
      await this.#sayUnschedulable(pod, decision.message, signal);
      return;
    }
    await this.#bind(key, pod, decision.nodeName, signal);
  }

  #nodeStates(): NodeState[] {
    const assumed = new Map<string, Pod[]>();
    for (const { pod, nodeName } of this.#assumed.values()) {
      assumed.set(nodeName, [...(assumed.get(nodeName) ?? []), pod]);
    }
    return this.#nodes.lister.list().map(({ name, value }) => ({
      node: value,
      pods: [
        ...this.#pods.lister
          .byIndex(PODS_BY_NODE, name)
          .map((entry) => entry.value as Pod)
          .filter((pod) => !isPodTerminal(pod)),
        ...(assumed.get(name) ?? []),
      ],
    }));
  }

  async #bind(key: string, pod: Pod, nodeName: string, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '', uid = '' } = pod.metadata;
    this.#assumed.set(uid, { pod, nodeName });
    this.#waiting.delete(key);
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target };
    try {
      await this.#client.create(binding, { subresource: 'binding', signal });
    } catch (error) {
      this.#assumed.delete(uid);
      // Gone, ending, or another's: its event tells, or has told.
      if (hasReason(error, 'NotFound', 'Conflict')) return;
      this.#waiting.set(key, { uid, attempts: 1, dueMs: 0, parked: false });
      throw error;
    }
    const ignored = unsupportedConstraints(pod);
    if (ignored.length > 0) {
      const what = `Not looked at by this scheduler: ${ignored.join(', ')}`;
      this.#context.events.record(pod, NAME, {
        type: 'Warning',
        reason: 'UnsupportedConstraint',
        message: what,
      });
    }
    const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
    this.#context.events.record(pod, NAME, { type: 'Normal', reason: 'Scheduled', message });
  }

  async #sayUnschedulable(pod: Pod, message: string, signal: AbortSignal): Promise<void> {
    this.#context.events.record(pod, NAME, { type: 'Warning', reason: 'FailedScheduling', message });
    const old = conditionOf(pod, 'PodScheduled');
    if (old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message) return;
    const now = formatTime(this.#context.clock.wallMs());
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: old?.status === 'False' ? (old.lastTransitionTime ?? now) : now,
    };
    const { namespace = '', name = '', uid } = pod.metadata;
    const body = {
      metadata: { uid },
      status: { conditions: withCondition(pod.status?.conditions, condition) },
    };
    const options = { subresource: 'status', signal };
    await unlessGone(this.#client.patch(namespace, name, 'strategic', body, options));
  }
}

function wantsNode(pod: Pod): boolean {
  const { nodeName = '', schedulerName = NAME, schedulingGates = [] } = pod.spec;
  if (nodeName !== '' || schedulerName !== NAME || schedulingGates.length > 0) return false;
  return pod.metadata.deletionTimestamp === undefined && !isPodTerminal(pod);
}

function goesBefore(pod: Pod, other: Pod): boolean {
  const difference = (pod.spec.priority ?? 0) - (other.spec.priority ?? 0);
  if (difference !== 0) return difference > 0;
  return (pod.metadata.creationTimestamp ?? '') < (other.metadata.creationTimestamp ?? '');
}

function backoffMs(attempts: number): number {
  return Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempts - 1));
}

/** Whether a change of a node can make room. Heartbeats cannot. */
function mayHelp(old: Node | undefined, node: Node): boolean {
  if (old === undefined) return true;
  return (
    JSON.stringify([old.spec, old.metadata.labels, old.status?.allocatable]) !==
    JSON.stringify([node.spec, node.metadata.labels, node.status?.allocatable])
  );
}
