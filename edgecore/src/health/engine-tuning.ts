import { setFlagsFromString } from 'node:v8';
import type { Clock, Logger, Timer } from '@hawser/seams';

/** What {@link EngineTuning} needs. */
export interface EngineTuningOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** CPU time of this process so far, milliseconds. Default: as the system counts it, all threads. */
  readonly cpuMs?: () => number;
  /** Default: V8's. */
  readonly setFlags?: (flags: string) => void;
  /** There is next to nothing to do: a good moment to collect garbage. Called twice every five minutes. */
  readonly onIdle: () => void;
}

/** How often the load is looked at. */
const PERIOD_MS = 30_000;
/** Part of one processor above which compiled code is worth its memory. */
const BUSY = 0.1;
/** Part of one processor below which nobody notices a collection of garbage. */
const IDLE = 0.03;
/** Of so many looks that find it idle two are told of: what a first collection frees, a second one gives back. */
const COLLECT = { times: 2, of: 10 } as const;

/**
 * Gives the process its compilers back (`memory-diet.ts` took them away) once it has used more than a tenth of a
 * processor over half a minute. It keeps them then: what was busy will be again, and the memory is spent. Until then
 * it tells when the process is idle.
 */
export class EngineTuning {
  readonly #options: EngineTuningOptions;
  #timer: Timer | undefined;
  #seen = { cpuMs: 0, atMs: 0 };
  #compiling = false;
  #idleLooks = 0;

  constructor(options: EngineTuningOptions) {
    this.#options = options;
  }

  /** Whether code is compiled. */
  get compiling(): boolean {
    return this.#compiling;
  }

  /** Begins to look at the load. Idempotent. */
  start(): void {
    if (this.#timer !== undefined || this.#compiling) return;
    this.#seen = this.#now();
    this.#arm();
  }

  /** Stops looking. Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimer(PERIOD_MS, () => this.#look(), { background: true });
  }

  #look(): void {
    const now = this.#now();
    const load = (now.cpuMs - this.#seen.cpuMs) / (now.atMs - this.#seen.atMs);
    this.#seen = now;
    if (load < BUSY) {
      if (load < IDLE) this.#idle();
      this.#arm();
      return;
    }
    const { setFlags = setFlagsFromString, log } = this.#options;
    setFlags('--sparkplug');
    setFlags('--opt');
    this.#compiling = true;
    this.#timer = undefined;
    log.info({ load: Number(load.toFixed(2)) }, 'there is work to do: code is compiled from now on');
  }

  #idle(): void {
    if (this.#idleLooks % COLLECT.of < COLLECT.times) this.#options.onIdle();
    this.#idleLooks += 1;
  }

  #now(): { cpuMs: number; atMs: number } {
    const { cpuMs = processCpuMs, clock } = this.#options;
    return { cpuMs: cpuMs(), atMs: clock.monotonicMs() };
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
