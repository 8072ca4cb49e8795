import { formatTime, jsonEqual, ResourceClient, type Controller, type Informer } from '@hawser/kube';
import { availableInMs, isPodActive, type Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../api/workloads.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import { Dependents } from './dependents.ts';
import { podFromTemplate } from './new-pod.ts';
import { asError } from './as-error.ts';
import { OwnWrites } from './own-writes.ts';
import { planReplicas, replicaSetStatus, type ReplicaFailure } from './replica-set-plan.ts';
import { slowStart } from './slow-start.ts';

const NAME = 'replicaset-controller';
const WORKERS = 5;
const LOOK_AGAIN_MS = 100;

/**
 * Keeps as many pods as each ReplicaSet asks for:
 * 1. waits until the cache shows its own earlier writes;
 * 2. adopts pods that fit and are nobody's, releases those that do not fit any more;
 * 3. creates what is missing, in growing batches, or deletes the least valuable;
 * 4. writes the status, whatever came of 3.
 *
 * Source: kubernetes pkg/controller/replicaset.
 */
export class ReplicaSetController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #sets: Informer;
  readonly #pods: Informer;
  readonly #setClient: ResourceClient<ReplicaSet>;
  readonly #podClient: ResourceClient<Pod>;
  readonly #writes: OwnWrites;
  readonly #queue: Controller;
  readonly #owned: Dependents<ReplicaSet, Pod>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#sets = context.informers.informer(API.replicasets);
    this.#pods = context.informers.informer(API.pods);
    this.#setClient = new ResourceClient(context.client, API.replicasets);
    this.#podClient = new ResourceClient(context.client, API.pods);
    this.#writes = new OwnWrites(this.#pods);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#owned = new Dependents({
      kind: 'ReplicaSet',
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
      if (current?.value !== old?.value) this.#owned.noticed(current?.value);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const set = this.#sets.lister.byKey(key)?.value as ReplicaSet | undefined;
    if (set === undefined) {
      this.#writes.forget(key);
      return;
    }
    if (!this.#writes.areSeen(key)) {
      this.#queue.enqueueAfter(key, LOOK_AGAIN_MS);
      return;
    }
    let pods = await this.#owned.claim(set, signal);
    let failure: ReplicaFailure | undefined;
    let problem: Error | undefined;
    if (set.metadata.deletionTimestamp === undefined) {
      try {
        pods = await this.#manage(key, set, pods, signal);
      } catch (error) {
        signal.throwIfAborted();
        problem = asError(error);
        const tooFew = pods.filter(isPodActive).length < set.spec.replicas;
        failure = { reason: tooFew ? 'FailedCreate' : 'FailedDelete', message: problem.message };
        this.#context.events.record(set, NAME, { type: 'Warning', ...failure });
      }
    }
    await this.#writeStatus(set, pods, failure, signal);
    this.#awaitAvailability(key, set, pods);
    if (problem !== undefined) throw problem;
  }

  /** Returns the pods as they are afterwards. */
  async #manage(key: string, set: ReplicaSet, pods: readonly Pod[], signal: AbortSignal): Promise<Pod[]> {
    const { create, remove } = planReplicas(set, pods);
    const created: Pod[] = [];
    await slowStart(create, async () => {
      const pod = await this.#podClient.create(podFromTemplate(set, set.spec.template), { signal });
      this.#writes.wrote(key, pod);
      created.push(pod);
      this.#note(set, 'SuccessfulCreate', `Created pod: ${pod.metadata.name ?? ''}`);
    });
    const removed = new Set<Pod>();
    await slowStart(remove.length, async (index) => {
      const pod = remove[index];
      if (pod === undefined) return;
      const { namespace = '', name = '', uid = '' } = pod.metadata;
      await unlessGone(this.#podClient.delete(namespace, name, { preconditions: { uid }, signal }));
      this.#writes.deleted(key, pod);
      removed.add(pod);
      this.#note(set, 'SuccessfulDelete', `Deleted pod: ${name}`);
    });
    return [...pods.filter((pod) => !removed.has(pod)), ...created];
  }

  #note(set: ReplicaSet, reason: string, message: string): void {
    this.#context.events.record(set, NAME, { type: 'Normal', reason, message });
  }

  async #writeStatus(
    set: ReplicaSet,
    pods: readonly Pod[],
    failure: ReplicaFailure | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const nowMs = this.#context.clock.wallMs();
    const status = replicaSetStatus(set, pods, failure, { nowMs, now: formatTime(nowMs) });
    if (sameStatus(set.status, status)) return;
    await unlessGone(this.#setClient.update({ ...set, status }, { subresource: 'status', signal }));
  }

  /** Availability comes with time, and no event tells of it. */
  #awaitAvailability(key: string, set: ReplicaSet, pods: readonly Pod[]): void {
    const { minReadySeconds = 0 } = set.spec;
    if (minReadySeconds === 0) return;
    const nowMs = this.#context.clock.wallMs();
    const waits = pods
      .filter(isPodActive)
      .map((pod) => availableInMs(pod, minReadySeconds, nowMs))
      .filter((ms) => ms !== undefined && ms > 0);
    if (waits.length > 0) this.#queue.enqueueAfter(key, Math.min(...(waits as number[])));
  }
}

/** Zeros are left out of stored statuses. */
function sameStatus(old: ReplicaSetStatus | undefined, status: ReplicaSetStatus): boolean {
  const zeros = { fullyLabeledReplicas: 0, readyReplicas: 0, availableReplicas: 0, observedGeneration: 0 };
  return jsonEqual({ replicas: 0, ...zeros, ...old }, { ...zeros, ...status });
}
