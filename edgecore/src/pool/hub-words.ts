import type { Clock, Logger } from '@hawser/seams';
import {
  packJson,
  packUpstream,
  unpackJson,
  UpstreamRefusedError,
  type Outbox,
  type UpstreamAnswers,
  type UpstreamBodies,
  type UpstreamRequests,
} from '@hawser/sync';
import type { PoolTimes } from './pool-times.ts';

/** What {@link HubWords} are made of. */
export interface HubWordsOptions {
  readonly requests: Pick<UpstreamRequests, 'request'>;
  readonly outbox: Pick<Outbox, 'putVolatile' | 'withdraw'>;
  /** What is to be reported, as it is now; undefined: nothing. */
  readonly report: () => Report | undefined;
  /** How this member stands. */
  readonly place: () => PoolPlace;
  readonly times: () => PoolTimes;
  /** A claim was answered. */
  readonly onClaimed: (answer: UpstreamAnswers['pool-claim']) => void;
  /** A claim was refused: the leader is there. */
  readonly onRefused: () => void;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the hub said to a request for a way of its own. */
export type DirectAnswer =
  | UpstreamAnswers['pool-direct']
  | { readonly refused: string; readonly code: string; readonly retryAfterMs: number };

/** How a member stands: it knows no leader, it leads, or it follows one. */
export type PoolPlace = 'searching' | 'leading' | 'following';

type Report = UpstreamBodies['pool-report'];

/** What makes another report; how many peers there are does not. */
const REPORTED = ['pool', 'endpoint', 'writable', 'resign', 'epoch', 'complete', 'version'] as const;
/**
 * What is reported at once when it changes: whether the member could lead; of one that does, whether it has all; and of
 * those that know no leader what they have, by which the hub chooses.
 */
const URGENT: Readonly<Record<PoolPlace, readonly (keyof Report)[]>> = {
  searching: REPORTED,
  leading: ['pool', 'endpoint', 'writable', 'resign', 'epoch', 'complete'],
  following: ['pool', 'endpoint', 'writable', 'resign'],
};
/** The leader is there. */
const CONFLICT = 409;
/** Claims that are refused come this much later than the first ones at most. */
const MOST_PATIENCE = 16;
/** So many are not put off: the hub may hear for a moment longer what it heard last. */
const FIRST_CLAIMS = 3;
/** Shortest time in which the hub is to answer, however short the times of the pool are. */
const LEAST_ANSWER_MS = 1_000;

/** What a member says to the hub about its pool: how it is, that it wants to lead, that it wants to go without a leader. */
export class HubWords {
  readonly #options: HubWordsOptions;
  #reported: Report | undefined;
  #reportedMs = -Infinity;
  #claimedMs = -Infinity;
  #claiming = false;
  /** Claims in a row that were refused. */
  #refusals = 0;

  constructor(options: HubWordsOptions) {
    this.#options = options;
  }

  /**
   * Reports on change only; what the hub does not need now not so often: each report of each member goes to the cloud.
   * @returns when to look again, monotonic milliseconds
   */
  look(): number {
    const { report, place, clock, times } = this.#options;
    const body = report();
    if (body === undefined) return Infinity;
    const nowMs = clock.monotonicMs();
    const isOther = (field: keyof Report): boolean => body[field] !== this.#reported?.[field];
    const isUrgent = URGENT[place()].some(isOther);
    if (!isUrgent && !REPORTED.some(isOther)) return Infinity;
    const dueMs = this.#reportedMs + (isUrgent ? times().reportMs : times().versionReportMs);
    if (nowMs < dueMs) return dueMs;
    this.sayAgain();
    return Infinity;
  }

  /** Says it now, whatever was said: another hub may know nothing. */
  sayAgain(onAnswer?: () => void): void {
    const { report, outbox, clock, log } = this.#options;
    const body = report();
    if (body === undefined) return;
    this.#reported = body;
    this.#reportedMs = clock.monotonicMs();
    try {
      outbox.putVolatile({
        key: keyOf(body.pool),
        kind: 'pool-report',
        body: () => {
          this.#reported = report() ?? body;
          return packUpstream(this.#reported);
        },
        ...(onAnswer !== undefined && { onAnswer }),
      });
    } catch (error) {
      log.warn({ err: error }, 'how this member is could not be reported');
    }
  }

  /** Nothing is to be said of this pool any more. */
  withdraw(pool: string): void {
    this.#reported = undefined;
    this.#options.outbox.withdraw(keyOf(pool));
  }

  /**
   * Claims to lead, not too often: less and less where it is refused, as the hub hears a leader that this member does not.
   * @returns when it may be tried again, monotonic milliseconds
   */
  claim(body: UpstreamBodies['pool-claim']): number {
    const { clock, times } = this.#options;
    const isAsked = body.silentMs === 0;
    const patience = isAsked ? 1 : Math.min(MOST_PATIENCE, 2 ** Math.max(0, this.#refusals - FIRST_CLAIMS));
    const dueMs = this.#claimedMs + times().claimMs * patience;
    // Whoever claims is told when the answer is there.
    if (this.#claiming) return Infinity;
    if (clock.monotonicMs() < dueMs) return dueMs;
    this.#claimedMs = clock.monotonicMs();
    this.#claiming = true;
    void this.#claim(body);
    return this.#claimedMs + times().claimMs * patience;
  }

  /** There is a leader: what was refused before counts no more. */
  contented(): void {
    this.#refusals = 0;
  }

  /** Asks for leave to go without a leader. */
  async direct(pool: string): Promise<DirectAnswer> {
    try {
      const answer = await this.#ask('pool-direct', { pool });
      return answer as UpstreamAnswers['pool-direct']; // the hub is trusted, and its numbers are used with bounds
    } catch (error) {
      const retryAfterMs = error instanceof UpstreamRefusedError ? error.retryAfterMs : 0;
      const { code = 'ERR_EDGECORE_INTERNAL' } = error as { readonly code?: string };
      return { refused: error instanceof Error ? error.message : String(error), code, retryAfterMs };
    }
  }

  async #claim(body: UpstreamBodies['pool-claim']): Promise<void> {
    const { log, onClaimed, onRefused, onChange } = this.#options;
    try {
      const { epoch, leader } = (await this.#ask('pool-claim', body)) as UpstreamAnswers['pool-claim'];
      if (Number.isSafeInteger(epoch) && typeof leader === 'string') onClaimed({ epoch, leader });
    } catch (error) {
      log.debug({ err: error, ...body }, 'the claim to lead the pool was not taken');
      this.#refusals += 1;
      if (error instanceof UpstreamRefusedError && error.status === CONFLICT) onRefused();
    } finally {
      this.#claiming = false;
      onChange();
    }
  }

  async #ask(kind: 'pool-claim' | 'pool-direct', body: object): Promise<unknown> {
    const { requests, times } = this.#options;
    const timeoutMs = Math.max(LEAST_ANSWER_MS, times().hubLostMs / 2);
    return unpackJson(await requests.request(kind, packJson(body), { timeoutMs }));
  }
}

function keyOf(pool: string): string {
  return `pool-report/${pool}`;
}
