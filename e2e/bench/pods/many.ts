import { median, type Bench } from '../../src/index.ts';
import { shellPod, type PodsSite } from '../../src/pods-site/pods-site.ts';
import { BareCri, SLEEP } from './bare-cri.ts';
import { removeAll } from './start.ts';
import type { WatchedPods } from './watched-pods.ts';

const PODS = 30;
/** As many sandboxes as the edge makes at a time by default. */
const AT_A_TIME = 10;
const ROUNDS = 3;

/** Thirty pods at once, beside the bare calls for thirty. */
export async function measureMany(bench: Bench, site: PodsSite, watched: WatchedPods): Promise<void> {
  bench.say(`starting ${PODS} pods at once …`);
  const bare = new BareCri(site.containerd);
  bench.onEnd(() => bare.stop());
  const ours: number[] = [];
  const rival: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rival.push(await bare.startPods(PODS, AT_A_TIME));
    await bare.clear();
    const names = Array.from({ length: PODS }, (_, index) => `many-${round}-${index}`);
    const startedMs = performance.now();
    await site.cluster.objects.createAll(names.map((name) => shellPod(name, SLEEP)));
    await watched.untilRunning(PODS);
    ours.push(performance.now() - startedMs);
    await removeAll(site);
  }
  await bare.stop();
  const note = `bare ${Math.round(median(rival))} ms, ours ${Math.round(median(ours))} ms`;
  const value = median(ours) / median(rival);
  bench.figure({ figure: 'start_30_over_bare_cri', value, unit: 'ratio', n: ROUNDS, note });
}
