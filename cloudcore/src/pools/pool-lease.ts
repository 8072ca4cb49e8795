import {
  formatMicroTime,
  isPlainObject,
  parseTime,
  type KubeObject,
  type Lease,
  type OwnerReference,
} from '@hawser/kube';
import { ANNOTATIONS, HAWSER_NAMESPACE, LABELS } from '../cluster/names.ts';

/** Value of the label {@link LABELS}.kind on Leases of pools. */
export const POOL_LEASE = 'pool';
const PREFIX = 'pool-';
/** No epoch is above it: a member that reports more is not believed. */
export const MAX_POOL_EPOCH = 2 ** 48;

/** What the Lease of a pool says. */
export interface Leadership {
  /** Node; empty: nobody. */
  readonly leader: string;
  /** 0: there was no leader yet. */
  readonly epoch: number;
  /** The replica of the hub that has written it. */
  readonly replica: string;
  /** Wall time since when it leads, milliseconds; 0: not known. */
  readonly sinceMs: number;
  readonly durationMs: number;
  /** What a member wants of the replica that has the leader's session; undefined: nothing. */
  readonly asked: AskedClaim | undefined;
}

/** A member wants to lead: `handover` by the leader's own word, else `claim`. */
export interface AskedClaim {
  readonly node: string;
  readonly kind: 'claim' | 'handover';
}

/** What is to be written into the Lease of a pool. */
export interface LeadershipClaim {
  readonly leader: string;
  readonly epoch: number;
  readonly replica: string;
  readonly leaseSeconds: number;
}

/** The Lease's name in {@link HAWSER_NAMESPACE}. */
export function poolLeaseName(pool: string): string {
  return `${PREFIX}${pool}`;
}

/** The pool that a Lease is of; undefined: it is none of a pool. */
export function poolOfLease({ metadata: { name = '' } }: KubeObject): string | undefined {
  return name.startsWith(PREFIX) && name.length > PREFIX.length ? name.slice(PREFIX.length) : undefined;
}

/** Reads the Lease of a pool. An epoch that cannot be one counts as none. */
export function leadershipOf({ metadata, spec }: Lease): Leadership {
  const annotations = metadata.annotations ?? {};
  const text = annotations[ANNOTATIONS.poolEpoch] ?? '';
  const epoch = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return {
    leader: spec?.holderIdentity ?? '',
    epoch: epoch <= MAX_POOL_EPOCH ? epoch : 0,
    replica: annotations[ANNOTATIONS.replica] ?? '',
    sinceMs: parseTime(spec?.acquireTime ?? '') ?? 0,
    durationMs: (spec?.leaseDurationSeconds ?? 0) * 1000,
    asked: askedIn(annotations[ANNOTATIONS.poolClaim] ?? ''),
  };
}

/**
 * The Lease as the claim has it: on top of `present` (whose resourceVersion guards it), or new. The NodePool owns it, so
 * that it goes when that goes.
 */
export function claimedLease(
  present: Lease | undefined,
  pool: { readonly name: string; readonly uid: string; readonly apiVersion: string } | undefined,
  claim: LeadershipClaim & { readonly poolName: string },
  nowMs: number,
): KubeObject {
  const { leader, epoch, replica, leaseSeconds, poolName } = claim;
  const metadata = present?.metadata ?? { namespace: HAWSER_NAMESPACE, name: poolLeaseName(poolName) };
  const spec = isPlainObject(present?.spec) ? present.spec : {};
  const isAnother = spec['holderIdentity'] !== leader;
  const now = formatMicroTime(nowMs);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [LABELS.kind]: POOL_LEASE },
      annotations: {
        ...metadata.annotations,
        [ANNOTATIONS.replica]: replica,
        [ANNOTATIONS.poolEpoch]: String(epoch),
        [ANNOTATIONS.poolClaim]: '',
      },
      ...(pool && { ownerReferences: ownersWith(metadata.ownerReferences ?? [], pool) }),
    },
    spec: {
      ...spec,
      holderIdentity: leader,
      leaseDurationSeconds: leaseSeconds,
      ...(isAnother && {
        acquireTime: now,
        leaseTransitions: Number(spec['leaseTransitions'] ?? 0) + 1,
      }),
      renewTime: now,
    },
  };
}

/** The Lease with what a member wants, otherwise as it is: it is not renewed by that. */
export function askingLease(present: Lease, { node, kind }: AskedClaim): KubeObject {
  const annotations = { ...present.metadata.annotations, [ANNOTATIONS.poolClaim]: `${node} ${kind}` };
  return { ...present, metadata: { ...present.metadata, annotations } };
}

function askedIn(text: string): AskedClaim | undefined {
  const [node = '', kind] = text.split(' ');
  return node !== '' && (kind === 'claim' || kind === 'handover') ? { node, kind } : undefined;
}

function ownersWith(
  owners: readonly OwnerReference[],
  pool: { readonly name: string; readonly uid: string; readonly apiVersion: string },
): readonly OwnerReference[] {
  const { apiVersion, name, uid } = pool;
  return [...owners.filter(({ kind }) => kind !== 'NodePool'), { apiVersion, kind: 'NodePool', name, uid }];
}
