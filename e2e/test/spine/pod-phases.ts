import { RESOURCES, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import type { ClusterSite } from '../../src/cluster-site/cluster-site.ts';

interface Status {
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Whether the API says that a pod runs and is ready. */
export function isRunning(pod: KubeObject): boolean {
  const { phase, conditions = [] } = (pod['status'] ?? {}) as Status;
  return phase === 'Running' && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** Waits until the API says so of all these pods. */
export async function allRunning(
  site: ClusterSite,
  names: readonly string[],
  deadlineMs = 20_000,
): Promise<void> {
  await eventually(
    `${names.length} pods run`,
    async () => {
      const running = (await site.objects.list(RESOURCES.pods)).filter(isRunning);
      const found = new Set(running.map(({ metadata }) => metadata.name));
      return names.every((name) => found.has(name));
    },
    { deadlineMs, intervalMs: 50 },
  );
}
