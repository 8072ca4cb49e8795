import type { Clock, Logger, Random } from '@hawser/seams';
import type {
  ChangeEncoder,
  Outbox,
  PoolCommit,
  PoolMembership,
  PoolStore,
  UpstreamRequests,
} from '@hawser/sync';
import type { PoolHub } from '../edge-pool-types.ts';
import type { PeerLink } from './peer-link.ts';
import type { SignedAddresses } from './peer-messages.ts';
import type { PoolCounters } from './pool-counters.ts';
import type { ScopeSource } from './pool-scopes.ts';
import type { PoolState } from './pool-types.ts';
import type { StateChecks } from './state-checks.ts';

/** What a `PoolRun` is made of: all that surrounds a member comes from outside. */
export interface PoolRunOptions {
  readonly node: string;
  readonly pool: string;
  /** As it is now. */
  readonly membership: () => PoolMembership;
  readonly hub: Pick<PoolHub, 'follow' | 'usable' | 'heardMs' | 'ping'>;
  readonly requests: Pick<UpstreamRequests, 'request'>;
  readonly outbox: Pick<Outbox, 'putVolatile' | 'withdraw'>;
  readonly link: PeerLink;
  readonly store: PoolStore;
  readonly checks: StateChecks;
  readonly encoder: ChangeEncoder;
  /** Whether the disk takes writes. */
  readonly writable: () => boolean;
  /** Whether a solo node's programs have asked for it. */
  readonly needed: () => boolean;
  /** Where pods are, as nodes say. */
  readonly addresses: AddressExchange;
  readonly counters: PoolCounters;
  readonly listener: PoolRunListener;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What others want to hear of it. */
export interface PoolRunListener {
  readonly onCommit: (commit: PoolCommit, source: ScopeSource | undefined) => void;
  /** State, leader, resources, or whether the cloud is heard. */
  readonly onChange: () => void;
  /** A leader gave what the hub has not signed. */
  readonly onRefused: (leader: string, message: string) => void;
}

/** What is given on of where pods are. */
export interface AddressExchange {
  /** Sequences that are here, by node. */
  has(): Readonly<Record<string, number>>;
  /** Those that are newer than what somebody has; at most so many bytes. */
  newerThan(has: Readonly<Record<string, number>>, limitBytes: number): readonly SignedAddresses[];
  /** Takes what a peer gives on, as far as it holds. Answers whether anything of it was new. */
  take(signed: readonly SignedAddresses[]): boolean;
  /** The cloud is heard, or is not any more. */
  setCloud(isThere: boolean): void;
}

/** How a member stands, for readers and operators. */
export interface PoolStanding {
  readonly state: PoolState;
  /** Wall time, milliseconds. */
  readonly sinceMs: number;
  readonly leader: string;
  readonly provisional: boolean;
  readonly epoch: number;
  readonly leads: boolean;
  /** Whether the cloud is heard, by this node or by its leader. */
  readonly cloud: boolean;
  /** Milliseconds since the cloud was heard, by this node or by its leader; undefined: never. */
  readonly cloudAgeMs: number | undefined;
}
