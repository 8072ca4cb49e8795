import type { Pod } from '../pods/pod.ts';
import { qosClass } from '../pods/qos-class.ts';
import { cpuQuota, cpuShares, MIN_CPU_SHARES } from './cpu-values.ts';
import { limitsOf, podLimits, podRequests } from './pod-amounts.ts';

/** What a cgroup is held to. */
export interface CgroupLimits {
  readonly cpuShares: number;
  /** Microseconds in a period of `CPU_PERIOD_US`; absent: no limit. */
  readonly cpuQuota?: number;
  /** Absent: no limit. */
  readonly memoryBytes?: number;
}

/**
 * The limits of a pod's own cgroup: of CPU and of memory each only where every container has one.
 * Source: kubelet, cm/helpers_linux.go ResourceConfigForPod.
 */
export function cgroupLimits(pod: Pod): CgroupLimits {
  if (qosClass(pod) === 'BestEffort') return { cpuShares: MIN_CPU_SHARES };
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(limitsOf);
  const limits = podLimits(pod);
  const quota = all.every((each) => each.cpuMillis > 0) ? cpuQuota(limits.cpuMillis) : undefined;
  return {
    cpuShares: cpuShares(podRequests(pod).cpuMillis),
    ...(quota !== undefined && { cpuQuota: quota }),
    ...(all.every((each) => each.memoryBytes > 0) && { memoryBytes: limits.memoryBytes }),
  };
}
