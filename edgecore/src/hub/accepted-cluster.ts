import type { AcceptedCluster, ClusterIdentity } from '@hawser/sync';
import type { StateStore } from '../store/state-store.ts';

const KEY = 'accepted-cluster';

/** As it is kept. */
interface Kept extends ClusterIdentity {
  /** UID of the cluster that the node had joined when it accepted this one; empty: not known. */
  readonly joined: string;
}

/**
 * The cluster that this node has accepted, in the state of the edge. A node that has joined another cluster since (with
 * a token, which is an operator's word) has accepted none: the next one that speaks with that cluster's authority is
 * its cluster.
 */
export class StoredAcceptedCluster implements AcceptedCluster {
  readonly #state: StateStore;
  readonly #joined: string;

  /** @param joined UID of the cluster that the node has joined; undefined: not known */
  constructor(state: StateStore, joined: string | undefined) {
    this.#state = state;
    this.#joined = joined ?? '';
  }

  load(): ClusterIdentity | undefined {
    const kept = this.#read();
    if (kept === undefined) return undefined;
    const hasJoinedAnother =
      this.#joined !== '' && kept.joined !== this.#joined && kept.clusterUid !== this.#joined;
    if (hasJoinedAnother) return undefined;
    return { clusterUid: kept.clusterUid, incarnation: kept.incarnation };
  }

  save({ clusterUid, incarnation }: ClusterIdentity): Promise<void> {
    const kept: Kept = { clusterUid, incarnation, joined: this.#joined };
    return this.#state.set(KEY, Buffer.from(JSON.stringify(kept)));
  }

  #read(): Kept | undefined {
    const bytes = this.#state.get(KEY);
    return bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as Kept); // only save() writes it
  }
}
