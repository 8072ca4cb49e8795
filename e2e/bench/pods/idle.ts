import { delay } from '@hawser/seams';
import { processUsage, type Bench } from '../../src/index.ts';
import { shellPod, type PodsSite } from '../../src/pods-site/pods-site.ts';
import { SLEEP } from './bare-cri.ts';
import { removeAll } from './start.ts';
import type { WatchedPods } from './watched-pods.ts';

const PODS = 100;
const SETTLE_MS = 30_000;
const MEASURE_MS = 60_000;
const MB = 1024 * 1024;

/** A hundred pods that run, and nothing happens. */
export async function measureIdle(bench: Bench, site: PodsSite, watched: WatchedPods): Promise<void> {
  bench.say(`starting ${PODS} pods, then waiting …`);
  const pods = Array.from({ length: PODS }, (_, index) => shellPod(`idle-${index}`, SLEEP));
  await site.cluster.objects.createAll(pods);
  await watched.untilRunning(PODS);
  await delay(SETTLE_MS);
  const { pid } = site.edge.process;
  const start = await processUsage(pid);
  await delay(MEASURE_MS);
  const end = await processUsage(pid);
  const cpu = ((end.cpuMs - start.cpuMs) / MEASURE_MS) * 100;
  bench.figure({ figure: 'idle_100_pods_cpu_percent', value: cpu, unit: '%', n: PODS });
  bench.figure({ figure: 'idle_100_pods_rss_mb', value: end.rssBytes / MB, unit: 'MB', n: PODS });
  await removeAll(site);
}
