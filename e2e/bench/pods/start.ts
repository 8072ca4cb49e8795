import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RESOURCES } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { configMap } from '../../src/cluster-site/site-objects.ts';
import { median, type Bench } from '../../src/index.ts';
import { shellPod, type PodsSite } from '../../src/pods-site/pods-site.ts';
import { BareCri, SLEEP } from './bare-cri.ts';
import type { WatchedPods } from './watched-pods.ts';

const ROUNDS = 9;
const UPDATES = 9;
const CALLS = ['create-sandbox', 'create-container', 'start-container'];
const SETTINGS = 'settings';
const LOOK_EVERY_MS = 2;

/** One pod, from its creation in the API to Running in the API, beside the bare calls; then a ConfigMap's way into it. */
export async function measureStart(bench: Bench, site: PodsSite, watched: WatchedPods): Promise<void> {
  bench.say('starting pods, one at a time …');
  const bare = new BareCri(site.containerd);
  bench.onEnd(() => bare.stop());
  await site.create(configMap(SETTINGS, 'before'));
  const ours: number[] = [];
  const own: number[] = [];
  const withSettings: number[] = [];
  const rival: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const bareMs = await bare.startPod();
    const plain = await startPod(site, watched, `plain-${round}`, false);
    const mounted = await startPod(site, watched, `mounted-${round}`, true);
    if (round === 0) continue; // the first one loads what the others find
    rival.push(bareMs);
    ours.push(plain.totalMs);
    own.push(plain.totalMs - plain.callsMs);
    withSettings.push(mounted.totalMs);
  }
  const note = `bare calls ${Math.round(median(rival))} ms, from the API to the API ${Math.round(median(ours))} ms`;
  const extraMs = median(withSettings) - median(ours);
  bench.figure({ figure: 'pod_start_own_ms', value: median(own), unit: 'ms', n: ROUNDS, note });
  bench.figure({
    figure: 'pod_running_over_bare_cri',
    value: median(ours) / median(rival),
    unit: 'ratio',
    n: ROUNDS,
  });
  bench.figure({ figure: 'pod_running_configmap_extra_ms', value: extraMs, unit: 'ms', n: ROUNDS });
  await measureUpdates(bench, site, `mounted-${ROUNDS}`);
  await bare.stop();
  await removeAll(site);
}

async function startPod(
  site: PodsSite,
  watched: WatchedPods,
  name: string,
  withSettings: boolean,
): Promise<{ totalMs: number; callsMs: number }> {
  const volumes = [{ name: 'settings', configMap: { name: SETTINGS } }];
  const volumeMounts = [{ name: 'settings', mountPath: '/settings' }];
  const pod = shellPod(name, SLEEP, withSettings ? { spec: { volumes }, container: { volumeMounts } } : {});
  // `spec` of the parts comes last: the containers of a pod with volumes are those of its own.
  const before = await site.runtimeSeconds(CALLS);
  const startedMs = performance.now();
  await site.create(pod);
  await watched.untilRuns(name);
  const totalMs = performance.now() - startedMs;
  const callsMs = ((await site.runtimeSeconds(CALLS)) - before) * 1000;
  return { totalMs, callsMs };
}

async function measureUpdates(bench: Bench, site: PodsSite, name: string): Promise<void> {
  bench.say('changing a ConfigMap that a pod has mounted …');
  const { uid = '' } = (await site.pod(name)).metadata;
  const file = path.join(site.podDir(uid), 'volumes/kubernetes.io~configmap/settings/text');
  const elapsed: number[] = [];
  for (let round = 0; round < UPDATES; round++) {
    const text = `update ${round}`;
    const startedMs = performance.now();
    await site.cluster.objects.setText([SETTINGS], text);
    while ((await readFile(file, 'utf8')) !== text) await delay(LOOK_EVERY_MS);
    elapsed.push(performance.now() - startedMs);
    await delay(200);
  }
  bench.figure({ figure: 'configmap_to_file_ms', value: median(elapsed), unit: 'ms', n: UPDATES });
}

/** Takes every pod away. */
export async function removeAll(site: PodsSite): Promise<void> {
  await site.cluster.objects.remove(RESOURCES.pods, await site.names());
  while ((await site.names()).length > 0) await delay(50);
}
