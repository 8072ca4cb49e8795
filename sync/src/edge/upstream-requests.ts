import { deferred, systemClock, type Clock, type Deferred } from '@hawser/seams';
import { SyncError } from '../errors.ts';
import type { UpstreamOutcome, UpstreamSession } from './upstream-session.ts';

/** Settings of {@link UpstreamRequests}. */
export interface UpstreamRequestsOptions {
  readonly clock?: Clock;
  /** How long an answer may take, milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
  /** Requests that may wait for their answers at a time. Default: 32. */
  readonly limit?: number;
}

/** The hub's answer to a request was a refusal. */
export class UpstreamRefusedError extends SyncError {
  /** An HTTP status as the Kubernetes API uses them. */
  readonly status: number;
  /** For 429 and 5xx: when to try again, milliseconds; 0: the hub did not say. */
  readonly retryAfterMs: number;

  constructor(kind: string, outcome: UpstreamOutcome) {
    super('ERR_SYNC_REFUSED', `${kind}: ${outcome.status} ${outcome.message}`.trimEnd());
    this.status = outcome.status;
    this.retryAfterMs = outcome.retryAfterMs;
  }
}

/**
 * Upstreams that ask for something: `token-request`, `certificate-renewal`. They are not stored and not repeated: who
 * asks decides what to do when there is no answer.
 */
export class UpstreamRequests {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #limit: number;
  readonly #waiting = new Set<Deferred<UpstreamOutcome>>();
  #session: UpstreamSession | undefined;

  constructor(options: UpstreamRequestsOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#limit = options.limit ?? 32;
  }

  /** Requests that wait for their answers. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** From now on requests go to this session; those of the one before are given up. */
  attach(session: UpstreamSession): void {
    this.detach();
    this.#session = session;
  }

  /** The session has ended: whoever waits is told. Idempotent. */
  detach(): void {
    this.#session = undefined;
    const ended = new SyncError('ERR_SYNC_SESSION_ENDED', 'the session ended before the answer came');
    for (const waiter of this.#waiting) waiter.reject(ended);
  }

  /**
   * Asks the hub.
   * @param body packed JSON, as `UpstreamBodies` has it
   * @returns the answer's body, packed JSON, as `UpstreamAnswers` has it
   * @throws {@link UpstreamRefusedError}; SyncError `ERR_SYNC_SESSION_ENDED` (at once if there is no session),
   *   `ERR_SYNC_TIMEOUT`, `ERR_SYNC_LIMIT`; `signal.reason`
   */
  async request(
    kind: string,
    body: Uint8Array,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
  ): Promise<Uint8Array> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#session === undefined)
      throw new SyncError('ERR_SYNC_SESSION_ENDED', `${kind}: there is no session`);
    if (this.#waiting.size >= this.#limit)
      throw new SyncError(
        'ERR_SYNC_LIMIT',
        `${kind}: ${this.#limit} requests wait for their answers already`,
      );
    const answer = deferred<UpstreamOutcome>();
    this.#waiting.add(answer);
    const timer = this.#clock.setTimer(timeoutMs, () => {
      answer.reject(new SyncError('ERR_SYNC_TIMEOUT', `${kind}: no answer within ${timeoutMs} ms`));
    });
    const onAbort = (): void => answer.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#session.post(kind, body, answer.resolve).catch((cause: unknown) => {
        answer.reject(new SyncError('ERR_SYNC_SESSION_ENDED', `${kind}: could not be sent`, { cause }));
      });
      const outcome = await answer.promise;
      if (outcome.status !== 0) throw new UpstreamRefusedError(kind, outcome);
      return outcome.body;
    } finally {
      this.#waiting.delete(answer);
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
