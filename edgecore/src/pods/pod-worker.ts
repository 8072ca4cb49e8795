import { Backoff, deferred, type Clock, type Logger, type Timer } from '@hawser/seams';
import type { PodRuntime, RuntimePod } from '../runtime/pod-runtime.ts';
import { hasFinished, planEnd, planRun, type PodPlan } from './pod-actions.ts';
import { podName, type Pod } from './pod.ts';
import { podStatus, type PodStatus } from './pod-status.ts';
import type { PodStatuses } from './pod-statuses.ts';

/** What a worker tells the cloud. */
export interface PodReports {
  /** The latest status counts. */
  status(pod: Pod, status: PodStatus): void;
  /** Nothing of a pod that was to be deleted is left here. */
  gone(pod: Pod): void;
  /** Something went wrong with a pod that its owner should know. */
  warning(pod: Pod, reason: string, message: string): void;
}

/** What a {@link PodWorker} needs. */
export interface PodWorkerOptions {
  readonly uid: string;
  /** The pod as the store has it now; undefined: not there any more. */
  readonly desired: () => Pod | undefined;
  /** Resolves when the pod whose name this one took over has ended. */
  readonly after?: Promise<void>;
  readonly runtime: PodRuntime;
  readonly statuses: PodStatuses;
  readonly reports: PodReports;
  /** Nothing of the pod is left here nor in the store: the worker has done its work. */
  readonly onDone: () => void;
  readonly hostIps: () => readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where a worker is with its pod. */
export type PodWorkerPhase = 'sync' | 'terminating' | 'terminated';

/** Bounds of the wait after something failed, milliseconds. */
const RETRY_MS = { base: 1_000, cap: 60_000 } as const;
/** Rounds of looking and acting before a worker gives others a turn: no plan needs as many. */
const MAX_ROUNDS = 64;

/**
 * Brings one pod, by its UID, to what the store says. Never two for one UID. Steps of a round:
 * 1. read the pod from the store's view, and what of it is in the runtime;
 * 2. make its status; where it is another one, keep it, then report it;
 * 3. compute what to do (`planRun`, `planEnd`), do it, and look again;
 * 4. nothing to do: wait for {@link wake}, or for the moment that the plan names.
 * What failed is tried again with back-off. Waking it too often costs time, forgetting to wake it is made good by the
 * slow re-list of `PodManager`.
 */
export class PodWorker {
  readonly #options: PodWorkerOptions;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #ended = deferred();
  #last: Pod | undefined;
  #phase: PodWorkerPhase = 'sync';
  #dirty = false;
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  #hasReported = false;
  #hasSaidGone = false;

  constructor(options: PodWorkerOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ baseMs: RETRY_MS.base, capMs: RETRY_MS.cap });
  }

  get phase(): PodWorkerPhase {
    return this.#phase;
  }

  /** Resolves once nothing of the pod is left in the runtime, or the worker was stopped. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Says again what it has said: the cloud asked. */
  repeat(): void {
    this.#hasReported = false;
    this.#hasSaidGone = false;
    this.wake();
  }

  /** Looks at the pod, soon. */
  wake(): void {
    this.#dirty = true;
    if (this.#stopping.signal.aborted) return;
    this.#running ??= this.#run();
  }

  /** Stops after what is under way; the pod stays as it is. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the edge is stopping'));
    this.#timer?.cancel();
    this.#ended.resolve();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      await this.#options.after;
      for (let round = 0; this.#takeDirty() && round < MAX_ROUNDS; round++) await this.#round();
      this.#backoff.reset();
    } catch (error) {
      this.#failed(error);
    }
    this.#running = undefined;
    if (this.#dirty && this.#timer === undefined) this.wake();
  }

  #takeDirty(): boolean {
    const dirty = this.#dirty && !this.#stopping.signal.aborted;
    if (dirty) this.#dirty = false;
    return dirty;
  }

  async #round(): Promise<void> {
    const { runtime, clock, uid } = this.#options;
    this.#cancelTimer();
    const pod = this.#options.desired();
    if (pod !== undefined) this.#last = pod;
    const inRuntime = await runtime.get(uid);
    const isWanted = pod !== undefined && pod.metadata.deletionTimestamp === undefined;
    const plan = isWanted
      ? this.#planWanted(pod, inRuntime, clock.wallMs())
      : planEnd(pod ?? this.#last, inRuntime);
    if (!isWanted) this.#phase = plan.ended ? 'terminated' : 'terminating';
    if (pod !== undefined) await this.#report(pod, inRuntime, !isWanted && (plan.remove || plan.ended));
    if (plan.ended && pod !== undefined) this.#sayGone(pod);
    await this.#act(pod, plan);
    if (plan.ended) this.#ended.resolve();
    if (plan.ended && pod === undefined) await this.#finish();
    if (plan.lookAgainAtMs !== undefined) this.#wakeAfter(plan.lookAgainAtMs - clock.wallMs());
  }

  #planWanted(pod: Pod, inRuntime: RuntimePod | undefined, nowMs: number): PodPlan {
    const phase = this.#options.statuses.get(this.#options.uid)?.phase;
    // What has run to its end stays ended, even after the runtime has forgotten it.
    const isOver = inRuntime === undefined && (phase === 'Succeeded' || phase === 'Failed');
    if (isOver || (inRuntime !== undefined && hasFinished(pod, inRuntime))) {
      return { actions: [], remove: false, ended: false };
    }
    return planRun(pod, inRuntime, nowMs);
  }

  async #act(pod: Pod | undefined, plan: PodPlan): Promise<void> {
    const { runtime, uid } = this.#options;
    const { signal } = this.#stopping;
    const target = pod ?? this.#last;
    for (const action of target === undefined ? [] : plan.actions) {
      if (target !== undefined) await runtime.perform(target, action, signal);
    }
    if (plan.remove) await runtime.remove(uid, signal);
    if (plan.remove || plan.actions.length > 0) this.#dirty = true;
  }

  async #report(pod: Pod, runtime: RuntimePod | undefined, isTerminal: boolean): Promise<void> {
    const { statuses, uid, clock, hostIps, reports } = this.#options;
    const previous = statuses.get(uid);
    const isOver = previous?.phase === 'Succeeded' || previous?.phase === 'Failed';
    const status =
      isOver && runtime === undefined
        ? previous
        : podStatus({ pod, runtime, previous, isTerminal, hostIps: hostIps(), nowMs: clock.wallMs() });
    const isNew = await statuses.set(uid, status);
    // The first one after a start is said in any case: whether the cloud had it is not known.
    if (isNew || !this.#hasReported) reports.status(pod, status);
    this.#hasReported = true;
  }

  async #finish(): Promise<void> {
    await this.#options.statuses.remove(this.#options.uid);
    this.#options.onDone();
  }

  /** Once for each life of this process: the outbox keeps it until the cloud has taken it. */
  #sayGone(pod: Pod): void {
    if (this.#hasSaidGone) return;
    this.#hasSaidGone = true;
    this.#options.reports.gone(pod);
  }

  #failed(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const waitMs = this.#backoff.nextMs();
    const message = error instanceof Error ? error.message : String(error);
    const pod = this.#last;
    this.#options.log.warn(
      { err: error, uid: this.#options.uid, pod: pod && podName(pod), waitMs: Math.round(waitMs) },
      'the pod could not be brought to its state, will try again',
    );
    if (pod !== undefined) this.#options.reports.warning(pod, 'FailedSync', message);
    this.#dirty = true;
    this.#wakeAfter(waitMs);
  }

  #wakeAfter(delayMs: number): void {
    this.#cancelTimer();
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#options.clock.setTimer(
      Math.max(delayMs, 0),
      () => {
        this.#timer = undefined;
        this.wake();
      },
      { background: true },
    );
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
