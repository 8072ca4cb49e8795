import type { ContainerUsage, RuntimePod } from '../../runtime/container-runtime.ts';

/** Use of one pod, and of what runs in it. */
export interface PodUsage {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** When its latest sandbox was made, wall milliseconds. */
  readonly startedAtMs: number;
  /** When it was read, wall milliseconds: the earliest of its containers. */
  readonly atMs: number;
  /** Of its containers together. */
  readonly cpuNanos: number;
  readonly memoryWorkingSetBytes: number;
  readonly containers: readonly RunningUsage[];
}

/** Use of a container that runs. */
export interface RunningUsage {
  readonly name: string;
  readonly id: string;
  readonly startedAtMs: number | undefined;
  readonly logPath: string;
  readonly usage: ContainerUsage;
}

/**
 * Puts together what the runtime has and what it says of its use, pod by pod; pods and containers that do not run are
 * left out. Source: kubelet, stats/cri_stats_provider.go: of several containers of a name the latest counts.
 */
export function podUsages(
  pods: readonly RuntimePod[],
  usages: readonly ContainerUsage[],
): readonly PodUsage[] {
  const byId = new Map(usages.map((usage) => [usage.id, usage] as const));
  return pods.flatMap((pod) => {
    const containers = pod.containers
      .filter(({ state }) => state === 'running')
      .flatMap(({ name, id, startedAtMs, logPath }) => {
        const usage = byId.get(id);
        return usage === undefined ? [] : [{ name, id, startedAtMs, logPath, usage }];
      });
    if (containers.length === 0) return [];
    const sum = (of: (usage: ContainerUsage) => number): number =>
      containers.reduce((total, { usage }) => total + of(usage), 0);
    return [
      {
        uid: pod.uid,
        namespace: pod.namespace,
        name: pod.name,
        startedAtMs: pod.sandboxes[0]?.createdAtMs ?? 0,
        atMs: Math.min(...containers.map(({ usage }) => usage.atMs)),
        cpuNanos: sum(({ cpuNanos }) => cpuNanos),
        memoryWorkingSetBytes: sum(({ memoryWorkingSetBytes }) => memoryWorkingSetBytes),
        containers,
      },
    ];
  });
}
