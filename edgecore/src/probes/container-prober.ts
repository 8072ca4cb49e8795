import type { Random, Timer } from '@hawser/seams';
import type { Pod, PodContainer, Probe } from '../pods/pod.ts';
import type { ProbeVerdict } from './pod-probes.ts';
import type { ProbeOutcome } from './probe-outcome.ts';
import { ProbeTally } from './probe-tally.ts';

/** In the order in which they are said in events. */
export type ProbeKind = 'Startup' | 'Liveness' | 'Readiness';

const FIELDS = {
  Startup: 'startupProbe',
  Liveness: 'livenessProbe',
  Readiness: 'readinessProbe',
} as const satisfies Record<ProbeKind, keyof PodContainer>;
const KINDS = ['Startup', 'Liveness', 'Readiness'] as const;
/** Source: the default of core/v1 Probe. */
const DEFAULT_PERIOD_SECONDS = 10;
/**
 * How late a probe may be, as a part of its period, so that many wake the process once: with a hundred pods that saves
 * more than a third of the time that probes take.
 */
const SLACK = 0.05;
const MOST_SLACK_MS = 500;
/**
 * When a container that is just starting is asked beside the periods of its probe, milliseconds after its start: most
 * have something to say long before the first period is over. It counts if it is a success.
 */
const EARLY_MS = [250, 1_000, 3_000];
/** A container that runs for longer than that before it is seen was started by an edge core before this one. */
const FRESH_MS = 5_000;

/** What was said of a container before. */
export interface SeenAs {
  readonly started: boolean;
  readonly ready: boolean;
}

/** A probe that is to be made now. */
export interface ProbeQuestion {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  /** Nothing is said of a failure: nobody could expect anything else yet. */
  readonly isEarly: boolean;
  readonly signal: AbortSignal;
}

/** What a {@link ContainerProber} needs. */
export interface ContainerProberOptions {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly containerId: string;
  /** How long it has been running, milliseconds. */
  readonly ageMs: number;
  /** What an edge core before this one has said of it; undefined: nothing. */
  readonly seenAs: SeenAs | undefined;
  /** Asks it once; undefined: nothing was found out. Never rejects. */
  readonly ask: (question: ProbeQuestion) => Promise<ProbeOutcome | undefined>;
  /** Calls back once, so many milliseconds from now. */
  readonly after: (delayMs: number, callback: () => void) => Timer;
  readonly monotonicMs: () => number;
  readonly random: Random;
  /** The verdict is another one. */
  readonly onVerdict: () => void;
}

/** One probe of the container. */
interface ActiveProbe {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  readonly tally: ProbeTally;
  /** When it is due, monotonic milliseconds. */
  dueMs: number;
  /** Before that: see {@link EARLY_MS}; monotonic milliseconds. */
  earlyMs: readonly number[];
  timer: Timer | undefined;
  isAsking: boolean;
}

/**
 * The probes of one container, from when it is seen to run until {@link stop}. What it does:
 * - the startup probe alone until it has passed, the others from then on, at once;
 * - each first after its initial delay, counted from the container's start (without one after a period; startup and
 *   readiness are tried before that, where only a success counts), then once a period. One that takes longer than its
 *   period is late, and never beside itself. After a restart of the edge core the first period is cut short by chance,
 *   so that not all come at once;
 * - a liveness or startup probe that has failed ends all of them: the container is to be killed. It is probed no more,
 *   since probing what is being killed helps nobody;
 * - a pod that is to end: only readiness goes on.
 * Source: kubelet, prober/worker.go.
 */
export class ContainerProber {
  readonly #options: ContainerProberOptions;
  readonly #probes: readonly ActiveProbe[];
  readonly #stopping = new AbortController();
  readonly #startedMs: number;
  #pod: Pod;
  #failed: ActiveProbe | undefined;

  constructor(options: ContainerProberOptions) {
    const { container, seenAs, pod, ageMs, monotonicMs } = options;
    this.#options = options;
    this.#pod = pod;
    this.#startedMs = monotonicMs() - ageMs;
    const before = {
      Startup: seenAs?.started === true ? true : undefined,
      Liveness: true,
      Readiness: seenAs?.ready,
    };
    this.#probes = KINDS.flatMap((kind) => {
      const probe = container[FIELDS[kind]];
      if (probe === undefined) return [];
      const tally = new ProbeTally(probe, before[kind]);
      return [{ kind, probe, tally, dueMs: 0, earlyMs: [], timer: undefined, isAsking: false }];
    });
  }

  /** The pod as it is now. */
  get pod(): Pod {
    return this.#pod;
  }

  /** Begins. */
  start(): void {
    for (const active of this.#probes) {
      this.#schedule(active);
      this.#arm(active);
    }
  }

  /** Ends all probes; what is on its way counts no more. Idempotent. */
  stop(): void {
    this.#stopping.abort(new Error('the container is probed no more'));
    for (const { timer } of this.#probes) timer?.cancel();
  }

  /** Takes the pod as it is now: it may be to end. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (!this.#isEnding()) return;
    for (const active of this.#probes) if (active.kind !== 'Readiness') active.timer?.cancel();
    this.#failed = undefined;
  }

  verdict(): ProbeVerdict {
    const started = this.#hasStarted();
    const ready = started && (this.#of('Readiness')?.tally.passes ?? this.#of('Readiness') === undefined);
    if (this.#failed === undefined) return { started, ready };
    const { kind, probe } = this.#failed;
    const { terminationGracePeriodSeconds: graceSeconds } = probe;
    const message = `Container ${this.#options.container.name} failed ${kind.toLowerCase()} probe`;
    return { started, ready, kill: { message, ...(graceSeconds !== undefined && { graceSeconds }) } };
  }

  #of(kind: ProbeKind): ActiveProbe | undefined {
    return this.#probes.find((active) => active.kind === kind);
  }

  #hasStarted(): boolean {
    const startup = this.#of('Startup');
    return startup === undefined || startup.tally.passes === true;
  }

  #isEnding(): boolean {
    return this.#pod.metadata.deletionTimestamp !== undefined;
  }

  /** Whether it is its turn, as things are now. */
  #isWanted({ kind }: ActiveProbe): boolean {
    if (this.#stopping.signal.aborted || this.#failed !== undefined) return false;
    if (kind !== 'Readiness' && this.#isEnding()) return false;
    return (kind === 'Startup') !== this.#hasStarted();
  }

  /** Finds when a probe is due for the first time. */
  #schedule(active: ActiveProbe): void {
    const { ageMs, random, monotonicMs } = this.#options;
    const { probe, kind } = active;
    const { initialDelaySeconds = 0 } = probe;
    // Without a delay it has a period, so that nothing is killed for not being there at once.
    const firstMs = initialDelaySeconds > 0 ? initialDelaySeconds * 1000 : periodMs(probe);
    active.dueMs = this.#startedMs + firstMs;
    if (ageMs >= FRESH_MS && active.dueMs <= monotonicMs()) {
      active.dueMs = monotonicMs() + random.next() * periodMs(probe);
    } else if (initialDelaySeconds === 0 && kind !== 'Liveness') {
      active.earlyMs = EARLY_MS.filter((early) => early < firstMs).map((early) => this.#startedMs + early);
    }
  }

  #arm(active: ActiveProbe): void {
    active.timer?.cancel();
    active.timer = undefined;
    if (active.isAsking || !this.#isWanted(active)) return;
    const delayMs = Math.max((active.earlyMs[0] ?? aligned(active)) - this.#options.monotonicMs(), 0);
    active.timer = this.#options.after(delayMs, () => void this.#turn(active));
  }

  /** Never rejects. */
  async #turn(active: ActiveProbe): Promise<void> {
    active.timer = undefined;
    if (active.isAsking || !this.#isWanted(active)) return;
    active.isAsking = true;
    const isEarly = active.earlyMs.length > 0;
    const { kind, probe } = active;
    const outcome = await this.#options.ask({ kind, probe, isEarly, signal: this.#stopping.signal });
    active.isAsking = false;
    const passed = outcome !== undefined && outcome.result !== 'failure';
    const counts = outcome !== undefined && (passed || !isEarly);
    if (counts && this.#isWanted(active)) this.#take(active, passed);
    this.#next(active);
    this.#arm(active);
  }

  /** Finds when it is due again. */
  #next(active: ActiveProbe): void {
    const nowMs = this.#options.monotonicMs();
    if (active.earlyMs.length === 0) active.dueMs = Math.max(active.dueMs + periodMs(active.probe), nowMs);
    const isDone = active.tally.passes === true;
    active.earlyMs = isDone ? [] : active.earlyMs.filter((early) => early > nowMs);
  }

  #take(active: ActiveProbe, passed: boolean): void {
    const isNew = active.tally.record(passed);
    const isFatal = active.kind !== 'Readiness' && active.tally.passes === false;
    if (isFatal) this.#failed = active;
    if (active.kind === 'Startup' && isNew && passed) this.#beginOthers();
    if (isNew) this.#options.onVerdict();
  }

  /** It has started: what waited for that is due, unless it is to wait longer. */
  #beginOthers(): void {
    const { monotonicMs } = this.#options;
    for (const active of this.#probes) {
      if (active.kind === 'Startup') continue;
      const earliestMs = this.#startedMs + (active.probe.initialDelaySeconds ?? 0) * 1000;
      active.dueMs = Math.max(earliestMs, monotonicMs());
      active.earlyMs = [];
      this.#arm(active);
    }
  }
}

/** When it is due, or a little later, together with others. */
function aligned({ dueMs, probe }: ActiveProbe): number {
  const slackMs = Math.min(periodMs(probe) * SLACK, MOST_SLACK_MS);
  return Math.ceil(dueMs / slackMs) * slackMs;
}

function periodMs(probe: Probe): number {
  return (probe.periodSeconds ?? DEFAULT_PERIOD_SECONDS) * 1000;
}
