import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { delay } from '@hawser/seams';
import type { Containers, Running } from './containers.ts';
import type { Demo } from './demo.ts';
import { kubectl } from './kubectl.ts';
import { since, waitUntil } from './wait.ts';
import { REPLICAS, SETTINGS, WORKLOAD } from './workload.ts';

/** Time for a hub that has just been found again to want something else, if it did. */
const AFTER_HEALING_MS = 2000;

/** Reads a pod's log and runs a command in it: kubectl → API server → hub → tunnel → edge → container. */
export async function lookInside(demo: Demo): Promise<void> {
  const { isGuest, journal, signal } = demo;
  await delay(300, { signal });
  try {
    await kubectl(demo, ['logs', `deployment/${WORKLOAD}`, '--tail', '1']);
    const command = 'echo $POD_NAME: $(head -n 1 $HAWSER_MOUNTS/settings/text)';
    await kubectl(demo, ['exec', `deployment/${WORKLOAD}`, '--', 'sh', '-c', command]);
  } catch (error) {
    if (!isGuest) throw error;
    journal.line(
      `an API server elsewhere does not reach this machine: ${String(error).split('\n')[0] ?? ''}`,
    );
  }
}

/** Waits until every pod of the edge sees these settings in its file. */
export async function untilInFile(
  { first, journal, signal }: Demo,
  text: string,
  startedMs: number,
): Promise<void> {
  const { admin, dataDir } = first.edge;
  const { items } = await admin.pods();
  const files = items.map(({ uid }) =>
    path.join(dataDir, 'pods', uid, 'volumes/kubernetes.io~configmap', SETTINGS, 'text'),
  );
  await waitUntil('the file has changed inside of the pods', signal, async () => {
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    return texts.every((one) => one === text);
  });
  journal.done(
    `changed in the files of ${files.length} running pods after ${since(startedMs)}; none was restarted`,
  );
}

/** Kills a container with nobody in the cloud to see it. */
export async function killContainer({ journal, signal }: Demo, containers: Containers): Promise<void> {
  const [victim] = await containers.running();
  if (victim === undefined) throw new Error('no container runs');
  const startedMs = performance.now();
  await containers.kill(victim);
  await waitUntil('the container is back', signal, async () =>
    (await containers.running()).some(({ pod, id }) => pod === victim.pod && id !== victim.id),
  );
  journal.done(`a container of ${victim.pod} was killed, and the next one runs after ${since(startedMs)}`);
}

/** Ends every process of every container, and what the runtime knew of them; then the machine "boots". */
export async function cutPower({ journal }: Demo, containers: Containers): Promise<void> {
  await containers.cutPower();
  journal.line('every container and every process of the node is gone');
}

/** Waits until all pods run again; answers their containers. */
export async function runningContainers(
  { first, journal, signal }: Demo,
  containers: Containers,
  startedMs: number,
): Promise<readonly string[]> {
  const areAll = async (): Promise<boolean> => (await containers.running()).length >= REPLICAS;
  await waitUntil('the pods run again', signal, areAll);
  journal.done(`${REPLICAS} containers run again, ${since(startedMs)} after the start of ${first.node}`);
  return idsOf(await containers.running());
}

/** Looks whether the node still runs these containers, and no others. */
export async function nothingRebuilt(
  demo: Demo,
  containers: Containers,
  before: readonly string[],
): Promise<void> {
  const { first, journal, signal } = demo;
  await delay(AFTER_HEALING_MS, { signal });
  const after = idsOf(await containers.running());
  if (after.join() !== before.join())
    throw new Error(`${first.node} has rebuilt pods that were as they should be`);
  journal.done(`nothing was rebuilt: the same ${after.length} containers run`);
  await kubectl(demo, ['get', 'pods']);
}

function idsOf(containers: readonly Running[]): readonly string[] {
  return containers.map(({ id }) => id).sort();
}
