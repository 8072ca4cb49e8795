import { silentLogger, systemClock, type Clock, type Logger, type Timer } from '@hawser/seams';
import type { PkiFolder } from './pki-folder.ts';

const HOUR_MS = 3_600_000;
/** The file in the folder. */
const FILE = 'time';
/** A time outside of this is a mistake, whoever says it. */
const PLAUSIBLE_MS = { from: Date.UTC(2024, 0, 1), to: Date.UTC(2100, 0, 1) } as const;

/** Settings of {@link TrustedClock}. */
export interface TrustedClockOptions {
  /** Where the bound is kept; the folder must be open. */
  readonly folder: PkiFolder;
  /** How far the bound moves between two writes, milliseconds. Default 24 hours: flash memory wears out. */
  readonly writeEveryMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/**
 * Time that is good enough to judge certificates on a machine whose clock may be anywhere. It knows a lower bound: the
 * latest time that a verified hub has told, kept on disk, plus what has passed since by the monotonic clock. The time
 * is the system's, or the bound where that is later. The system's time never raises the bound: a clock that was ahead
 * for a while does no lasting harm.
 */
export class TrustedClock {
  readonly #options: TrustedClockOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #writeEveryMs: number;
  #bound: { readonly ms: number; readonly atMs: number };
  #hub: { readonly ms: number; readonly atMs: number } | undefined;
  #writtenMs = 0;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: TrustedClockOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#writeEveryMs = options.writeEveryMs ?? 24 * HOUR_MS;
    this.#bound = { ms: 0, atMs: this.#clock.monotonicMs() };
  }

  /** Milliseconds since the epoch: the system's time, or the lower bound where that is later. */
  wallMs(): number {
    return Math.max(this.#clock.wallMs(), this.lowerBoundMs());
  }

  /** It is not earlier than this; 0 where nothing is known. */
  lowerBoundMs(): number {
    return this.#bound.ms === 0 ? 0 : this.#bound.ms + this.#clock.monotonicMs() - this.#bound.atMs;
  }

  /** The time by the word of a hub that was heard since the start, undefined if none was. Exact to a round trip. */
  hubMs(): number | undefined {
    return this.#hub === undefined ? undefined : this.#hub.ms + this.#clock.monotonicMs() - this.#hub.atMs;
  }

  /** Reads the bound. A file that cannot be read, or says nonsense, is as none, and is written anew. */
  async start(): Promise<void> {
    if (this.#timer !== undefined || this.#stopped) return;
    try {
      const text = await this.#options.folder.read(FILE);
      const ms = text === undefined ? 0 : Date.parse(text.trim());
      if (isPlausible(ms)) {
        this.#writtenMs = ms;
        this.#raiseTo(ms);
      } else if (text !== undefined) {
        this.#logger.warn({}, 'the file with the last known time says nonsense, and is passed over');
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'the last known time cannot be read');
    }
    this.#lookLater();
  }

  /** Writes the bound if it has moved by an hour. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#writing;
    await this.#write(Math.min(HOUR_MS, this.#writeEveryMs));
  }

  /**
   * Takes the time that a verified hub has told (its welcome, its answer to a join).
   * @param hubMs milliseconds since the epoch; passed over, and said so, where it is no time of this century
   */
  raise(hubMs: number): void {
    if (!isPlausible(hubMs)) {
      this.#logger.warn({ hubMs }, 'the hub tells a time that cannot be, and is not believed');
      return;
    }
    this.#hub = { ms: hubMs, atMs: this.#clock.monotonicMs() };
    this.#raiseTo(hubMs);
    this.#writeSoon();
  }

  /** It is not earlier than this, as is known from something signed: the beginning of the node's own certificate. */
  atLeast(ms: number): void {
    if (isPlausible(ms)) this.#raiseTo(ms);
  }

  #raiseTo(ms: number): void {
    if (ms > this.lowerBoundMs()) this.#bound = { ms, atMs: this.#clock.monotonicMs() };
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimer(
      this.#writeEveryMs,
      () => {
        this.#writeSoon();
        this.#lookLater();
      },
      { background: true },
    );
  }

  #writeSoon(): void {
    if (this.#stopped) return;
    this.#writing ??= this.#write(this.#writeEveryMs).finally(() => (this.#writing = undefined));
  }

  /** Never rejects: an old bound is a bound too. */
  async #write(movedByMs: number): Promise<void> {
    const ms = Math.floor(this.lowerBoundMs());
    if (ms === 0 || ms - this.#writtenMs < movedByMs) return;
    try {
      await this.#options.folder.write(FILE, `${new Date(ms).toISOString()}\n`);
      this.#writtenMs = ms;
    } catch (error) {
      this.#logger.warn(
        { err: error },
        'the time cannot be written down; after a restart an older one is known',
      );
    }
  }
}

function isPlausible(ms: number): boolean {
  return ms >= PLAUSIBLE_MS.from && ms < PLAUSIBLE_MS.to;
}
