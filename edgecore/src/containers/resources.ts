import { CPU_PERIOD_US, cpuMillis, cpuQuota, cpuShares } from '../cgroups/cpu-values.ts';
import { bytesOf } from '../cgroups/pod-amounts.ts';
import { cgroupLimits } from '../cgroups/pod-limits.ts';
import type { Pod, PodContainer } from '../pods/pod.ts';
import type { LinuxResources } from '../runtime/container-config.ts';
import { oomScoreAdj } from './oom-score.ts';

/** What of the node counts for the resources of its containers. */
export interface ResourceNode {
  readonly memoryBytes: number;
  readonly cgroupVersion: 1 | 2;
  /** `2MB`, `1GB`: sizes of huge pages that the kernel knows. Empty: it has none, or cannot limit them. */
  readonly hugePageSizes: readonly string[];
}

/**
 * The cgroup of a container. Huge pages it gets none. On cgroup v2 the whole container ends when memory is out, not one
 * of its processes.
 * Source: kubelet, kuberuntime_container_linux.go generateLinuxContainerResources; singleProcessOOMKill of
 * KubeletConfiguration.
 */
export function containerResources(pod: Pod, container: PodContainer, node: ResourceNode): LinuxResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const cpu = cpuMillis(limits['cpu']);
  const quota = cpuQuota(cpu);
  const memoryLimitBytes = bytesOf(limits['memory']);
  return {
    cpuShares: cpuShares(requests['cpu'] === undefined ? cpu : cpuMillis(requests['cpu'])),
    ...(quota !== undefined && { cpuQuota: quota, cpuPeriod: CPU_PERIOD_US }),
    ...(memoryLimitBytes > 0 && { memoryLimitBytes }),
    oomScoreAdj: oomScoreAdj(pod, container, node.memoryBytes),
    ...(node.hugePageSizes.length > 0 && {
      hugepageLimits: node.hugePageSizes.map((pageSize) => ({ pageSize, limit: 0 })),
    }),
    ...(node.cgroupVersion === 2 && { unified: { 'memory.oom.group': '1' } }),
  };
}

/**
 * What a pod takes in all: for runtimes that make a machine for each sandbox; others do not look at it.
 * Source: kubelet, kuberuntime_sandbox_linux.go applySandboxResources.
 */
export function sandboxResources(pod: Pod): LinuxResources {
  const limits = cgroupLimits(pod);
  return {
    cpuShares: limits.cpuShares,
    ...(limits.cpuQuota !== undefined && { cpuQuota: limits.cpuQuota, cpuPeriod: CPU_PERIOD_US }),
    ...(limits.memoryBytes !== undefined && { memoryLimitBytes: limits.memoryBytes }),
  };
}
