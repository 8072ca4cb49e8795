import { jsonEqual, ResourceClient, splitCacheKey, type Controller, type Informer } from '@hawser/kube';
import type { Node } from '../api/node.ts';
import { availableInMs, type Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import type { ControllerRevision, DaemonSet } from '../api/workloads.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import { cleanUpHistory, presentRevision } from './daemon-set-history.ts';
import {
  affinityToNode,
  daemonStatus,
  daemonTolerations,
  planDaemons,
  planUpdate,
  REVISION_LABEL,
  targetNode,
} from './daemon-set-plan.ts';
import { Dependents } from './dependents.ts';
import { podFromTemplate } from './new-pod.ts';
import { OwnWrites } from './own-writes.ts';
import { slowStart } from './slow-start.ts';

const NAME = 'daemonset-controller';
const WORKERS = 2;
const LOOK_AGAIN_MS = 100;
const FAILED_BASE_MS = 1000;
const FAILED_CAP_MS = 15 * 60_000;
/** Pods that one pass may create or delete. */
const BURST = 250;

interface Pass {
  readonly key: string;
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly revision: string;
  readonly signal: AbortSignal;
}

/**
 * Keeps one pod of each DaemonSet on every node that should have one:
 * 1. waits until the cache shows its own earlier writes;
 * 2. writes the template down as a ControllerRevision;
 * 3. adopts and releases pods;
 * 4. creates pods for nodes without one, deletes failed, surplus and misplaced ones;
 * 5. rolls the template out;
 * 6. writes the status.
 *
 * Source: kubernetes pkg/controller/daemon.
 */
export class DaemonSetController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #sets: Informer;
  readonly #pods: Informer;
  readonly #nodes: Informer;
  readonly #revisions: Informer;
  readonly #setClient: ResourceClient<DaemonSet>;
  readonly #podClient: ResourceClient<Pod>;
  readonly #revisionClient: ResourceClient<ControllerRevision>;
  readonly #writes: OwnWrites;
  readonly #queue: Controller;
  readonly #owned: Dependents<DaemonSet, Pod>;
  /** Failures by set and node, and when its pod may be made again. */
  readonly #failures = new Map<string, { readonly count: number; readonly untilMs: number }>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#sets = context.informers.informer(API.daemonsets);
    this.#pods = context.informers.informer(API.pods);
    this.#nodes = context.informers.informer(API.nodes);
    this.#revisions = context.informers.informer(API.controllerrevisions);
    this.#setClient = new ResourceClient(context.client, API.daemonsets);
    this.#podClient = new ResourceClient(context.client, API.pods);
    this.#revisionClient = new ResourceClient(context.client, API.controllerrevisions);
    this.#writes = new OwnWrites(this.#pods);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#owned = new Dependents({
      kind: 'DaemonSet',
      owners: this.#sets,
      ownerClient: this.#setClient,
      dependents: this.#pods,
      dependentClient: this.#podClient,
      queue: this.#queue,
    });
  }

  start(): void {
    this.#sets.addHandler((old, current) => {
      const entry = current ?? old;
      if (entry !== undefined) this.#queue.enqueue(entry.key);
    });
    this.#pods.addHandler((old, current) => {
      this.#owned.noticed(old?.value);
      this.#owned.noticed(current?.value);
    });
    this.#nodes.addHandler((old, current) => {
      if (old !== undefined && current !== undefined && sameForDaemons(old.value, current.value)) return;
      for (const { key } of this.#sets.lister.list()) this.#queue.enqueue(key);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const set = this.#sets.lister.byKey(key)?.value as DaemonSet | undefined;
    if (set === undefined) {
      this.#writes.forget(key);
      for (const id of this.#failures.keys()) if (id.startsWith(`${key} `)) this.#failures.delete(id);
      return;
    }
    if (!this.#writes.areSeen(key)) {
      this.#queue.enqueueAfter(key, LOOK_AGAIN_MS);
      return;
    }
    if (set.metadata.deletionTimestamp !== undefined) return;
    const { namespace } = splitCacheKey(key);
    const history = { set, client: this.#revisionClient, signal };
    const revisions = this.#revisions.lister.list({ namespace }).map(({ value }) => value);
    const revision = await presentRevision(revisions, history);
    const pods = await this.#owned.claim(set, signal);
    const nodes = this.#nodes.lister.list().map(({ value }) => value as Node);
    const pass: Pass = { key, set, nodes, revision, signal };
    try {
      const settled = await this.#place(pass, pods);
      if (settled) await this.#update(pass, pods);
    } finally {
      await this.#writeStatus(pass, pods);
    }
    this.#awaitAvailability(pass, pods);
    const used = new Set([revision, ...pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL] ?? '')]);
    await cleanUpHistory(revisions, used, history);
  }

  /** Returns whether there was nothing to do. */
  async #place(pass: Pass, pods: readonly Pod[]): Promise<boolean> {
    const { set, nodes, revision } = pass;
    const plan = planDaemons(set, nodes, pods, revision, this.#context.clock.wallMs());
    for (const pod of plan.failed) this.#noteFailure(pass, pod);
    const create = plan.create.filter((node) => this.#mayCreate(pass, node));
    await this.#carryOut(pass, create, plan.remove);
    return create.length === 0 && plan.remove.length === 0;
  }

  async #update(pass: Pass, pods: readonly Pod[]): Promise<void> {
    const { set, nodes, revision } = pass;
    const plan = planUpdate(set, nodes, pods, revision, this.#context.clock.wallMs());
    await this.#carryOut(pass, plan.create, plan.remove);
  }

  async #carryOut(pass: Pass, nodes: readonly string[], remove: readonly Pod[]): Promise<void> {
    const { key, set, revision, signal } = pass;
    const { template } = set.spec;
    const doomed = remove.slice(0, BURST);
    const results = await Promise.allSettled([
      slowStart(Math.min(nodes.length, BURST), async (index) => {
        const nodeName = nodes[index] ?? '';
        const pod = podFromTemplate(set, template, { [REVISION_LABEL]: revision });
        const spec = {
          ...pod.spec,
          affinity: affinityToNode(pod.spec, nodeName),
          tolerations: daemonTolerations(pod.spec),
        };
        const created = await this.#podClient.create({ ...pod, spec }, { signal });
        this.#writes.wrote(key, created);
        this.#note(set, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name ?? ''}`);
      }),
      slowStart(doomed.length, async (index) => {
        const pod = doomed[index];
        if (pod === undefined) return;
        const { namespace = '', name = '', uid = '' } = pod.metadata;
        await unlessGone(this.#podClient.delete(namespace, name, { preconditions: { uid }, signal }));
        this.#writes.deleted(key, pod);
        this.#note(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      }),
    ]);
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return;
    signal.throwIfAborted();
    this.#note(set, 'Warning', 'FailedCreate', `Error: ${(failure.reason as Error).message}`);
    throw failure.reason;
  }

  #note(set: DaemonSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.events.record(set, NAME, { type, reason, message });
  }

  /** A pod that fails at once on its node must not be replaced at once, for ever. */
  #noteFailure({ key, set }: Pass, pod: Pod): void {
    const node = targetNode(pod) ?? '';
    const id = `${key} ${node}`;
    const nowMs = this.#context.clock.monotonicMs();
    const known = this.#failures.get(id);
    const recent = known !== undefined && nowMs - known.untilMs < 2 * FAILED_CAP_MS;
    const count = recent ? known.count + 1 : 1;
    const untilMs = nowMs + Math.min(FAILED_CAP_MS, FAILED_BASE_MS * 2 ** Math.min(count - 1, 20));
    this.#failures.set(id, { count, untilMs });
    const message = `Found failed daemon pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''} on node ${node}, will try to kill it`;
    this.#note(set, 'Warning', 'FailedDaemonPod', message);
  }

  #mayCreate({ key }: Pass, node: string): boolean {
    const known = this.#failures.get(`${key} ${node}`);
    const waitMs = (known?.untilMs ?? 0) - this.#context.clock.monotonicMs();
    if (waitMs <= 0) return true;
    this.#queue.enqueueAfter(key, waitMs);
    return false;
  }

  async #writeStatus({ set, nodes, revision, signal }: Pass, pods: readonly Pod[]): Promise<void> {
    const status = daemonStatus(set, nodes, pods, revision, this.#context.clock.wallMs());
    const zeros = {
      observedGeneration: 0,
      updatedNumberScheduled: 0,
      numberAvailable: 0,
      numberUnavailable: 0,
    };
    if (set.status !== undefined && jsonEqual({ ...zeros, ...set.status }, { ...zeros, ...status })) return;
    await unlessGone(this.#setClient.update({ ...set, status }, { subresource: 'status', signal }));
  }

  /** Availability comes with time, and no event tells of it. */
  #awaitAvailability({ key, set }: Pass, pods: readonly Pod[]): void {
    const { minReadySeconds = 0 } = set.spec;
    if (minReadySeconds === 0) return;
    const nowMs = this.#context.clock.wallMs();
    for (const pod of pods) {
      const waitMs = availableInMs(pod, minReadySeconds, nowMs);
      if (waitMs !== undefined && waitMs > 0) this.#queue.enqueueAfter(key, waitMs);
    }
  }
}

function sameForDaemons(old: Node, node: Node): boolean {
  return (
    jsonEqual(old.metadata.labels, node.metadata.labels) && jsonEqual(old.spec?.taints, node.spec?.taints)
  );
}
