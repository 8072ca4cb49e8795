import { CriRuntime, type RuntimePod } from '@hawser/edgecore/runtime';
import type { ContainerdSite } from '@hawser/edgecore/testing';
import { silentLogger } from '@hawser/seams';
import { E2eError } from '../errors.ts';

/** What a runtime has, asked past the edge. */
export async function podsInRuntime({ endpoint }: ContainerdSite): Promise<readonly RuntimePod[]> {
  const runtime = new CriRuntime({ endpoint, log: silentLogger });
  try {
    return await runtime.list();
  } finally {
    await runtime.stop();
  }
}

/** Ids of running containers by `pod/container`. @throws E2eError ERR_E2E_COMMAND_FAILED where one runs twice */
export async function runningContainers(containerd: ContainerdSite): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const { name, containers } of await podsInRuntime(containerd)) {
    for (const container of containers.filter(({ state }) => state === 'running')) {
      const key = `${name}/${container.name}`;
      if (ids.has(key)) throw new E2eError('ERR_E2E_COMMAND_FAILED', `${key} runs twice`);
      ids.set(key, container.id);
    }
  }
  return ids;
}
