import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CriRuntime } from '@hawser/edgecore/runtime';
import type { ContainerdSite } from '@hawser/edgecore/testing';
import { delay, silentLogger } from '@hawser/seams';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import type { Demo } from './cluster-demo.ts';
import { kubectl } from './kubectl.ts';
import { waitUntil } from './wait.ts';
import { REPLICAS, SETTINGS } from './workload.ts';

/** Time for a hub that has just been found again to want something else, if it did. */
const AFTER_HEALING_MS = 2000;
const WORKLOAD = 'line-reader';

/** A container that runs. */
interface Running {
  readonly pod: string;
  readonly id: string;
  readonly attempt: number;
}

/** Reads a pod's log and runs a command in it: kubectl → API server → hub → tunnel → edge → containerd. */
export async function lookInside(demo: Demo): Promise<void> {
  await waitUntil('a pod has said something', demo.signal, async () => (await running(demo)).length > 0);
  await delay(300, { signal: demo.signal });
  await kubectl(demo, ['logs', `deployment/${WORKLOAD}`, '--tail', '1']);
  await kubectl(demo, [
    'exec',
    `deployment/${WORKLOAD}`,
    '--',
    'sh',
    '-c',
    'hostname; cat /etc/image-version',
  ]);
}

/** Waits until every pod of the edge sees these settings in its file. */
export async function untilInFile(
  { display, signal }: Demo,
  edge: SiteEdge,
  text: string,
  startedMs: number,
): Promise<void> {
  const { items } = await edge.admin.pods();
  const files = items.map(({ uid }) =>
    path.join(edge.dataDir, 'pods', uid, 'volumes/kubernetes.io~configmap', SETTINGS, 'text'),
  );
  await waitUntil('the file has changed inside of the pods', signal, async () => {
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    return texts.every((one) => one === text);
  });
  const afterMs = Math.round(performance.now() - startedMs);
  display.done(
    `changed in the files of ${files.length} running pods after ${afterMs} ms; none was restarted`,
  );
}

/** Kills a container with nobody in the cloud to see it. */
export async function killContainer(demo: Demo, containerd: ContainerdSite, edge: SiteEdge): Promise<void> {
  const [victim] = await running(demo);
  if (victim === undefined) throw new Error(`${edge.node} runs nothing`);
  const startedMs = performance.now();
  await containerd.ctr(['tasks', 'kill', '--signal', 'SIGKILL', victim.id]);
  await waitUntil('the container is back', demo.signal, async () =>
    (await running(demo)).some(({ pod, attempt }) => pod === victim.pod && attempt === victim.attempt + 1),
  );
  const afterMs = Math.round(performance.now() - startedMs);
  demo.display.done(`a container of ${victim.pod} was killed, and the next one runs after ${afterMs} ms`);
}

/** Ends every process of every container, and what the runtime knew of them; then the machine "boots". */
export async function cutPower({ display }: Demo, containerd: ContainerdSite): Promise<void> {
  await containerd.powerCut();
  display.line('every container and every process of the node is gone');
  await containerd.start();
}

/** Waits until all pods run again; answers their containers. */
export async function runningContainers(
  demo: Demo,
  edge: SiteEdge,
  startedMs: number,
): Promise<readonly string[]> {
  await waitUntil('the pods run again', demo.signal, async () => (await running(demo)).length >= REPLICAS);
  const afterMs = Math.round(performance.now() - startedMs);
  demo.display.done(`${REPLICAS} containers run again, ${afterMs} ms after the start of ${edge.node}`);
  return idsOf(await running(demo));
}

/** Looks whether the node still runs these containers, and no others. */
export async function nothingRebuilt(demo: Demo, edge: SiteEdge, before: readonly string[]): Promise<void> {
  await delay(AFTER_HEALING_MS, { signal: demo.signal });
  const after = idsOf(await running(demo));
  if (after.join() !== before.join())
    throw new Error(`${edge.node} has rebuilt pods that were as they should be`);
  demo.display.done(`nothing was rebuilt: the same ${after.length} containers run`);
  await kubectl(demo, ['get', 'pods']);
}

function idsOf(containers: readonly Running[]): readonly string[] {
  return containers.map(({ id }) => id).sort();
}

async function running({ containerd }: Demo): Promise<readonly Running[]> {
  if (containerd === undefined) return [];
  const runtime = new CriRuntime({ endpoint: containerd.endpoint, log: silentLogger });
  try {
    const pods = await runtime.list();
    return pods.flatMap(({ name, containers }) =>
      containers
        .filter(({ state }) => state === 'running')
        .map(({ id, attempt }) => ({ pod: name, id, attempt })),
    );
  } finally {
    await runtime.stop();
  }
}
