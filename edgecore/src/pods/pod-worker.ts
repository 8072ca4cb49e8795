import { setMaxListeners } from 'node:events';
import { Backoff, deferred, type Timer } from '@hawser/seams';
import type { RuntimePod } from '../runtime/container-runtime.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { planEnd } from './plan-end.ts';
import { containerOf, graceSeconds, podName, type Pod } from './pod.ts';
import { PodError } from './pod-error.ts';
import { isDiskFull } from './disk-full.ts';
import { Performed, PodOperator } from './pod-operator.ts';
import { planRun, startsOnly } from './pod-plan.ts';
import { PodReporter, type SeenPod } from './pod-reporter.ts';
import { isOver } from './pod-status-types.ts';
import type { PodWorkerOptions } from './pod-worker-options.ts';
import type { PlanInput, PodAction, PodEnd } from './plan-types.ts';
import { RestartDelays } from './restart-delays.ts';
import { isSettling, untilSettled } from './settling.ts';
import { StartFailures } from './start-failures.ts';

/** What the runtime had of a pod when it listed all. */
interface Listed {
  readonly inRuntime: RuntimePod | undefined;
}

/** Where a worker is with its pod. */
export type PodWorkerPhase = 'sync' | 'terminating' | 'terminated';

/** Bounds of the wait after something failed, milliseconds. */
const RETRY_MS = { base: 1_000, cap: 60_000 } as const;
/** The longest wait where a disk was full, milliseconds: room may come at any moment, and nobody tells of it. */
const FULL_RETRY_MS = 5_000;
/**
 * How long a status is put off that what is being done is about to change, milliseconds: of a pod of which nothing has
 * run yet, and of any other. What is over by then is said once, as what it came to, and not step by step: each step
 * costs a flush of the disk, a message and a call of the API server or two.
 */
const PUT_OFF_MS = { unstarted: 2_000, started: 250 } as const;
/** Rounds of looking and acting before a worker gives others a turn: no plan needs as many. */
const MAX_ROUNDS = 64;

/** A round was ended because the pod is to end now, or sooner. */
class Overtaken extends Error {}

/**
 * Brings one pod, by its UID, to what the store says. Never two for one UID. Steps of a round:
 * 1. read the pod from the store's view, and what of it is in the runtime;
 * 2. compute what to do (`planRun`, `planEnd`);
 * 3. make its status; where it is another one, keep it, then report it;
 * 4. do what was planned, and look again;
 * 5. nothing to do: wait for {@link wake}, or for the moment that the plan names.
 * What failed is tried again with back-off. A round that takes its time (a pull, a grace) is ended when the pod is to
 * be deleted meanwhile, or sooner than before. Waking it too often costs time, forgetting to wake it is made good by
 * the slow re-list of `PodManager`.
 */
export class PodWorker {
  readonly #options: PodWorkerOptions;
  readonly #operator: PodOperator;
  readonly #failures: StartFailures;
  readonly #delays = new RestartDelays();
  readonly #reporter: PodReporter;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #ended = deferred();
  #last: Pod | undefined;
  #phase: PodWorkerPhase = 'sync';
  #dirty = false;
  #moment = 0;
  /** What is in the runtime, for the next look. */
  #listed: Listed | undefined;
  #running: Promise<void> | undefined;
  /** Of the round that is under way. */
  #round: { readonly urgency: number; readonly abort: AbortController } | undefined;
  #timer: Timer | undefined;
  /** Set once: the pod ends by itself, and is never started again. */
  #end: PodEnd | undefined;
  /** Since when it has been ending, with which grace. */
  #grace: { readonly seconds: number; readonly sinceMs: number } | undefined;
  /** What it had beside the runtime was given back: all but its logs, or all of it. */
  #released: 'nothing' | 'parts' | 'all' = 'nothing';
  #hasLooked = false;
  #hasSaidGone = false;
  /** Whether the last round failed. */
  #hasFailed = false;
  /** There is nothing more to do, and may be another one for this UID. */
  #isDone = false;

  constructor(options: PodWorkerOptions) {
    this.#options = options;
    this.#operator = new PodOperator(options);
    this.#failures = new StartFailures(options.parts.images);
    this.#reporter = new PodReporter(options);
    const { random } = options;
    this.#backoff = new Backoff({
      baseMs: RETRY_MS.base,
      capMs: RETRY_MS.cap,
      ...(random !== undefined && { random }),
    });
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
    this.#reporter.repeat();
    this.#hasSaidGone = false;
    this.wake();
  }

  /** A moment in what it does, for {@link wakeWith}. */
  get moment(): number {
    return this.#moment;
  }

  /**
   * As {@link wake}, with what the runtime had of the pod in a list, so that it need not be asked for: unless it was
   * woken, or did something, since the list was begun.
   * @param moment as it was when the list was begun
   */
  wakeWith(inRuntime: RuntimePod | undefined, moment: number): void {
    const isFresh = moment === this.#moment && this.#running === undefined;
    this.#wake(isFresh ? { inRuntime } : undefined);
  }

  /** Looks at the pod, soon. */
  wake(): void {
    this.#wake(undefined);
  }

  #wake(listed: Listed | undefined): void {
    this.#dirty = true;
    this.#listed = listed;
    this.#moment += 1;
    if (this.#stopping.signal.aborted || this.#isDone) return;
    this.#overtake();
    this.#running ??= this.#run();
  }

  /** Ends the pod for good: phase Failed, with this reason and message; its containers get its grace. */
  fail(reason: string, message: string): void {
    if (this.#end !== undefined) return;
    this.#end = { failure: { reason, message } };
    // What is under way may be a pull.
    if (this.#phase === 'sync') this.#round?.abort.abort(new Overtaken());
    this.wake();
  }

  /** Something that pods are made of has changed: a configMap, a secret. Wakes it where it may have lacked that. */
  sourcesChanged(): void {
    if (this.#failures.retryConfigs() || this.#hasFailed) this.wake();
  }

  /** Stops: what is under way with the runtime is given up, the pod stays as it is. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the edge is stopping'));
    this.#timer?.cancel();
    this.#ended.resolve();
    await this.#running;
  }

  // ── rounds ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      await this.#options.after;
      for (let round = 0; this.#takeDirty() && round < MAX_ROUNDS; round++) await this.#runRound();
      this.#backoff.reset();
      this.#hasFailed = false;
    } catch (error) {
      this.#failed(error);
    }
    this.#running = undefined;
    if (this.#dirty && this.#timer === undefined) this.wake();
  }

  #takeDirty(): boolean {
    const dirty = this.#dirty && !this.#stopping.signal.aborted && !this.#isDone;
    if (dirty) this.#dirty = false;
    return dirty;
  }

  async #runRound(): Promise<void> {
    const abort = new AbortController();
    this.#round = { urgency: this.#urgency(), abort };
    this.#cancelTimer();
    const signal = AbortSignal.any([this.#stopping.signal, abort.signal]);
    // What is done to its containers is done side by side, and each listens for as long as that takes.
    setMaxListeners(0, signal);
    try {
      await this.#look(signal);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      this.#dirty = true;
    } finally {
      this.#round = undefined;
      this.#moment += 1;
    }
  }

  /** Ends a round that was begun for less. */
  #overtake(): void {
    const round = this.#round;
    if (round !== undefined && this.#urgency() > round.urgency) round.abort.abort(new Overtaken());
  }

  /** Greater: it is to end sooner. */
  #urgency(): number {
    const pod = this.#options.desired();
    if (pod === undefined) return Infinity;
    return pod.metadata.deletionTimestamp === undefined ? -Infinity : -graceSeconds(pod);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const pod = this.#options.desired();
    if (pod !== undefined) this.#last = pod;
    const isWanted = pod !== undefined && pod.metadata.deletionTimestamp === undefined;
    if (isWanted) this.#beginAhead(pod);
    const listed = this.#listed;
    this.#listed = undefined;
    const { inRuntime } = listed ?? { inRuntime: await this.#options.runtime.get(this.#options.uid) };
    if (!isWanted) {
      await this.#endPod(pod, inRuntime, undefined, signal);
      return;
    }
    // It may be wanted again: a cluster was restored to what it was before.
    this.#hasSaidGone = false;
    await this.#runPod(pod, inRuntime, signal);
  }

  /** A pod that was never here needs a cgroup: it is made while the runtime is asked. Not waited for. */
  #beginAhead(pod: Pod): void {
    const { parts, statuses, uid } = this.#options;
    if (this.#hasLooked) return;
    this.#hasLooked = true;
    if (statuses.get(uid) !== undefined || parts.configs.refusal(pod) !== undefined) return;
    parts.cgroups.ensure(pod).catch(() => {}); // heard where it is needed
  }

  async #runPod(pod: Pod, inRuntime: RuntimePod | undefined, signal: AbortSignal): Promise<void> {
    const { parts } = this.#options;
    parts.probes.update(pod, inRuntime);
    const previous = this.#options.statuses.get(this.#options.uid);
    // What has run to its end stays ended, even after the runtime has forgotten it.
    if (isOver(previous?.phase)) this.#end ??= {};
    else if (this.#end === undefined) {
      const refusal = parts.configs.refusal(pod);
      if (refusal !== undefined) this.#end = { failure: refusal };
    }
    const plan = this.#end === undefined ? planRun(this.#planInput(pod, inRuntime)) : undefined;
    this.#end ??= plan?.over;
    if (this.#end !== undefined || plan === undefined) {
      await this.#endPod(pod, inRuntime, this.#end, signal);
      return;
    }
    this.#phase = 'sync';
    this.#released = 'nothing';
    parts.volumes.update(pod);
    const seen = { pod, inRuntime, waiting: plan.waiting };
    const act = (): Promise<void> => this.#act(pod, plan.actions, inRuntime, signal);
    if (isSettling(inRuntime)) await this.#actWhileSettling(pod, act, signal);
    else if (startsOnly(plan)) await this.#putOff(seen, act, signal);
    else await this.#beside(this.#reporter.report(seen), act);
    if (plan.lookAgainAtMs !== undefined) this.#wakeAfter(plan.lookAgainAtMs - this.#options.clock.wallMs());
  }

  #planInput(pod: Pod, runtime: RuntimePod | undefined): PlanInput {
    const { parts, statuses, uid, clock } = this.#options;
    return {
      pod,
      runtime,
      previous: statuses.get(uid),
      verdict: (container, id) => parts.probes.verdict(pod, container, id),
      specHash: (container) => parts.configs.specHash(container),
      failures: this.#failures.all,
      delays: this.#delays,
      needsAddress: this.#options.runtime.real,
      nowMs: clock.wallMs(),
    };
  }

  /** @param end undefined: the pod is deleted, nothing of it is to stay */
  async #endPod(
    pod: Pod | undefined,
    inRuntime: RuntimePod | undefined,
    end: PodEnd | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const isDeleted = end === undefined;
    const known = pod ?? this.#last;
    if (known !== undefined) this.#options.parts.probes.update(known, inRuntime);
    const plan = planEnd(known, inRuntime, this.#graceLeft(pod), isDeleted);
    this.#phase = 'terminating';
    const reported =
      pod === undefined
        ? Promise.resolve()
        : this.#reporter.report({ pod, inRuntime, end: { ...this.#end, isStopped: plan.stopped } });
    const act = (): Promise<void> => this.#act(known, plan.actions, inRuntime, signal);
    if (!plan.stopped) {
      await this.#beside(reported, act);
      return;
    }
    // How its containers ended is durable before they are removed.
    await reported;
    if (!plan.done) {
      await act();
      return;
    }
    await this.#release(isDeleted, signal);
    this.#phase = 'terminated';
    if (!isDeleted) return;
    if (pod !== undefined) this.#sayGone(pod);
    this.#ended.resolve();
    if (pod === undefined) await this.#finish();
  }

  /** What its containers have left of the grace, seconds: it begins anew where it becomes another one. */
  #graceLeft(pod: Pod | undefined): number {
    const { clock } = this.#options;
    const last = this.#last;
    // Removed while it was being deleted: somebody does not want to wait any longer.
    const isForced = pod === undefined && last?.metadata.deletionTimestamp !== undefined;
    const seconds = isForced ? 0 : graceSeconds(pod ?? last);
    if (this.#grace?.seconds !== seconds) this.#grace = { seconds, sinceMs: clock.monotonicMs() };
    return Math.max(0, seconds - Math.floor((clock.monotonicMs() - this.#grace.sinceMs) / 1000));
  }

  async #release(wholly: boolean, signal: AbortSignal): Promise<void> {
    if (this.#released === 'all' || (this.#released === 'parts' && !wholly)) return;
    await this.#operator.release(this.#options.uid, wholly, signal);
    this.#released = wholly ? 'all' : 'parts';
  }

  /** Does something beside the report: what runs is not to depend on a disk that is slow, full or broken. */
  async #beside(reported: Promise<unknown>, act: () => Promise<void>): Promise<void> {
    reported.catch(() => {}); // heard below
    try {
      await act();
    } finally {
      await reported;
    }
  }

  /**
   * Does what will make the status another one, which the next round, at once after it, says. It is said before where
   * this takes long, or fails.
   */
  async #putOff(seen: SeenPod, act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const status = this.#reporter.note(seen);
    let said: Promise<unknown> = status;
    const say = (): void => {
      said = status.then((known) => this.#reporter.say(seen.pod, known));
      said.catch(() => {}); // heard below
    };
    const hasStarted = (seen.inRuntime?.containers.length ?? 0) > 0;
    const waitMs = hasStarted ? PUT_OFF_MS.started : PUT_OFF_MS.unstarted;
    const timer = this.#options.clock.setTimer(waitMs, say, { background: true });
    try {
      await this.#beside(status, act);
    } catch (error) {
      if (!signal.aborted) say();
      throw error;
    } finally {
      timer.cancel();
      await said;
    }
  }

  /**
   * Does what follows from an end of which not all is known yet. Nobody is told half of it: the round after this tells
   * all, which the runtime wakes this for. Where what is done takes longer, it is told meanwhile.
   */
  async #actWhileSettling(pod: Pod, act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const settled = untilSettled(this.#options, PUT_OFF_MS.started, AbortSignal.any([signal, done.signal]));
    const told = settled.then((inRuntime) => inRuntime && this.#reporter.report({ pod, inRuntime }));
    await this.#beside(told, async () => {
      try {
        await act();
      } finally {
        done.abort();
      }
    });
  }

  async #act(
    pod: Pod | undefined,
    actions: readonly PodAction[],
    inRuntime: RuntimePod | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (actions.length === 0) return;
    this.#dirty = true;
    const performed = new Performed();
    try {
      await this.#operator.perform(pod, actions, inRuntime, performed, signal);
    } finally {
      if (pod !== undefined) this.#note(pod, actions, performed);
    }
  }

  /** Remembers how long what crashes, or does not start, is to wait. */
  #note(pod: Pod, actions: readonly PodAction[], performed: Performed): void {
    const { parts, clock } = this.#options;
    const nowMs = clock.wallMs();
    const hashOf = parts.configs.specHash.bind(parts.configs);
    this.#failures.note(pod, performed, hashOf, nowMs);
    for (const action of actions) {
      if (action.do !== 'start-container' || action.finishedAtMs === undefined) continue;
      const container = containerOf(pod, action.name);
      if (container !== undefined && performed.made.has(action.name))
        this.#delays.restarted(action.name, hashOf(container), action.finishedAtMs, nowMs);
    }
  }

  async #finish(): Promise<void> {
    const { statuses, uid, desired, onDone } = this.#options;
    await statuses.remove(uid);
    // It may have come back meanwhile.
    if (desired() !== undefined) {
      this.#dirty = true;
      return;
    }
    this.#isDone = true;
    onDone();
  }

  /** Once for each life of this process: the outbox keeps it until the cloud has taken it. */
  #sayGone(pod: Pod): void {
    if (this.#hasSaidGone) return;
    this.#hasSaidGone = true;
    this.#options.reports.gone(pod);
  }

  #failed(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#hasFailed = true;
    const waitMs = Math.min(this.#backoff.nextMs(), isDiskFull(error) ? FULL_RETRY_MS : Infinity);
    const message = error instanceof Error ? error.message : String(error);
    const pod = this.#last;
    this.#options.log.warn(
      { err: error, uid: this.#options.uid, pod: pod && podName(pod), waitMs: Math.round(waitMs) },
      'the pod could not be brought to its state, will try again',
    );
    if (error instanceof PodError && error.isFinal)
      this.#end ??= { failure: { reason: error.reason, message } };
    else if (pod !== undefined && !isUnreachable(error)) {
      const reason = error instanceof PodError ? error.reason : 'FailedSync';
      this.#options.events.record(pod, 'Warning', reason, message);
    }
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

/** A runtime that is away is the node's trouble, not that of each pod. */
function isUnreachable(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === 'ERR_EDGECORE_RUNTIME_UNREACHABLE';
}
