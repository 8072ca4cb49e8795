import { RESOURCES } from '@hawser/kube';
import { delay } from '@hawser/seams';
import {
  makeReader,
  percentile,
  PoolFleet,
  poolSlice,
  putSlice,
  startNode,
  type Bench,
} from '../../src/index.ts';
import type { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { openPoolCloud, setSharing } from './pool-cloud.ts';

const MEMBERS = 50;
const SERVICES = 100;
const CHANGES = 200;
const EVERY_MS = 40;

/**
 * From a write in the API until the last of fifty members has shown it to a reader of its local API, by the leader and with a
 * stream each.
 */
export async function measurePoolLatency(bench: Bench): Promise<void> {
  const site = await openPoolCloud(bench, SERVICES);
  const token = await makeReader(site.client);
  const pooled = await p99(bench, site, token, true);
  const direct = await p99(bench, site, token, false);
  bench.figure({ figure: 'last_of_50_p99_ms', value: pooled, unit: 'ms', n: CHANGES });
  bench.figure({ figure: 'last_of_50_direct_p99_ms', value: direct, unit: 'ms', n: CHANGES });
  bench.figure({ figure: 'last_of_50_p99_over_direct', value: pooled / direct, unit: 'ratio', n: CHANGES });
}

async function p99(bench: Bench, site: ClusterSite, token: string, led: boolean): Promise<number> {
  await setSharing(site, led ? 'led' : 'alone');
  const fleet = await PoolFleet.joined(site, { members: MEMBERS, localApi: true, startNode });
  bench.onEnd(() => fleet.close());
  bench.say(`${MEMBERS} members, ${led ? 'with a leader' : 'each for itself'} …`);
  await fleet.start();
  if (led) await fleet.untilLed();
  else await fleet.until(({ synced, direct }) => synced === MEMBERS && direct === MEMBERS);
  await fleet.watch(token);
  await delay(2_000);
  const tookMs: number[] = [];
  for (let round = 0; round < CHANGES; round++) {
    const slice = poolSlice(round % SERVICES);
    const labels = { ...slice.metadata.labels, 'example.com/round': `${led ? 'pool' : 'alone'}-${round}` };
    const beganMs = performance.timeOrigin + performance.now();
    const { metadata } = await putSlice(site.client, { ...slice, metadata: { ...slice.metadata, labels } });
    tookMs.push((await fleet.arrival(metadata.resourceVersion ?? '')) - beganMs);
    await delay(EVERY_MS);
  }
  await fleet.stop();
  await fleet.close();
  await site.objects.remove(RESOURCES.nodes, fleet.nodes);
  return percentile(tookMs, 99);
}
