import { CriRuntime, type RuntimePod } from '@hawser/edgecore/runtime';
import type { ContainerdSite } from '@hawser/edgecore/testing';
import { silentLogger } from '@hawser/seams';
import { E2eError } from '../errors.ts';

/** How long a command in a container may take. */
const EXEC_MS = 20_000;

/** What a runtime has, asked past the edge. */
export function podsInRuntime(containerd: ContainerdSite): Promise<readonly RuntimePod[]> {
  return withRuntime(containerd, (runtime) => runtime.list());
}

/**
 * What a command in a container says to stdout, run past the edge.
 * @throws E2eError ERR_E2E_COMMAND_FAILED with its stderr
 */
export function execInContainer(
  containerd: ContainerdSite,
  id: string,
  command: readonly string[],
): Promise<string> {
  return withRuntime(containerd, async (runtime) => {
    const signal = AbortSignal.timeout(EXEC_MS);
    const { exitCode, stdout, stderr } = await runtime.exec(id, command, EXEC_MS, signal);
    if (exitCode === 0) return stdout;
    throw new E2eError(
      'ERR_E2E_COMMAND_FAILED',
      `${command.join(' ')} in ${id}: exit ${exitCode}: ${stderr}`,
    );
  });
}

async function withRuntime<T>(
  { endpoint }: ContainerdSite,
  work: (runtime: CriRuntime) => Promise<T>,
): Promise<T> {
  const runtime = new CriRuntime({ endpoint, log: silentLogger });
  try {
    return await work(runtime);
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
