import type { Credentials, PeerIdentity } from '@hawser/proto';
import type { Clock, Logger, Timer } from '@hawser/seams';
import { openAddresses, signAddresses, type PodAddresses } from './address-signature.ts';
import type { SignedAddresses } from './peer-messages.ts';
import type { AddressExchange } from './pool-run-types.ts';
import type { PodAddress, PodPlaces } from './pool-types.ts';

/** What a {@link PodAddressBook} is made of. */
export interface PodAddressBookOptions {
  readonly node: string;
  /** Pods of this node with their addresses, as they are now. */
  readonly own: () => PodAddresses;
  readonly credentials: () => Credentials;
  /** Whether a node is a member of the pool. */
  readonly isMember: (node: string) => boolean;
  readonly isRevoked: (identity: PeerIdentity) => boolean;
  /** A number above all that were given before, over restarts. */
  readonly nextSequence: () => number;
  /** Between two looks at the pods of this node, milliseconds. */
  readonly periodMs: () => number;
  /** Trusted wall time, milliseconds. */
  readonly wallMs: () => number;
  /** What {@link PodAddressBook.addresses} answers is another. */
  readonly onChange: () => void;
  /** There is something for the others. */
  readonly onNews: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Page {
  readonly signed: SignedAddresses;
  readonly pods: PodAddresses;
}

/** Nodes whose addresses are kept. */
const MAX_NODES = 1_000;

/**
 * Where pods are by the word of their nodes, while no cloud says it: docs/pool.md, "After an offline reboot". Each node
 * signs its own; members give them on to each other.
 */
export class PodAddressBook implements AddressExchange {
  readonly #options: PodAddressBookOptions;
  readonly #pages = new Map<string, Page>();
  #pool = '';
  #addresses: PodPlaces = new Map();
  #isCloudThere = true;
  #ownText: string | undefined;
  #timer: Timer | undefined;

  constructor(options: PodAddressBookOptions) {
    this.#options = options;
  }

  /** By pod UID; empty while the cloud is heard. */
  addresses(): PodPlaces {
    return this.#addresses;
  }

  /** The pool that it is for; what is known of another one is forgotten. */
  setPool(pool: string): void {
    if (pool === this.#pool) return;
    this.#pool = pool;
    this.#pages.clear();
    this.#ownText = undefined;
    this.#show();
  }

  setCloud(isThere: boolean): void {
    if (isThere === this.#isCloudThere) return;
    this.#isCloudThere = isThere;
    this.#timer?.cancel();
    if (!isThere) this.#look();
    this.#show();
  }

  has(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#pages].map(([node, { signed }]) => [node, signed.sequence]));
  }

  newerThan(has: Readonly<Record<string, number>>, limitBytes: number): readonly SignedAddresses[] {
    const newer: SignedAddresses[] = [];
    let bytes = 0;
    for (const [node, { signed }] of this.#pages) {
      const theirs = Object.hasOwn(has, node) ? (has[node] ?? 0) : 0;
      if (theirs >= signed.sequence) continue;
      bytes += signed.pods.length + signed.certificate.length + signed.signature.length;
      if (bytes > limitBytes && newer.length > 0) break;
      newer.push(signed);
    }
    return newer;
  }

  take(signed: readonly SignedAddresses[]): boolean {
    let isNew = false;
    for (const each of signed) {
      const taken = this.#takeOne(each);
      // Checking costs: whoever gives on what does not hold is listened to no further.
      if (taken === undefined) break;
      isNew ||= taken;
    }
    if (!isNew) return false;
    this.#show();
    this.#options.onNews();
    return true;
  }

  /** Forgets nodes that are members no longer. */
  check(): void {
    const { node, isMember } = this.#options;
    let isOther = false;
    for (const name of [...this.#pages.keys()])
      if (name !== node && !isMember(name)) isOther = this.#pages.delete(name) || isOther;
    if (isOther) this.#show();
  }

  /** Looks no more. */
  stop(): void {
    this.#timer?.cancel();
    this.#isCloudThere = true;
    this.#show();
  }

  /** Whether it was new; undefined: it does not hold. */
  #takeOne(signed: SignedAddresses): boolean | undefined {
    const { node, isMember, credentials, isRevoked, wallMs, log } = this.#options;
    const present = this.#pages.get(signed.node);
    if (signed.node === node || (present?.signed.sequence ?? 0) >= signed.sequence) return false;
    if (!isMember(signed.node) || (present === undefined && this.#pages.size >= MAX_NODES)) return false;
    try {
      const { authorities } = credentials();
      const pods = openAddresses(signed, { pool: this.#pool, authorities, isRevoked, wallMs });
      if (pods === undefined) throw new TypeError('it is not signed by that node');
      this.#pages.set(signed.node, { signed, pods });
      return true;
    } catch (error) {
      log.warn(
        { err: error, about: signed.node },
        'what a peer gave on of the addresses of pods is not taken',
      );
      return undefined;
    }
  }

  /** This node's own pods: looked at again and again, while nobody else says where they are. */
  #look(): void {
    const { own, credentials, node, nextSequence, periodMs, clock, log, onNews } = this.#options;
    this.#timer = clock.setTimer(periodMs(), () => this.#look(), { background: true });
    if (this.#pool === '') return;
    const pods = own();
    const text = JSON.stringify([...pods]);
    if (text === this.#ownText) return;
    try {
      const of = { pool: this.#pool, node, sequence: nextSequence() };
      this.#pages.set(node, { signed: signAddresses(pods, of, credentials()), pods });
      this.#ownText = text;
    } catch (error) {
      log.warn({ err: error }, 'the addresses of this node’s pods could not be signed');
      return;
    }
    this.#show();
    onNews();
  }

  #show(): void {
    const next = new Map<string, readonly PodAddress[]>();
    if (!this.#isCloudThere)
      for (const [node, { pods }] of this.#pages)
        for (const [uid, { ips, ready }] of pods)
          next.set(uid, [...(next.get(uid) ?? []), { node, ips, ready }]);
    if (next.size === 0 && this.#addresses.size === 0) return;
    this.#addresses = next;
    this.#options.onChange();
  }
}
