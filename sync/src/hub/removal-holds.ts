import { Backoff, type Clock, type Logger, type Random, type Timer } from '@hawser/seams';
import { messageOf, SyncError } from '../errors.ts';

/** What {@link RemovalHolds} are made of. */
export interface RemovalHoldsOptions {
  /** See `ScopeView.catchUp`. */
  readonly catchUp: (signal: AbortSignal) => Promise<void>;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** Called when {@link RemovalHolds.due} has changed. */
  readonly onDue: () => void;
  /** How long a hold waits before it is looked at again, milliseconds. */
  readonly delayMs: number;
  readonly clock: Clock;
  readonly random?: Random;
  readonly log: Logger;
}

/** Wait before the API server is asked again, milliseconds: first upper bound, and the highest. */
const RETRY_MS = { base: 1_000, cap: 60_000 } as const;
/** Holds that wait on their own; later ones join the last of them. */
const MAX_HOLDS = 8;

/**
 * Removals that an edge holds back (docs/sync.md, "Mass removal"): each hold waits for its time, then for caches that
 * have caught up with the API server, and is due then. A confirmation of one is one of all before it.
 */
export class RemovalHolds {
  readonly #options: RemovalHoldsOptions;
  readonly #backoff: Backoff;
  readonly #closing: AbortSignal;
  /** Oldest first. */
  readonly #holds: { id: number; dueMs: number }[] = [];
  #lastId = 0;
  #due: number | undefined;
  #timer: Timer | undefined;
  #catchingUp = false;

  constructor(options: RemovalHoldsOptions) {
    this.#options = options;
    this.#closing = options.signal;
    this.#backoff = new Backoff({
      baseMs: RETRY_MS.base,
      capMs: RETRY_MS.cap,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** Holds that are not confirmed. */
  get size(): number {
    return this.#holds.length;
  }

  /** The hold that may be confirmed now, if it is still wanted. */
  get due(): number | undefined {
    return this.#due;
  }

  /** The edge holds something back. @throws SyncError `ERR_SYNC_BAD_MESSAGE` where ids do not grow */
  add(id: number): void {
    if (id <= this.#lastId)
      throw new SyncError('ERR_SYNC_BAD_MESSAGE', `hold ${id} comes after hold ${this.#lastId}`);
    this.#lastId = id;
    const dueMs = this.#options.clock.monotonicMs() + this.#options.delayMs;
    const last = this.#holds.at(-1);
    // The first one may be asked about already, so that it is never the one that is joined.
    if (last !== undefined && this.#holds.length >= MAX_HOLDS) Object.assign(last, { id, dueMs });
    else this.#holds.push({ id, dueMs });
    this.#arm();
  }

  /** The hold that was {@link due} has been confirmed. */
  confirmed(): void {
    this.#due = undefined;
    this.#holds.shift();
    this.#arm();
  }

  /** Sets no timer any more; the signal ends the rest. Idempotent. */
  close(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    const [next] = this.#holds;
    if (next === undefined || this.#due !== undefined || this.#timer !== undefined || this.#catchingUp)
      return;
    const { clock } = this.#options;
    this.#timer = clock.setTimer(Math.max(0, next.dueMs - clock.monotonicMs()), () => {
      this.#timer = undefined;
      void this.#lookAgain(next);
    });
  }

  async #lookAgain(hold: { readonly id: number; dueMs: number }): Promise<void> {
    const { clock, log, catchUp, onDue } = this.#options;
    this.#catchingUp = true;
    try {
      await catchUp(this.#closing);
      this.#backoff.reset();
      this.#due = hold.id;
    } catch (error) {
      if (this.#closing.aborted) return;
      const waitMs = this.#backoff.nextMs();
      log.warn({ error: messageOf(error), waitMs: Math.round(waitMs) }, 'removals cannot be confirmed yet');
      hold.dueMs = clock.monotonicMs() + waitMs;
    }
    this.#catchingUp = false;
    if (this.#closing.aborted) return;
    this.#arm();
    if (this.#due !== undefined) onDue();
  }
}
