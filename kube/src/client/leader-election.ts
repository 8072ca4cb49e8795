import { systemClock, systemRandom, type Clock, type Random } from '@hawser/seams';
import { CallSignal } from './call-signal.ts';
import { ClientError } from './client-error.ts';
import { LeaseLock, microTime, type Lease, type LeaseLockOptions, type LeaseSpec } from './lease.ts';
import { pause } from './pause.ts';
import { report } from './report.ts';

/** A time of leadership. */
export interface LeadershipTerm {
  /**
   * Grows from term to term of whichever process: what the leader writes elsewhere carries it, and who is written to
   * refuses a smaller one. It is the lease's `leaseTransitions`, and so starts over if the lease is deleted.
   */
  readonly token: number;
  /** Aborted when leadership ends: lost, or the elector stops. */
  readonly signal: AbortSignal;
}

/** Settings of {@link LeaderElector}; the times are client-go's defaults. */
export interface LeaderElectionOptions extends LeaseLockOptions {
  /** Unique among all candidates, of processes and not of machines: host name and a random part. */
  readonly identity: string;
  /** What the leader does. It must end soon after `term.signal`; if it ends before, leadership is given up. */
  readonly lead: (term: LeadershipTerm) => Promise<void>;
  /** Others wait so long after the last renewal that they saw. Default 15000. */
  readonly leaseMs?: number;
  /** The leader gives up so long after its last successful renewal. Default 10000. */
  readonly renewDeadlineMs?: number;
  /** Time between attempts. Default 2000; candidates add up to 120 % by chance. */
  readonly retryMs?: number;
  /** Hears who holds the lease now; `''` for nobody. */
  readonly onNewLeader?: (identity: string) => void;
  /** Hears of failures; the elector goes on by itself. */
  readonly onError?: (error: Error) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

const JITTER = 1.2;

interface Observed {
  readonly lease: Lease;
  /** When this version was first seen here, monotonic. */
  readonly atMs: number;
}

/**
 * Leader election by a Lease. One term after the other until stopped:
 * 1. look at the lease at intervals; another's lease counts for its duration from when *we* saw it change, so that
 *    nobody's wall clock matters;
 * 2. once it is free, ours, or run out: write it, with the version read as guard, and lead;
 * 3. renew at intervals; without success for `renewDeadlineMs` leadership ends, well before others may begin;
 * 4. at the end abort the work, wait for it, and free the lease unless it was lost.
 * Source: client-go tools/leaderelection. Other than there, work is awaited before the lease is freed, and each new
 * term counts as a transition, also of the same identity.
 */
export class LeaderElector {
  readonly #options: LeaderElectionOptions;
  readonly #lock: LeaseLock;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #leaseMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #observed: Observed | undefined;
  #reportedLeader: string | undefined;
  #leading = false;
  /** When the last write that succeeded was begun. */
  #renewedMs = -Infinity;

  /** @throws ClientError `ERR_KUBE_CLIENT_CONFIG` unless leaseMs > renewDeadlineMs > retryMs · 1.2 > 0 */
  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#leaseMs = options.leaseMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    // Half of the deadline, so that a call that hangs leaves time for another.
    this.#lock = new LeaseLock(options, this.#renewDeadlineMs / 2);
    this.#retryMs = options.retryMs ?? 2000;
    const ordered = this.#leaseMs > this.#renewDeadlineMs && this.#renewDeadlineMs > this.#retryMs * JITTER;
    if (ordered && this.#retryMs > 0 && this.#leaseMs >= 1000 && options.identity !== '') return;
    const text =
      'leader election needs an identity, leaseMs ≥ 1000 and leaseMs > renewDeadlineMs > 1.2 · retryMs > 0';
    throw new ClientError('ERR_KUBE_CLIENT_CONFIG', text, { about: this.#lock.about });
  }

  /** Whether leadership is held right now, by the clock and not only by what was heard last. */
  get isLeader(): boolean {
    return this.#leading && this.#clock.monotonicMs() - this.#renewedMs < this.#renewDeadlineMs;
  }

  /** Who holds the lease as far as is known; `''`: nobody, or not known. */
  get leader(): string {
    return this.#observed?.lease.spec?.holderIdentity ?? '';
  }

  /** Begins to stand for election; without effect when begun or stopped. */
  start(): void {
    if (this.#stopping.signal.aborted) return;
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Ends the term if there is one, frees the lease; resolves when the work has ended. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ClientError('ERR_KUBE_CLIENT_CLOSED', 'leader election was stopped'));
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const token = await this.#tryToAcquire(signal);
      if (token !== undefined) await this.#lead(token, signal);
      await pause(this.#retryMs * (1 + JITTER * this.#random.next()), this.#clock, signal);
    }
  }

  /** One attempt, bounded by the renew deadline; the token of the new term, or undefined. */
  async #tryToAcquire(stopping: AbortSignal): Promise<number | undefined> {
    const attempt = new CallSignal(this.#clock, stopping);
    const late = `no answer about lease ${this.#lock.about} within ${this.#renewDeadlineMs} ms`;
    attempt.arm(this.#renewDeadlineMs, () => new ClientError('ERR_KUBE_CLIENT_TIMEOUT', late));
    try {
      return await this.#acquire(attempt.signal);
    } catch (error) {
      if (!stopping.aborted) report(this.#options.onError, error);
      return undefined;
    } finally {
      attempt.release();
    }
  }

  async #acquire(signal: AbortSignal): Promise<number | undefined> {
    const startedMs = this.#clock.monotonicMs();
    const lease = await this.#lock.read(signal);
    if (lease !== undefined) this.#observe(lease);
    if (lease !== undefined && this.#isHeldByAnother()) return undefined;
    const now = microTime(this.#clock.wallMs());
    // A lease that was deleted is followed on from, if we saw it.
    const before = (lease ?? this.#observed?.lease)?.spec?.leaseTransitions;
    const token = before === undefined ? 0 : before + 1;
    const spec = this.#spec({ acquireTime: now, renewTime: now, leaseTransitions: token });
    const written =
      lease === undefined
        ? await this.#lock.create(spec, signal)
        : await this.#lock.write(lease, spec, signal);
    this.#observe(written);
    this.#renewedMs = startedMs;
    return token;
  }

  #spec(rest: LeaseSpec): LeaseSpec {
    const leaseDurationSeconds = Math.ceil(this.#leaseMs / 1000);
    return { holderIdentity: this.#options.identity, leaseDurationSeconds, ...rest };
  }

  #isHeldByAnother(): boolean {
    if (this.#observed === undefined) return false;
    const { lease, atMs } = this.#observed;
    const { holderIdentity = '', leaseDurationSeconds } = lease.spec ?? {};
    if (holderIdentity === '' || holderIdentity === this.#options.identity) return false;
    const validMs = leaseDurationSeconds === undefined ? this.#leaseMs : leaseDurationSeconds * 1000;
    return this.#clock.monotonicMs() < atMs + validMs;
  }

  #observe(lease: Lease): void {
    const before = this.#observed?.lease.metadata;
    const { uid, resourceVersion } = lease.metadata;
    if (before === undefined || before.uid !== uid || before.resourceVersion !== resourceVersion) {
      this.#observed = { lease, atMs: this.#clock.monotonicMs() };
    }
    if (this.leader === this.#reportedLeader) return;
    this.#reportedLeader = this.leader;
    try {
      this.#options.onNewLeader?.(this.leader);
    } catch (error) {
      report(this.#options.onError, error);
    }
  }

  /** A term from its first to its last moment. */
  async #lead(token: number, stopping: AbortSignal): Promise<void> {
    const term = new CallSignal(this.#clock, stopping);
    this.#armDeadline(term);
    this.#leading = true;
    const work = this.#work({ token, signal: term.signal }).finally(() => {
      term.abort(new ClientError('ERR_KUBE_CLIENT_CLOSED', 'the leader gave up'));
    });
    await this.#keepRenewing(term);
    this.#leading = false;
    await this.#awaitEnd(work);
    term.release();
    const lost = isLoss(term.signal.reason);
    if (lost) report(this.#options.onError, term.signal.reason);
    else if (this.#clock.monotonicMs() - this.#renewedMs < this.#leaseMs) await this.#free();
  }

  async #work(term: LeadershipTerm): Promise<void> {
    try {
      await this.#options.lead(term);
    } catch (error) {
      if (!term.signal.aborted) report(this.#options.onError, error);
    }
  }

  /** Says so when work goes on after others may have begun. */
  async #awaitEnd(work: Promise<void>): Promise<void> {
    const leftMs = Math.max(0, this.#renewedMs + this.#leaseMs - this.#clock.monotonicMs());
    const text = `the work of lease ${this.#lock.about} goes on though the lease has run out`;
    const late = (): void => report(this.#options.onError, new ClientError('ERR_KUBE_CLIENT_STALLED', text));
    const timer = this.#clock.setTimer(leftMs, late);
    try {
      await work;
    } finally {
      timer.cancel();
    }
  }

  /** Renews until the term's signal is aborted, by whomever. */
  async #keepRenewing(term: CallSignal): Promise<void> {
    while (true) {
      if (!(await pause(this.#retryMs, this.#clock, term.signal))) return;
      const startedMs = this.#clock.monotonicMs();
      try {
        await this.#renew(term.signal);
        this.#renewedMs = startedMs;
        this.#armDeadline(term);
      } catch (error) {
        if (isLoss(error)) term.abort(error);
        if (term.signal.aborted) return;
        report(this.#options.onError, error);
      }
    }
  }

  /** Writes on top of what was seen last; if that is not it any more, has another look. */
  async #renew(signal: AbortSignal): Promise<void> {
    const spec = this.#spec({ renewTime: microTime(this.#clock.wallMs()) });
    const known = this.#observed?.lease;
    if (known !== undefined) {
      try {
        this.#observe(await this.#lock.write(known, spec, signal));
        return;
      } catch (error) {
        signal.throwIfAborted();
        report(this.#options.onError, error);
      }
    }
    const lease = await this.#lock.read(signal);
    if (lease === undefined) throw lossOf(this.#lock.about, 'was deleted');
    this.#observe(lease);
    if (lease.spec?.holderIdentity !== this.#options.identity)
      throw lossOf(this.#lock.about, 'has another holder');
    this.#observe(await this.#lock.write(lease, spec, signal));
  }

  #armDeadline(term: CallSignal): void {
    const leftMs = this.#renewedMs + this.#renewDeadlineMs - this.#clock.monotonicMs();
    term.arm(leftMs, () => lossOf(this.#lock.about, `was not renewed for ${this.#renewDeadlineMs} ms`));
  }

  /** Lets others begin at once. A failure is only reported: the lease runs out by itself. */
  async #free(): Promise<void> {
    const lease = this.#observed?.lease;
    if (lease === undefined) return;
    const now = microTime(this.#clock.wallMs());
    const call = new CallSignal(this.#clock);
    call.arm(
      this.#renewDeadlineMs,
      () => new ClientError('ERR_KUBE_CLIENT_TIMEOUT', 'the lease was not freed'),
    );
    try {
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
      this.#observe(await this.#lock.write(lease, spec, call.signal));
    } catch (error) {
      report(this.#options.onError, error);
    } finally {
      call.release();
    }
  }
}

class LeadershipLost extends ClientError {}

function lossOf(about: string, how: string): LeadershipLost {
  return new LeadershipLost('ERR_KUBE_CLIENT_STALLED', `leadership was lost: lease ${about} ${how}`, {
    about,
  });
}

function isLoss(error: unknown): error is LeadershipLost {
  return error instanceof LeadershipLost;
}
