import { Backoff, delay, type Clock, type Logger, type Random } from '@hawser/seams';
import { messageOf, SyncError } from '../errors.ts';
import type { ReplicaChange, ReplicaRecord, ReplicaStore } from './replica-store.ts';

/** What a {@link ReplicaWriter} is made of. */
export interface ReplicaWriterOptions {
  readonly store: ReplicaStore;
  readonly scope: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly log: Logger;
}

/** Wait before the disk is tried again, milliseconds: first upper bound, and the highest. */
const RETRY_MS = { base: 500, cap: 30_000 } as const;

/** Writes to a scope's replica, one after the other, over sessions: tries again for as long as the disk refuses. */
export class ReplicaWriter {
  readonly #options: ReplicaWriterOptions;
  readonly #backoff: Backoff;
  #writing: Promise<void> = Promise.resolve();
  #error: string | undefined;
  #errorCode: string | undefined;
  failures = 0;

  constructor(options: ReplicaWriterOptions) {
    this.#options = options;
    this.#backoff = new Backoff({
      baseMs: RETRY_MS.base,
      capMs: RETRY_MS.cap,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** What the disk said when it last refused; undefined: it takes what comes. */
  get error(): string | undefined {
    return this.#error;
  }

  /** The code of that error, where it has one. */
  get errorCode(): string | undefined {
    return this.#errorCode;
  }

  /** Resolves once nothing is being written, as when a session ended while the disk stalled. */
  idle(): Promise<void> {
    return this.#writing;
  }

  /**
   * Makes it durable. Resolves with true once it is, with false where the signal ended the attempts; then nothing of
   * it was done.
   * @throws SyncError of the store: it is about what came, and no other attempt would help
   */
  async write(
    changes: readonly ReplicaChange[],
    record: ReplicaRecord | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store, scope, clock, log } = this.#options;
    while (!signal.aborted) {
      const applied = store.apply(scope, changes, record);
      this.#writing = applied.catch(() => {}); // it is looked at below
      try {
        await applied;
        this.#succeeded();
        this.#backoff.reset();
        return true;
      } catch (error) {
        if (error instanceof SyncError) throw error;
        this.#failed(error);
        const waitMs = this.#backoff.nextMs();
        log.warn(
          { error: this.#error, waitMs: Math.round(waitMs) },
          'the disk does not take what the hub sent',
        );
        await delay(waitMs, { clock, signal }).catch(() => {}); // the session has ended: looked at above
      }
    }
    return false;
  }

  /**
   * Writes a record if the disk takes it now; what it says otherwise shows in {@link error}.
   * @throws SyncError of the store
   */
  async tryRecord(record: ReplicaRecord): Promise<void> {
    const { store, scope } = this.#options;
    const applied = store.apply(scope, [], record);
    this.#writing = applied.catch(() => {}); // it is looked at below
    try {
      await applied;
      this.#succeeded();
    } catch (error) {
      if (error instanceof SyncError) throw error;
      this.#failed(error);
    }
  }

  #succeeded(): void {
    this.#error = undefined;
    this.#errorCode = undefined;
  }

  #failed(error: unknown): void {
    this.failures += 1;
    this.#error = messageOf(error);
    const { code } = Object(error) as { readonly code?: unknown };
    this.#errorCode = typeof code === 'string' ? code : undefined;
  }
}
