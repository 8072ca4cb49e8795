import type { Clock, Logger } from '@hawser/seams';
import { compareVersions } from './leader-order.ts';
import type { PeerAnswer, PeerMessage, PeerStatus, RosterProof } from './peer-messages.ts';
import type { PeerTable } from './peer-table.ts';
import type { AddressExchange } from './pool-run-types.ts';
import type { PoolScopes } from './pool-scopes.ts';

/** What {@link PeerWords} are made of. */
export interface PeerWordsOptions {
  readonly pool: string;
  readonly scopes: PoolScopes;
  readonly table: PeerTable;
  readonly addresses: AddressExchange;
  readonly status: () => PeerStatus;
  /** The member that is asked to take over; empty: nobody. */
  readonly handover: () => string;
  /** Whether addresses of pods are given on: not while the cloud knows them. */
  readonly sharesAddresses: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Bytes of addresses in one message. */
const ADDRESSES_BYTES = 256 * 1024;
/** Members that are told about at a time. */
const MAX_NOTES = 500;
/** Whoever follows wants to know how the others are in one of so many heartbeats. */
const NOTES_EVERY = 6;

/** What members say to each other: what this one knows, and the other one may not. */
export class PeerWords {
  readonly #options: PeerWordsOptions;
  /** What peers showed last of what they have, where they did. */
  readonly #has = new Map<string, Readonly<Record<string, number>>>();
  readonly #rosters = new Map<string, string>();
  #said = 0;
  #onAsked: ((peer: string) => void) | undefined;

  constructor(options: PeerWordsOptions) {
    this.#options = options;
  }

  /** Calls with each peer that has been answered from now on. */
  onAsked(listener: (peer: string) => void): void {
    this.#onAsked = listener;
  }

  /** What is said to a peer now. */
  message(peer: string): PeerMessage {
    const { addresses, status, sharesAddresses } = this.#options;
    this.#said += 1;
    const roster = this.#rosterFor(this.#rosters.get(peer));
    const has = this.#has.get(peer);
    const shares = sharesAddresses();
    return {
      status: status(),
      ...(roster !== undefined && { roster }),
      ...(shares && { has: addresses.has() }),
      ...(shares && has !== undefined && { addresses: addresses.newerThan(has, ADDRESSES_BYTES) }),
      ...(this.#said % NOTES_EVERY === 1 && { wantsMembers: true as const }),
    };
  }

  /** Takes what a peer has answered. Whether it is of this pool. */
  take(answer: PeerAnswer): boolean {
    const { table, clock, pool } = this.#options;
    const { status, members, has } = answer;
    if (status.pool !== pool) return false;
    table.hear(status, clock.monotonicMs());
    if (members !== undefined) table.note(members, clock.monotonicMs());
    this.#rosters.set(status.node, status.rosterVersion);
    if (has !== undefined) this.#has.set(status.node, has);
    this.#takeParts(answer);
    return true;
  }

  /** What a peer is answered that says how it is. @param onNews it is another than it was */
  answer(message: PeerMessage, peer: string, onNews: () => void): PeerAnswer {
    const { table, clock, status, handover, addresses, sharesAddresses } = this.#options;
    const isOfPool = message.status.pool === this.#options.pool;
    const nowMs = clock.monotonicMs();
    if (isOfPool) {
      table.hear(message.status, nowMs);
      this.#takeParts(message);
      onNews();
    }
    this.#onAsked?.(peer);
    const roster = isOfPool ? this.#rosterFor(message.status.rosterVersion) : undefined;
    const { has } = message;
    const shares = isOfPool && sharesAddresses();
    return {
      status: status(),
      handover: handover(),
      ...(roster !== undefined && { roster }),
      ...(shares && { has: addresses.has() }),
      ...(shares && has !== undefined && { addresses: addresses.newerThan(has, ADDRESSES_BYTES) }),
      ...(isOfPool && message.wantsMembers === true && { members: table.notes(nowMs, MAX_NOTES) }),
    };
  }

  #takeParts({ roster, addresses }: Pick<PeerMessage, 'roster' | 'addresses'>): void {
    const { scopes, log } = this.#options;
    if (roster !== undefined) {
      scopes.offerRoster(roster).catch((error: unknown) => {
        log.warn({ err: error }, 'a roster that a peer showed is not taken');
      });
    }
    if (addresses !== undefined) this.#options.addresses.take(addresses);
  }

  /** Where the other one has an older roster. @param version what it has; undefined: it is not known */
  #rosterFor(version: string | undefined): RosterProof | undefined {
    const { scopes } = this.#options;
    if (version === undefined || compareVersions(scopes.rosterVersion, version) <= 0) return undefined;
    return scopes.rosterProof();
  }
}
