import { ResourceClient, RESOURCES, StatusError, type ApiClient, type Lease } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { NODE_LEASE_NAMESPACE } from '../cluster/names.ts';
import {
  claimedLease,
  holderOf,
  isFencedBy,
  slim,
  type LeaseHolder,
  type SessionClaim,
} from './node-lease.ts';

/** Settings of {@link LeaseTable}. */
export interface LeaseTableOptions {
  readonly client: ApiClient;
  /** Uid of a Node, from the hub's cache. */
  readonly nodeUid: (node: string) => string | undefined;
  readonly clock: Clock;
  /** Time for each call, milliseconds. */
  readonly callTimeoutMs: number;
}

/** What became of an attempt to write a claim. */
export type ClaimResult =
  | { readonly written: true; readonly conflicts: number }
  /** A newer session holds the Lease; nothing was written. */
  | { readonly written: false; readonly holder: LeaseHolder };

/** Leases remembered: those of nodes that are not connected any more go first. About 1 KiB each. */
const MAX_REMEMBERED = 20_000;
/** Somebody who writes a node's Lease that often is no hub. */
const ATTEMPTS = 5;

/**
 * The Leases of nodes, as this replica last saw them: what it remembers saves the reading, and the resourceVersion
 * notices when somebody else has written.
 */
export class LeaseTable {
  readonly #options: LeaseTableOptions;
  readonly #leases: ResourceClient<Lease>;
  /** In order of use. */
  readonly #remembered = new Map<string, Lease>();

  constructor(options: LeaseTableOptions) {
    this.#options = options;
    this.#leases = new ResourceClient<Lease>(options.client, RESOURCES.leases);
  }

  /**
   * Writes the claim that `claimOn` makes out of the Lease's present holder (epoch 0: none), unless a newer session
   * is there by then.
   * @throws StatusError (409 when others kept writing), ClientError; `signal.reason` after an abort
   */
  async write(
    node: string,
    claimOn: (holder: LeaseHolder) => SessionClaim,
    signal: AbortSignal,
  ): Promise<ClaimResult> {
    let current = this.#remembered.get(node) ?? (await this.#read(node, signal));
    for (let conflicts = 0; ; conflicts += 1) {
      const holder = current === undefined ? NOBODY : holderOf(current);
      const claim = claimOn(holder);
      if (isFencedBy(claim, holder)) {
        this.#remember(node, current);
        return { written: false, holder };
      }
      try {
        this.#remember(node, await this.#put(current, claim, signal));
        return { written: true, conflicts };
      } catch (error) {
        this.#remembered.delete(node);
        if (!isOutdated(error) || conflicts + 1 >= ATTEMPTS) throw error;
        current = await this.#read(node, signal);
      }
    }
  }

  /**
   * Who holds the Lease now, read anew; epoch 0: nobody. What is remembered is that from here on.
   * @throws StatusError, ClientError; `signal.reason` after an abort
   */
  async holder(node: string, signal: AbortSignal): Promise<LeaseHolder> {
    const lease = await this.#read(node, signal);
    this.#remember(node, lease);
    return lease === undefined ? NOBODY : holderOf(lease);
  }

  #put(current: Lease | undefined, claim: SessionClaim, signal: AbortSignal): Promise<Lease> {
    const { clock, nodeUid } = this.#options;
    const lease = claimedLease(current, claim, nodeUid(claim.node), clock.wallMs());
    const call = this.#call(signal);
    return current === undefined ? this.#leases.create(lease, call) : this.#leases.update(lease, call);
  }

  async #read(node: string, signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return await this.#leases.get(NODE_LEASE_NAMESPACE, node, this.#call(signal));
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 404) return undefined;
      throw error;
    }
  }

  #call(signal: AbortSignal): { signal: AbortSignal; retries: number; timeoutMs: number } {
    return { signal, retries: 0, timeoutMs: this.#options.callTimeoutMs };
  }

  #remember(node: string, lease: Lease | undefined): void {
    this.#remembered.delete(node);
    if (lease === undefined) return;
    this.#remembered.set(node, slim(lease));
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

const NOBODY: LeaseHolder = { replica: '', epoch: 0, sinceMs: 0 };

/** Somebody else wrote, made or removed the Lease: Conflict, AlreadyExists, NotFound. */
function isOutdated(error: unknown): boolean {
  return error instanceof StatusError && (error.status.code === 409 || error.status.code === 404);
}
