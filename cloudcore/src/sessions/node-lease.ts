import {
  formatMicroTime,
  isPlainObject,
  parseTime,
  type KubeObject,
  type Lease,
  type OwnerReference,
} from '@hawser/kube';
import { ANNOTATIONS, NODE_LEASE_NAMESPACE } from '../cluster/names.ts';

/** Time after which a node that is not renewed counts as silent. Source: kubelet, nodeLeaseDurationSeconds. */
export const LEASE_SECONDS = 40;
/** The tunnel takes no higher one from an edge. */
const MAX_EPOCH = 2 ** 48;

/** What a session writes into its node's Lease. */
export interface SessionClaim {
  readonly node: string;
  /** The replica that holds the session. */
  readonly replica: string;
  readonly epoch: number;
  /** Wall time at which the session began, milliseconds. */
  readonly sinceMs: number;
}

/** Who a Lease says holds the node's session. */
export interface LeaseHolder {
  /** `''`: no replica of Hawser. */
  readonly replica: string;
  /** 0: none. */
  readonly epoch: number;
  /** Wall time by the holder's clock, milliseconds; 0: not known. */
  readonly sinceMs: number;
}

/** Reads who holds a node's session. An epoch that cannot be one counts as none. */
export function holderOf(lease: Lease): LeaseHolder {
  const annotations = lease.metadata.annotations ?? {};
  const text = annotations[ANNOTATIONS.sessionEpoch] ?? '';
  const epoch = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return {
    replica: annotations[ANNOTATIONS.replica] ?? '',
    epoch: epoch <= MAX_EPOCH ? epoch : 0,
    sinceMs: Math.floor(parseTime(lease.spec?.acquireTime ?? '') ?? 0),
  };
}

/**
 * Whether what a Lease says is a session newer than this one. A higher epoch is; two replicas can only have given the
 * same epoch while both were without the API server: then the later beginning counts, and of two at the same
 * millisecond the replica whose id is greater.
 */
export function isFencedBy(claim: SessionClaim, holder: LeaseHolder): boolean {
  if (holder.epoch !== claim.epoch) return holder.epoch > claim.epoch;
  if (holder.replica === claim.replica) return false;
  if (holder.sinceMs !== claim.sinceMs) return holder.sinceMs > claim.sinceMs;
  return holder.replica > claim.replica;
}

/**
 * The Lease as this session writes it: on top of `current` (whose resourceVersion guards it), or new. What others put
 * there stays. The Node owns it, so that it goes when the Node goes; a Node that was made anew replaces the older.
 * @param nodeUid uid of the Node; undefined: not known, or there is none yet
 */
export function claimedLease(
  current: Lease | undefined,
  claim: SessionClaim,
  nodeUid: string | undefined,
  nowMs: number,
): KubeObject {
  const { node, replica, epoch, sinceMs } = claim;
  const metadata = current?.metadata ?? { namespace: NODE_LEASE_NAMESPACE, name: node };
  const owners = ownersWith(metadata.ownerReferences ?? [], node, nodeUid);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...metadata,
      annotations: {
        ...metadata.annotations,
        [ANNOTATIONS.replica]: replica,
        [ANNOTATIONS.sessionEpoch]: String(epoch),
      },
      ...(owners.length > 0 && { ownerReferences: owners }),
    },
    spec: {
      ...current?.spec,
      holderIdentity: node,
      leaseDurationSeconds: LEASE_SECONDS,
      acquireTime: formatMicroTime(sinceMs),
      renewTime: formatMicroTime(nowMs),
    },
  };
}

function ownersWith(
  owners: readonly OwnerReference[],
  node: string,
  uid: string | undefined,
): readonly OwnerReference[] {
  if (uid === undefined) return owners;
  const others = owners.filter(({ kind, apiVersion }) => kind !== 'Node' || apiVersion !== 'v1');
  return [...others, { apiVersion: 'v1', kind: 'Node', name: node, uid }];
}

/** A Lease without what need not be kept in memory. */
export function slim(lease: Lease): Lease {
  const metadata = Object.fromEntries(
    Object.entries(lease.metadata).filter(([key]) => key !== 'managedFields'),
  );
  return {
    apiVersion: lease.apiVersion,
    kind: lease.kind,
    metadata,
    ...(isPlainObject(lease.spec) && { spec: lease.spec }),
  };
}
