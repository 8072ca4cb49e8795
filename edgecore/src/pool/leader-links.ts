import { delay, type Clock, type Logger } from '@hawser/seams';
import type { PeerLink, PeerPipe } from './peer-link.ts';
import type { PeerAnswer, PeerMessage } from './peer-messages.ts';
import { PeerSession } from './peer-session.ts';
import type { PoolTimes } from './pool-times.ts';

/** A member that is to be reached. */
export interface PeerTarget {
  readonly name: string;
  /** `address:port`. */
  readonly endpoint: string;
}

/** What {@link LeaderLinks} are made of. */
export interface LeaderLinksOptions {
  readonly link: PeerLink;
  readonly times: () => PoolTimes;
  /** What this node says now, to this peer. */
  readonly message: (peer: string) => PeerMessage;
  /** Called with each answer, before it decides over anything here. */
  readonly onAnswer: (answer: PeerAnswer) => void;
  /** The present link is another one, or none; why, in words, and where it was silent, since when (monotonic ms). */
  readonly onCurrent: (why: string, silentSinceMs?: number) => void;
  /** A peer could not be reached, did not answer, or its link broke. */
  readonly onUnreached: (peer: string) => void;
  /** Something may have changed. */
  readonly onChange: () => void;
  readonly onBytes: (bytes: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A link with a member that leads, or did when it was asked last. */
export interface LeaderLink {
  readonly name: string;
  readonly session: PeerSession;
  /** What it answered last, and when, monotonic milliseconds. */
  answer: PeerAnswer;
  heardMs: number;
}

interface Held extends LeaderLink {
  readonly takenMs: number;
  toldMs: number;
  telling: boolean;
  again: boolean;
}

/**
 * The link with the leader, kept with heartbeats; and the next one, when another member is to be followed: the present
 * one stays until the next one leads and is ready. Also asks members what they know, once.
 */
export class LeaderLinks {
  readonly #options: LeaderLinksOptions;
  /** Not tried again before, by name, monotonic milliseconds. */
  readonly #notBefore = new Map<string, number>();
  readonly #busy = new Map<string, AbortController>();
  /** Links in a row that broke as soon as they were there, by name. */
  readonly #brief = new Map<string, number>();
  #aim: PeerTarget | undefined;
  #current: Held | undefined;
  #stopped = false;

  constructor(options: LeaderLinksOptions) {
    this.#options = options;
  }

  /** The leader that is followed; undefined: none. */
  get current(): LeaderLink | undefined {
    return this.#current;
  }

  /** Whether a peer may be tried now. */
  isDue(name: string): boolean {
    return (this.#notBefore.get(name) ?? -Infinity) <= this.#options.clock.monotonicMs();
  }

  /** Whether there is a link with this peer, or one in the making. */
  isBusy(name: string): boolean {
    return this.#current?.name === name || this.#busy.has(name);
  }

  /** Whom to follow from now on; undefined: whoever is followed now. */
  aim(target: PeerTarget | undefined): void {
    this.#aim = target;
  }

  /** Forgets that peers could not be reached: something has changed. */
  forgive(): void {
    this.#notBefore.clear();
    this.#brief.clear();
  }

  /** Heartbeats, expiry, attempts. @returns when to look again, monotonic milliseconds */
  look(): number {
    if (this.#stopped) return Infinity;
    const nowMs = this.#options.clock.monotonicMs();
    const { heartbeatMs, expiryMs } = this.#options.times();
    let nextMs = Infinity;
    const current = this.#current;
    if (current !== undefined && nowMs - current.heardMs >= expiryMs)
      this.#lose(
        current,
        `nothing was heard of ${current.name} for ${seconds(nowMs - current.heardMs)}`,
        current.heardMs,
      );
    else if (current !== undefined) {
      if (!current.telling && nowMs - current.toldMs >= heartbeatMs) this.#tell(current);
      const tellMs = current.telling ? Infinity : current.toldMs + heartbeatMs;
      nextMs = Math.min(current.heardMs + expiryMs, tellMs);
    }
    const aim = this.#aim;
    if (aim !== undefined && aim.name !== this.#current?.name && !this.#busy.has(aim.name)) {
      const dueMs = this.#notBefore.get(aim.name) ?? -Infinity;
      if (dueMs <= nowMs) void this.#reach(aim);
      else nextMs = Math.min(nextMs, dueMs);
    }
    return nextMs;
  }

  /** Says at once how this node is now. */
  hurry(): void {
    if (this.#current !== undefined) this.#tell(this.#current);
  }

  /** Follows nobody any more. */
  drop(why: string): void {
    if (this.#current !== undefined) this.#drop(this.#current, why);
  }

  /** Asks a member what it knows, once. Undefined: it does not answer, or is asked already. */
  async ask(target: PeerTarget, timeoutMs: number): Promise<PeerAnswer | undefined> {
    if (this.#stopped || target.endpoint === '' || this.isBusy(target.name)) return undefined;
    const giveUp = new AbortController();
    this.#busy.set(target.name, giveUp);
    try {
      const session = await this.#dial(target, giveUp, timeoutMs);
      try {
        return await this.#answerOf(session, timeoutMs);
      } finally {
        session.close('that was all');
      }
    } catch (error) {
      this.#notReached(target, error, 'a member does not answer');
      return undefined;
    } finally {
      this.#busy.delete(target.name);
    }
  }

  /** Ends everything. */
  stop(): void {
    this.#stopped = true;
    for (const giveUp of this.#busy.values()) giveUp.abort(new Error('this member stops'));
    this.drop('this member stops');
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Dials, asks, and follows where the peer leads; waits a moment where it is about to. */
  async #reach(target: PeerTarget): Promise<void> {
    const { clock, times, onChange } = this.#options;
    const giveUp = new AbortController();
    this.#busy.set(target.name, giveUp);
    let session: PeerSession | undefined;
    let isTaken = false;
    let isReady = false;
    try {
      session = await this.#dial(target, giveUp, times().dialMs);
      const untilMs = clock.monotonicMs() + times().expiryMs;
      for (;;) {
        const answer = await this.#answerOf(session, times().dialMs);
        const { leads, ready } = answer.status;
        const isWanted = this.#aim?.name === target.name && !giveUp.signal.aborted;
        isReady = leads && ready;
        if (isWanted && leads && (ready || this.#current === undefined)) {
          this.#take(session, answer);
          isTaken = true;
          return;
        }
        if (!isWanted || clock.monotonicMs() >= untilMs) return;
        if (!leads && !isAbout(answer)) return;
        await delay(times().retryMs / 3, { clock, signal: giveUp.signal });
      }
    } catch (error) {
      this.#notReached(target, error, 'the leader is not reached');
    } finally {
      if (!isTaken) session?.close('another one leads');
      this.#busy.delete(target.name);
      // Another one was tried meanwhile: this one may be followed at once.
      if (!isTaken && !isReady) this.#notBefore.set(target.name, clock.monotonicMs() + times().retryMs);
      onChange();
    }
  }

  #notReached({ name }: PeerTarget, error: unknown, what: string): void {
    if (this.#stopped) return;
    this.#options.log.debug({ peer: name, err: error }, what);
    this.#options.onUnreached(name);
  }

  /** @param giveUp aborted when it takes longer */
  async #dial(target: PeerTarget, giveUp: AbortController, timeoutMs: number): Promise<PeerSession> {
    const { link, clock, log, onBytes, onChange } = this.#options;
    const timer = clock.setTimer(timeoutMs, () =>
      giveUp.abort(new Error(`not within ${Math.round(timeoutMs)} ms`)),
    );
    let session: PeerSession | undefined;
    try {
      const onPipe = (pipe: PeerPipe): PeerSession['onFrame'] => {
        session = new PeerSession({ pipe, clock, log, onBytes, onNudge: () => this.#onNudge(pipe.peer) });
        return session.onFrame;
      };
      const pipe = await link.dial(target.name, target.endpoint, onPipe, giveUp.signal);
      void pipe.closed.then((why) => {
        const current = this.#current;
        if (current?.session === session && current !== undefined)
          this.#lose(current, `the link with ${target.name} broke: ${why}`);
        onChange();
      });
      if (session === undefined) throw new TypeError('a link that did not hand over its session');
      return session;
    } finally {
      timer.cancel();
    }
  }

  async #answerOf(session: PeerSession, timeoutMs: number): Promise<PeerAnswer> {
    const { message, onAnswer } = this.#options;
    const answer = await session.tell(message(session.peer), timeoutMs);
    onAnswer(answer);
    return answer;
  }

  #take(session: PeerSession, answer: PeerAnswer): void {
    const nowMs = this.#options.clock.monotonicMs();
    const before = this.#current;
    const { peer: name } = session;
    const times = { heardMs: nowMs, toldMs: nowMs, takenMs: nowMs };
    this.#current = { name, session, answer, ...times, telling: false, again: false };
    before?.session.close(`${name} leads`);
    this.#notBefore.delete(name);
    this.#options.onCurrent(`${name} leads`);
  }

  #lose(held: Held, why: string, silentSinceMs?: number): void {
    this.#options.onUnreached(held.name);
    this.#drop(held, why, silentSinceMs);
  }

  #drop(held: Held, why: string, silentSinceMs?: number): void {
    if (this.#current !== held) return;
    this.#current = undefined;
    held.session.close(why);
    this.#noteEnd(held);
    this.#options.onCurrent(why, silentSinceMs);
  }

  /** A peer whose links break as soon as they are there is tried less and less often. */
  #noteEnd({ name, takenMs }: Held): void {
    const { clock, times } = this.#options;
    const nowMs = clock.monotonicMs();
    const { heartbeatMs, retryMs } = times();
    const brief = nowMs - takenMs < heartbeatMs ? (this.#brief.get(name) ?? 0) + 1 : 0;
    this.#brief.set(name, brief);
    if (brief > 0) this.#notBefore.set(name, nowMs + retryMs * 2 ** Math.min(brief - 1, MOST_DOUBLINGS));
  }

  #onNudge(peer: string): void {
    if (this.#current?.name === peer) this.#tell(this.#current);
  }

  #tell(held: Held): void {
    held.again = true;
    if (!held.telling) void this.#exchange(held);
  }

  async #exchange(held: Held): Promise<void> {
    const { clock, times, log, onChange } = this.#options;
    held.telling = true;
    while (held.again && this.#current === held) {
      held.again = false;
      held.toldMs = clock.monotonicMs();
      try {
        held.answer = await this.#answerOf(held.session, times().expiryMs);
        held.heardMs = clock.monotonicMs();
        if (!held.answer.status.leads) this.#drop(held, whyNot(held));
      } catch (error) {
        log.debug({ peer: held.name, err: error }, 'no answer from the leader');
      }
    }
    held.telling = false;
    onChange();
  }
}

/** Of the wait before a peer is tried again whose links break at once. */
const MOST_DOUBLINGS = 5;

/** Milliseconds since the cloud was heard, by this node or by its leader; undefined: never. */
export function cloudAge(ownMs: number, leader: LeaderLink | undefined, nowMs: number): number | undefined {
  const { cloudMs = -1 } = leader?.answer.status ?? {};
  const leaderMs = leader !== undefined && cloudMs >= 0 ? leader.heardMs - cloudMs : -Infinity;
  const latestMs = Math.max(ownMs, leaderMs);
  return Number.isFinite(latestMs) ? nowMs - latestMs : undefined;
}

/** Whether it is worth while to ask again in a moment: it will lead, or knows better soon. */
function isAbout({ status: { electing, leader, node } }: PeerAnswer): boolean {
  return electing || leader === node;
}

function whyNot({ name, answer: { status } }: Held): string {
  if (status.stopping) return `${name} stops`;
  return status.leader === '' ? `${name} does not lead any more` : `${name} follows ${status.leader}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
