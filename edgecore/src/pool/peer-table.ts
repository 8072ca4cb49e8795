import type { Contender } from './leader-order.ts';
import type { MemberNote, PeerStatus } from './peer-messages.ts';
import type { PoolTimes } from './pool-times.ts';

/** What a member last said of itself. */
export interface HeardPeer {
  readonly status: PeerStatus;
  /** Monotonic milliseconds. */
  readonly heardMs: number;
}

/** What is known of the other members, by their own word; others' words about them count for less. */
export class PeerTable {
  readonly #heard = new Map<string, HeardPeer>();
  readonly #notes = new Map<string, { readonly note: MemberNote; readonly atMs: number }>();
  /** Who was tried in vain since it was heard last, and when that was tried last. */
  readonly #unreached = new Map<string, number>();

  /** A member has said this of itself. */
  hear(status: PeerStatus, nowMs: number): void {
    this.#heard.set(status.node, { status, heardMs: nowMs });
    this.#notes.delete(status.node);
    this.#unreached.delete(status.node);
  }

  /** A member could not be reached, or its link broke: that it leads counts no more until it says so again. */
  unreached(name: string, nowMs: number): void {
    this.#unreached.set(name, nowMs);
  }

  /** Whether a member was tried in vain since it was heard last, and not long ago. */
  isUnreached(name: string, nowMs: number, times: PoolTimes): boolean {
    return nowMs - (this.#unreached.get(name) ?? -Infinity) < times.expiryMs;
  }

  /** The leader says how the others are. */
  note(notes: readonly MemberNote[], nowMs: number): void {
    for (const note of notes) this.#notes.set(note.name, { note, atMs: nowMs });
  }

  /** Forgets whoever is no member any more. */
  keepOnly(isMember: (name: string) => boolean): void {
    for (const map of [this.#heard, this.#notes, this.#unreached])
      for (const name of [...map.keys()]) if (!isMember(name)) map.delete(name);
  }

  get(name: string): HeardPeer | undefined {
    return this.#heard.get(name);
  }

  /** How a member is by the last word about it, its own if there is one. */
  state(name: string, nowMs: number): MemberNote | undefined {
    const heard = this.#heard.get(name);
    const noted = this.#notes.get(name);
    if (heard !== undefined) {
      const { state, version } = heard.status;
      return { name, state, version, heardMs: nowMs - heard.heardMs };
    }
    return noted && { ...noted.note, heardMs: noted.note.heardMs + nowMs - noted.atMs };
  }

  /** How all are that were heard of, for others; at most so many. */
  notes(nowMs: number, limit: number): readonly MemberNote[] {
    return [...this.#heard].slice(0, limit).map(([name, { status, heardMs }]) => ({
      name,
      state: status.state,
      version: status.version,
      heardMs: Math.round(nowMs - heardMs),
    }));
  }

  /** Members that lead, by their own word of now, and that have been reached since or not tried. */
  leaders(nowMs: number, times: PoolTimes): readonly Contender[] {
    return [...this.#heard.values()]
      .filter(({ status, heardMs }) => status.leads && !status.stopping && nowMs - heardMs < times.expiryMs)
      .filter(({ status }) => !this.#unreached.has(status.node))
      .map(({ status, heardMs }) => contenderOf(status, nowMs - heardMs, times));
  }
}

/** As contenders are compared. @param ageMs how long ago it said this */
export function contenderOf(status: PeerStatus, ageMs: number, times: PoolTimes): Contender {
  const { node, epoch, provisional, complete, version } = status;
  return { node, epoch, provisional, complete, version, heardByCloud: hearsCloud(status, ageMs, times) };
}

/** Whether a member hears the cloud itself, as far as it can be known. */
export function hearsCloud({ cloud, cloudMs }: PeerStatus, ageMs: number, times: PoolTimes): boolean {
  return cloud && cloudMs >= 0 && cloudMs + ageMs < times.hubLostMs + times.heartbeatMs;
}
