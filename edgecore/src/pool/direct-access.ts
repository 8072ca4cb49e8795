import type { Clock, Logger } from '@hawser/seams';
import type { HubWords } from './hub-words.ts';
import type { PoolTimes } from './pool-times.ts';

/** What {@link DirectAccess} is made of. */
export interface DirectAccessOptions {
  readonly words: Pick<HubWords, 'direct'>;
  readonly times: () => PoolTimes;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Leave of the hub: from when, until when, monotonic milliseconds. */
interface Grant {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A grant is asked for again when so much of it is over. */
const RENEW_AT = 0.6;
const LONGEST_MS = 24 * 3_600_000;

/** Leave to read the pool's resources from the hub, without a leader: asked for, kept, given up. */
export class DirectAccess {
  readonly #options: DirectAccessOptions;
  #grant: Grant | undefined;
  #asking = false;
  #retryMs = -Infinity;
  /** Grows when what was asked for is not wanted any more. */
  #round = 0;
  #refusal: string | undefined;

  constructor(options: DirectAccessOptions) {
    this.#options = options;
  }

  /** Whether the grant holds now. */
  get active(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#grant !== undefined && this.#grant.fromMs <= nowMs && nowMs < this.#grant.untilMs;
  }

  /** What the hub said when it last refused; undefined: it did not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** It is wanted. @returns when to look again, monotonic milliseconds */
  want(pool: string): number {
    const nowMs = this.#options.clock.monotonicMs();
    const grant = this.#grant;
    if (grant !== undefined && nowMs >= grant.untilMs) this.#grant = undefined;
    const renewMs = grant === undefined ? nowMs : grant.fromMs + (grant.untilMs - grant.fromMs) * RENEW_AT;
    const dueMs = Math.max(renewMs, this.#retryMs);
    if (dueMs <= nowMs && !this.#asking) void this.#ask(pool);
    const beginsMs = grant !== undefined && grant.fromMs > nowMs ? grant.fromMs : Infinity;
    return Math.min(
      beginsMs,
      grant?.untilMs ?? Infinity,
      this.#asking ? Infinity : Math.max(dueMs, nowMs + 1),
    );
  }

  /** The hub has ended it. */
  fenced(): void {
    this.#grant = undefined;
    this.#retryMs = this.#options.clock.monotonicMs() + this.#options.times().retryMs;
  }

  /** It is not wanted any more. */
  drop(): void {
    if (this.#grant === undefined && !this.#asking && this.#retryMs === -Infinity) return;
    this.#round += 1;
    this.#grant = undefined;
    this.#retryMs = -Infinity;
    this.#refusal = undefined;
  }

  async #ask(pool: string): Promise<void> {
    const { words, clock, times, log, onChange } = this.#options;
    this.#asking = true;
    const round = this.#round;
    const answer = await words.direct(pool);
    this.#asking = false;
    const nowMs = clock.monotonicMs();
    if (round !== this.#round) return;
    if ('refused' in answer) {
      this.#retryMs = nowMs + Math.min(LONGEST_MS, Math.max(times().retryMs, answer.retryAfterMs));
      if (this.#refusal === undefined)
        log.info({}, `the hub gives no leave to go without a leader: ${answer.refused}`);
      this.#refusal = answer.refused;
    } else {
      const fromMs = this.active ? nowMs : nowMs + bounded(answer.afterMs);
      this.#grant = { fromMs, untilMs: fromMs + bounded(answer.forMs) };
      this.#retryMs = nowMs + times().retryMs;
      this.#refusal = undefined;
    }
    onChange();
  }
}

function bounded(ms: number): number {
  return Number.isFinite(ms) ? Math.min(LONGEST_MS, Math.max(0, ms)) : 0;
}
