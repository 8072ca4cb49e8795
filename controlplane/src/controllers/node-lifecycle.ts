import { formatTime, ResourceClient, type Controller, type Informer } from '@hawser/kube';
import { NODE_TAINTS, type Node } from '../api/node.ts';
import { conditionOf, withCondition, type Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import { EvictionGate } from './eviction-gate.ts';
import {
  isNodeReady,
  observed,
  signOfLife,
  silentConditions,
  silentInMs,
  wantedTaints,
  type NodeHealth,
  type NodeHealthTimes,
} from './node-health.ts';
import { PODS_BY_NODE } from './pods-by-node.ts';

const NAME = 'node-controller';
const WORKERS = 4;
const LEASES_NAMESPACE = 'kube-node-lease';
const CLOSED_GATE_AGAIN_MS = 1000;

/** Settings of {@link NodeLifecycleController}. */
export interface NodeLifecycleOptions extends Partial<NodeHealthTimes> {
  /** Nodes that may begin to lose their pods, per second. Default 0.1, as kube-controller-manager. */
  readonly evictionsPerSecond?: number;
}

/**
 * Watches over nodes by their leases and Ready conditions:
 * 1. silent for longer than the grace: its conditions become Unknown;
 * 2. not ready or silent: taints that keep pods away, and, slowly and only while some node is ready, taints that make
 *    its pods go; well again: none of these;
 * 3. silent: its pods are not ready any more.
 *
 * When no node at all is ready the trouble is more likely here than there, and nobody is evicted.
 * Source: kubernetes pkg/controller/nodelifecycle.
 */
export class NodeLifecycleController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #times: NodeHealthTimes;
  readonly #gate: EvictionGate;
  readonly #nodes: Informer;
  readonly #leases: Informer;
  readonly #pods: Informer;
  readonly #nodeClient: ResourceClient<Node>;
  readonly #podClient: ResourceClient<Pod>;
  readonly #queue: Controller;
  readonly #health = new Map<string, NodeHealth>();

  constructor(context: ControllerContext, options: NodeLifecycleOptions = {}) {
    this.#context = context;
    this.#times = { graceMs: options.graceMs ?? 40_000, startupGraceMs: options.startupGraceMs ?? 60_000 };
    this.#gate = new EvictionGate(options.evictionsPerSecond ?? 0.1);
    this.#nodes = context.informers.informer(API.nodes);
    this.#leases = context.informers.informer(API.leases, { namespace: LEASES_NAMESPACE });
    this.#pods = context.informers.informer(API.pods);
    this.#nodeClient = new ResourceClient(context.client, API.nodes);
    this.#podClient = new ResourceClient(context.client, API.pods);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
  }

  start(): void {
    this.#nodes.addHandler((old, current) => {
      if (current === undefined || (old !== undefined && old.uid !== current.uid))
        this.#health.delete(old?.key ?? '');
      if (current === undefined) return;
      const before = old?.value as Node | undefined;
      this.#queue.enqueue(current.key);
      // Whether any node is ready decides for all.
      if (before !== undefined && isNodeReady(before) !== isNodeReady(current.value)) this.#enqueueAll();
    });
    this.#leases.addHandler((_old, current) => {
      if (current !== undefined) this.#queue.enqueue(current.name);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  #enqueueAll(): void {
    for (const { key } of this.#nodes.lister.list()) this.#queue.enqueue(key);
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<void> {
    const node = this.#nodes.lister.byKey(name)?.value as Node | undefined;
    if (node === undefined) return;
    const nowMs = this.#context.clock.monotonicMs();
    const health = observed(this.#health.get(name), signOfLife(node, this.#renewTime(name)), nowMs);
    this.#health.set(name, health);
    const silentMs = silentInMs(node, health, this.#times, nowMs);
    if (silentMs > 0) this.#queue.enqueueAfter(name, silentMs);
    const now = formatTime(this.#context.clock.wallMs());
    const conditions = silentMs === 0 ? silentConditions(node, now) : undefined;
    if (conditions !== undefined) {
      const status = { ...node.status, conditions };
      await unlessGone(this.#nodeClient.update({ ...node, status }, { subresource: 'status', signal }));
      this.#note(node, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
      return; // the change comes back, and is treated then
    }
    await this.#taint(name, node, now, nowMs, signal);
    if (conditionOf(node, 'Ready')?.status === 'Unknown') await this.#markPodsNotReady(name, now, signal);
  }

  #renewTime(name: string): string | undefined {
    const spec = this.#leases.lister.get(LEASES_NAMESPACE, name)?.value['spec'] as
      { readonly renewTime?: string } | undefined; // a Lease
    return spec?.renewTime;
  }

  async #taint(name: string, node: Node, now: string, nowMs: number, signal: AbortSignal): Promise<void> {
    const ready = isNodeReady(node);
    const key =
      conditionOf(node, 'Ready')?.status === 'False' ? NODE_TAINTS.notReady : NODE_TAINTS.unreachable;
    const evicting = (node.spec?.taints ?? []).some(
      (taint) => taint.key === key && taint.effect === 'NoExecute',
    );
    let mayEvict = !ready && this.#anyReady();
    if (mayEvict && !evicting && !this.#gate.pass(nowMs)) {
      mayEvict = false;
      this.#queue.enqueueAfter(name, CLOSED_GATE_AGAIN_MS);
    }
    const taints = wantedTaints(node, mayEvict, now);
    if (taints === undefined) return;
    const body = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } };
    await unlessGone(this.#nodeClient.patch('', name, 'merge', body, { signal }));
  }

  #anyReady(): boolean {
    return this.#nodes.lister.list().some(({ value }) => isNodeReady(value));
  }

  /** Source: kubernetes controller util/node MarkPodsNotReady. */
  async #markPodsNotReady(name: string, now: string, signal: AbortSignal): Promise<void> {
    for (const { value } of this.#pods.lister.byIndex(PODS_BY_NODE, name)) {
      const pod = value as Pod;
      const ready = conditionOf(pod, 'Ready');
      if (ready?.status !== 'True') continue;
      const condition = { ...ready, status: 'False', lastTransitionTime: now };
      const { namespace = '', name: podName = '', uid } = pod.metadata;
      const body = {
        metadata: { uid },
        status: { conditions: withCondition(pod.status?.conditions, condition) },
      };
      const options = { subresource: 'status', signal };
      await unlessGone(this.#podClient.patch(namespace, podName, 'strategic', body, options));
      this.#context.events.record(pod, NAME, {
        type: 'Warning',
        reason: 'NodeNotReady',
        message: 'Node is not ready',
      });
    }
  }

  #note(node: Node, reason: string, message: string): void {
    this.#context.events.record(node, NAME, { type: 'Normal', reason, message });
  }
}
