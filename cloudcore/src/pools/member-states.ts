import type { SessionInfo, Tunnel } from '@hawser/proto';
import type { Clock } from '@hawser/seams';
import type { UpstreamBodies } from '@hawser/sync';

/** What a member said of itself last. */
export type MemberReport = UpstreamBodies['pool-report'];

/** The part of a session that is looked at. */
export type MemberSession = Pick<Tunnel, 'heardMs'> & { readonly info: Pick<SessionInfo, 'heartbeatMs'> };

interface Departed {
  readonly endedMs: number;
  readonly heardMs: number;
}

/** A heartbeat may be late by half of it. */
const LATE_HEARTBEAT = 1.5;
/** Nodes that are remembered after their session has ended; the longest gone go first. */
const MAX_DEPARTED = 10_000;

/** Who has a session here, when it was last heard, and what it said: what leaders are chosen by. */
export class MemberStates {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, MemberSession>();
  readonly #departed = new Map<string, Departed>();
  readonly #reports = new Map<string, MemberReport>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A session of the node has begun. Answers what to call when it has ended: whether it was the node's last one. */
  opened(node: string, session: MemberSession): () => boolean {
    this.#sessions.set(node, session);
    this.#departed.delete(node);
    return () => {
      if (this.#sessions.get(node) !== session) return false;
      this.#sessions.delete(node);
      this.#depart(node, session);
      return true;
    };
  }

  /** Whether the node has a session here. */
  isHere(node: string): boolean {
    return this.#sessions.has(node);
  }

  /** Time since the node's last session here ended, milliseconds; undefined: it has one, or none is remembered. */
  goneMs(node: string): number | undefined {
    const departed = this.#departed.get(node);
    return departed && this.#clock.monotonicMs() - departed.endedMs;
  }

  /** Time since something was heard of the node here, milliseconds; undefined: nothing is remembered. */
  silentMs(node: string): number | undefined {
    const session = this.#sessions.get(node);
    const heardMs = session === undefined ? this.#departed.get(node)?.heardMs : session.heardMs;
    return heardMs === undefined ? undefined : Math.max(0, this.#clock.monotonicMs() - heardMs);
  }

  /** Whether the node has a session here that is alive: its heartbeats come, or it was heard within a bound. */
  isAlive(node: string, boundMs: number): boolean {
    const session = this.#sessions.get(node);
    if (session === undefined) return false;
    return (
      this.#clock.monotonicMs() - session.heardMs <
      Math.max(boundMs, LATE_HEARTBEAT * session.info.heartbeatMs)
    );
  }

  report(node: string): MemberReport | undefined {
    return this.#reports.get(node);
  }

  reported(node: string, report: MemberReport): void {
    this.#reports.set(node, report);
  }

  /** The node is in no pool any more, or in another one. */
  forget(node: string): void {
    this.#reports.delete(node);
  }

  #depart(node: string, session: MemberSession): void {
    this.#departed.delete(node);
    this.#departed.set(node, { endedMs: this.#clock.monotonicMs(), heardMs: session.heardMs });
    if (this.#departed.size <= MAX_DEPARTED) return;
    const [oldest] = this.#departed.keys();
    if (oldest !== undefined) this.#departed.delete(oldest);
  }
}
