import type { PodStatus } from '../pods/pod-status-types.ts';
import type { Pod } from '../pods/pod.ts';
import type { PodAddresses } from './address-signature.ts';

/**
 * Where the pods of this node are now, by UID: those that have an address and have not ended. A pod in the network of the host
 * is where the host is, whatever its status was first given.
 */
export function ownAddresses(
  pods: readonly Pod[],
  statusOf: (uid: string) => PodStatus | undefined,
  hostIps: readonly string[],
): PodAddresses {
  const addresses = new Map<string, { readonly ips: readonly string[]; readonly ready: boolean }>();
  for (const { metadata, spec } of pods) {
    const status = statusOf(metadata.uid);
    const ofHost = spec.hostNetwork === true && hostIps.length > 0;
    const ips = ofHost ? hostIps : (status?.podIPs ?? []).map(({ ip }) => ip);
    if (status === undefined || ips.length === 0 || !LIVING.has(status.phase)) continue;
    const ready = status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    addresses.set(metadata.uid, { ips, ready });
  }
  return addresses;
}

const LIVING: ReadonlySet<PodStatus['phase']> = new Set(['Pending', 'Running']);
