/** Which cluster a hub speaks for, and which life of it. */
export interface ClusterIdentity {
  /** UID of the namespace `kube-system`. */
  readonly clusterUid: string;
  /** Differs after the cluster's data went back to an older state. */
  readonly incarnation: string;
}

/** Where an edge remembers which cluster it has accepted. */
export interface AcceptedCluster {
  /** undefined: none yet. */
  load(): ClusterIdentity | undefined;
  /** Makes it durable. Rejects where the disk fails; then nothing was accepted. */
  save(identity: ClusterIdentity): Promise<void>;
}

/** What a hub says of itself in the welcome. */
export interface ClusterClaim extends ClusterIdentity {
  /**
   * Incarnations of the same cluster after which an operator has accepted this one for all nodes
   * (`hawser accept-cluster` in the cloud). Default: none.
   */
  readonly follows?: readonly string[];
}

/** Whether an edge may go on with a hub. `why` is for people. */
export type ClusterVerdict = { readonly go: true } | { readonly go: false; readonly why: string };

const GO: ClusterVerdict = { go: true };

/**
 * Rule 2 of docs/sync.md: an edge obeys the cluster that it has accepted, in the life that it has accepted, and no
 * other. While the verdict is not `go` the edge subscribes to nothing, reports nothing upward, and goes on with what
 * it has.
 */
export class ClusterGuard {
  readonly #accepted: AcceptedCluster;
  #held: ClusterIdentity | undefined;

  constructor(accepted: AcceptedCluster) {
    this.#accepted = accepted;
  }

  /** The cluster that waits for an operator's word, if one does. */
  get held(): ClusterIdentity | undefined {
    return this.#held;
  }

  /**
   * To be asked with each welcome, before anything else is done with the session. The first cluster ever is accepted,
   * durably, before the verdict says `go`.
   * @throws what {@link AcceptedCluster.save} rejects with: end the session and try again later
   */
  async judge(claim: ClusterClaim): Promise<ClusterVerdict> {
    const identity = { clusterUid: claim.clusterUid, incarnation: claim.incarnation };
    if (identity.clusterUid === '' || identity.incarnation === '')
      return { go: false, why: 'the hub does not say which cluster it speaks for' };
    const accepted = this.#accepted.load();
    if (accepted === undefined) return this.#take(identity);
    if (accepted.clusterUid !== identity.clusterUid) {
      this.#held = identity;
      const why = `the hub speaks for cluster ${identity.clusterUid}, this node belongs to ${accepted.clusterUid}`;
      return { go: false, why };
    }
    if (accepted.incarnation === identity.incarnation) {
      this.#held = undefined;
      return GO;
    }
    if (claim.follows?.includes(accepted.incarnation) === true) return this.#take(identity);
    this.#held = identity;
    const why = `the cluster's state went back to an older one (incarnation ${identity.incarnation}, this node knows ${accepted.incarnation})`;
    return { go: false, why };
  }

  /**
   * An operator's word, `hawser accept-cluster` at the edge: takes the cluster that is held. Connect anew afterwards.
   * Answers what was accepted, undefined if none was held.
   * @throws what {@link AcceptedCluster.save} rejects with
   */
  async accept(): Promise<ClusterIdentity | undefined> {
    const held = this.#held;
    if (held !== undefined) await this.#take(held);
    return held;
  }

  async #take(identity: ClusterIdentity): Promise<ClusterVerdict> {
    await this.#accepted.save(identity);
    this.#held = undefined;
    return GO;
  }
}
