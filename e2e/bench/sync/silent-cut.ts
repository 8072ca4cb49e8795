import { RESOURCES } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { median, type Bench } from '../../src/index.ts';
import { createAll, fixture, nodeConfigMaps, nodePods } from './objects.ts';

const EDGES = 7;
const CUT_MS = 60_000;
const STAGGER_MS = 1500;

/** Seven edges behind one line that says nothing for a minute: how long after healing each is in sync. */
export async function measureSilentCut(bench: Bench): Promise<void> {
  const site = await ClusterSite.open({ hub: { heartbeatSeconds: 10, logLevel: 'error' } });
  bench.onEnd(() => site.close());
  const [pod, configMap] = [await fixture('pod-4k'), await fixture('configmap-2k')];
  for (let index = 0; index < EDGES; index++) {
    const edge = await site.edge(`cut-${index}`, { config: { hub: { heartbeatMs: 10_000 } } });
    await createAll(site.client, RESOURCES.configmaps, nodeConfigMaps(configMap, edge.node));
    await createAll(site.client, RESOURCES.pods, nodePods(pod, edge.node));
    await delay(STAGGER_MS); // their heartbeats are at different moments
  }
  await Promise.all(site.edges.map((edge) => edge.until(({ outbox }) => outbox.waiting === 0)));
  await Promise.all(site.edges.map((edge) => edge.untilInSync()));
  bench.say(`cutting ${EDGES} edges for ${CUT_MS / 1000} s …`);
  const epochs = await Promise.all(site.edges.map(epochOf));
  const objectBytes = await site.hubMetric('hawser_sync_object_bytes_total');
  await site.link.blackHole();
  await delay(CUT_MS);
  await site.link.heal();
  const healedMs = performance.now();
  const elapsed = await Promise.all(
    site.edges.map(async (edge, index) => {
      await edge.until((status) => status.session.epoch > (epochs[index] ?? 0), 60_000);
      await edge.untilInSync(60_000);
      return performance.now() - healedMs;
    }),
  );
  const sent = (await site.hubMetric('hawser_sync_object_bytes_total')) - objectBytes;
  const note = `${elapsed.map((ms) => Math.round(ms)).join(', ')} ms; ${sent} bytes of objects`;
  bench.figure({ figure: 'silent_cut_60s_resync_ms', value: median(elapsed), unit: 'ms', n: EDGES, note });
}

async function epochOf(edge: SiteEdge): Promise<number> {
  return (await edge.admin.status()).session.epoch;
}
