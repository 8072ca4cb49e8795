/** What a condition is expected to be: its status, then reason and message if it has them. */
export type ExpectedCondition = readonly [status: 'True' | 'False', reason?: string, message?: string];

const TRUE: ExpectedCondition = ['True'];

/** The conditions that a kubelet reports, in its order; those that are not given are True. */
export function conditions(
  other: Partial<
    Record<'PodReadyToStartContainers' | 'Initialized' | 'Ready' | 'ContainersReady', ExpectedCondition>
  > = {},
): readonly object[] {
  const all = {
    ...{ PodReadyToStartContainers: TRUE, Initialized: TRUE, Ready: TRUE, ContainersReady: TRUE },
    ...other,
    PodScheduled: TRUE,
  };
  return Object.entries(all).map(([type, [status, reason, message]]) => ({
    ...{
      type,
      status,
      lastTransitionTime: '<time>',
      lastProbeTime: null,
      observedGeneration: '<generation>',
    },
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  }));
}

/** Containers that are not ready, as both of the conditions about that say it. */
export function unready(...containers: readonly string[]): ReturnType<typeof conditions> {
  const one: ExpectedCondition = [
    ...(['False', 'ContainersNotReady'] as const),
    `containers with unready status: [${containers.join(' ')}]`,
  ];
  return conditions({ Ready: one, ContainersReady: one });
}

/** A pod that has ended; its sandbox is given back. */
export function over(reason: 'PodCompleted' | 'PodFailed'): readonly object[] {
  const one: ExpectedCondition = ['False', reason];
  return conditions({
    PodReadyToStartContainers: ['False'],
    ...(reason === 'PodCompleted' && { Initialized: ['True', reason] as const }),
    ...{ Ready: one, ContainersReady: one },
  });
}

/** What the status of every pod on the node's network of pods has, after it has had a sandbox. */
export const WITH_ADDRESSES = {
  ...{ observedGeneration: '<generation>', startTime: '<time>', qosClass: 'BestEffort' },
  ...{ hostIP: '<host ip>', hostIPs: '<host ips>', podIP: '<pod ip>', podIPs: [{ ip: '<pod ip>' }] },
};

/** State of a container that runs. */
export const RUNNING = { running: { startedAt: '<time>' } };

/** State of a container that has ended. */
export function ended(exitCode: number, reason: string, containerID: string): object {
  const times = { startedAt: '<time>', finishedAt: '<time>' };
  return { terminated: { exitCode, reason, ...times, containerID } };
}
