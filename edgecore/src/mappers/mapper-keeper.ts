import { Backoff, delay, type Clock, type Logger, type Random, type Timer } from '@hawser/seams';
import type { Leftovers } from './leftover.ts';
import type { MapperDefinition } from './mapper-definition.ts';
import type { MapperMemory } from './mapper-memory.ts';
import { MapperProcess, signalGroup, type ProcessEnd } from './mapper-process.ts';
import { runAs } from './run-as.ts';

/** What a {@link MapperKeeper} needs. */
export interface MapperKeeperOptions {
  readonly definition: MapperDefinition & { readonly run: NonNullable<MapperDefinition['run']> };
  readonly env: () => Promise<Readonly<Record<string, string>>>;
  readonly leftovers: Leftovers;
  readonly memory: MapperMemory;
  /** It crashed, hangs, or cannot be started. */
  readonly onTrouble: (reason: TroubleReason, message: string) => void;
  readonly clock: Clock;
  readonly random: Random | undefined;
  readonly log: Logger;
}

/** Reasons of Events at the node. */
export type TroubleReason = 'MapperEnded' | 'MapperHung' | 'MapperNotStarted';

/** How one is doing. */
export interface KeeperState {
  readonly state: 'running' | 'waiting' | 'stopped';
  readonly pid?: number;
  /** Times that it was started again. */
  readonly restarts: number;
  /** How it ended the last time. */
  readonly lastEnd?: string;
}

/** Wait before the next start: at least so long, and up to a minute more the more often it has ended. */
const RESTART_MS = { least: 500, base: 1_000, cap: 60_000 } as const;
/** What has run for so long is sound: the next end is a first one. */
const SOUND_MS = 60_000;
/** A mapper says a sign of life every 5 s. */
const HANG_MS = { first: 60_000, then: 30_000 } as const;
const LEFTOVER_MS = 5_000;
const LOOK_MS = 50;

/** Keeps one mapper running: starts it, starts it again with back-off when it ends, and ends it when it hangs. */
export class MapperKeeper {
  readonly #options: MapperKeeperOptions;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #process: MapperProcess | undefined;
  #hang: Timer | undefined;
  #hung = false;
  #starts = 0;
  #lastEnd: string | undefined;
  #running: Promise<void> | undefined;

  constructor(options: MapperKeeperOptions) {
    this.#options = options;
    const random = options.random === undefined ? {} : { random: options.random };
    this.#backoff = new Backoff({ baseMs: RESTART_MS.base, capMs: RESTART_MS.cap, ...random });
  }

  get state(): KeeperState {
    const pid = this.#process?.pid;
    const stopped = this.#running === undefined || this.#stopping.signal.aborted;
    return {
      state: pid !== undefined ? 'running' : stopped ? 'stopped' : 'waiting',
      ...(pid !== undefined && { pid }),
      restarts: Math.max(0, this.#starts - 1),
      ...(this.#lastEnd !== undefined && { lastEnd: this.#lastEnd }),
    };
  }

  start(): void {
    this.#running ??= this.#keep();
  }

  /** Ends the program. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the mapper is stopped'));
    await this.#process?.stop();
    await this.#running;
  }

  /** A sign of life came over the bus. */
  heartbeat(): void {
    if (this.#process !== undefined && !this.#hung) this.#watch(HANG_MS.then);
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    const isStopping = (): boolean => signal.aborted;
    while (!isStopping()) {
      await this.#runOnce();
      if (isStopping()) return;
      const waitMs = RESTART_MS.least + this.#backoff.nextMs();
      await delay(waitMs, { clock: this.#options.clock, signal }).catch(() => {}); // the stop ends the loop
    }
  }

  async #runOnce(): Promise<void> {
    const { definition, leftovers, memory, clock, log, onTrouble } = this.#options;
    const { name, run } = definition;
    let end: ProcessEnd;
    try {
      await this.#endLeftover();
      const started = { as: await runAs(run.user), env: await this.#options.env() };
      if (this.#stopping.signal.aborted) return;
      const process = new MapperProcess({ ...{ name, run, clock, log }, ...started });
      this.#process = process;
      this.#starts += 1;
      this.#hung = false;
      if (process.pid !== undefined) {
        log.info({ mapper: name, pid: process.pid }, 'mapper started');
        await leftovers.remember(name, process.pid);
        await memory.bound(name, process.pid, run.memoryMaxBytes);
        this.#watch(HANG_MS.first);
      }
      end = await process.ended;
    } catch (error) {
      await this.#process?.stop(); // nobody would look after it
      this.#lastEnd = (error as Error).message;
      onTrouble('MapperNotStarted', this.#lastEnd);
      return;
    } finally {
      this.#hang?.cancel();
      this.#process = undefined;
    }
    await leftovers.forget(name);
    await memory.release(name);
    this.#told(end);
  }

  #told({ how, ranMs, lastWords }: ProcessEnd): void {
    this.#lastEnd = lastWords === '' ? how : `${how}: ${lastWords}`;
    if (this.#stopping.signal.aborted) return;
    if (ranMs >= SOUND_MS) this.#backoff.reset();
    if (this.#hung) return; // was told when it was noticed
    const seconds = (ranMs / 1000).toFixed(1);
    this.#options.onTrouble('MapperEnded', `after ${seconds} s by ${this.#lastEnd}; it is started again`);
  }

  /** Only one that serves devices gives signs of life. */
  #watch(afterMs: number): void {
    this.#hang?.cancel();
    if (this.#options.definition.protocols.length === 0) return;
    const ended = (): void => {
      this.#hung = true;
      this.#options.onTrouble(
        'MapperHung',
        `no sign of life for ${afterMs / 1000} s; it is ended and started again`,
      );
      void this.#process?.stop(); // never rejects
    };
    this.#hang = this.#options.clock.setTimer(afterMs, ended, { background: true });
  }

  /** A crash of the edge core leaves its mappers running, whom nobody watches. A stop waits for their end, too. */
  async #endLeftover(): Promise<void> {
    const { leftovers, definition, clock, log } = this.#options;
    const pid = await leftovers.find(definition.name);
    if (pid === undefined) return;
    log.warn({ mapper: definition.name, pid }, 'a mapper of an earlier run is ended');
    signalGroup(pid, 'SIGTERM');
    const untilMs = clock.monotonicMs() + LEFTOVER_MS;
    while ((await leftovers.find(definition.name)) !== undefined) {
      if (clock.monotonicMs() > untilMs) {
        signalGroup(pid, 'SIGKILL');
        if (this.#stopping.signal.aborted) return; // one that cannot be killed must not keep a stop
      }
      await delay(LOOK_MS, { clock });
    }
  }
}
