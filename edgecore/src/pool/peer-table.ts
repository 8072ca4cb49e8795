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

  /** A member has said this of itself. */
  hear(status: PeerStatus, nowMs: number): void {
    this.#heard.set(status.node, { status, heardMs: nowMs });
    this.#notes.delete(status.node);
  }

  /** The leader says how the others are. */
  note(notes: readonly MemberNote[], nowMs: number): void {
    for (const note of notes) this.#notes.set(note.name, { note, atMs: nowMs });
  }

  /** Forgets whoever is no member any more. */
  keepOnly(isMember: (name: string) => boolean): void {
    for (const map of [this.#heard, this.#notes])
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

  /** Members that lead, by their own word of now. */
  leaders(nowMs: number, times: PoolTimes): readonly Contender[] {
    return [...this.#heard.values()]
      .filter(({ status, heardMs }) => status.leads && !status.stopping && nowMs - heardMs < times.expiryMs)
      .map(({ status, heardMs }) => contenderOf(status, nowMs - heardMs, times));
  }
}

/** As contenders are compared. @param ageMs how long ago it said this */
export function contenderOf(status: PeerStatus, ageMs: number, times: PoolTimes): Contender {
  const { node, epoch, provisional, version } = status;
  return { node, epoch, provisional, version, heardByCloud: hearsCloud(status, ageMs, times) };
}

/** Whether a member hears the cloud itself, as far as it can be known. */
export function hearsCloud({ cloud, cloudMs }: PeerStatus, ageMs: number, times: PoolTimes): boolean {
  return cloud && cloudMs >= 0 && cloudMs + ageMs < times.hubLostMs + times.heartbeatMs;
}
