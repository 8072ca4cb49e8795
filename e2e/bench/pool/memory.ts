import type { EdgeConfigInput } from '@hawser/edgecore';
import { delay } from '@hawser/seams';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { makeReader, median, POOL, processUsage, startNode, type Bench } from '../../src/index.ts';
import { createAbsentMembers, openPoolCloud } from './pool-cloud.ts';

/** A thousand pods in slices of ten endpoints each, over the nodes of a pool of 500. */
const SERVICES = 100;
const NODES = 500;
const RUNS = 3;
const SETTLE_MS = 40_000;
const MB = 1024 * 1024;

/**
 * What pool and local API take of a node: a member that leads, with a reader that watches, over a node in no pool that nobody
 * asks. Medians.
 */
export async function measurePoolMemory(bench: Bench): Promise<void> {
  const site = await openPoolCloud(bench, SERVICES);
  await createAbsentMembers(site, NODES);
  const token = await makeReader(site.client);
  const rss = { with: [] as number[], without: [] as number[] };
  for (let run = 0; run < RUNS; run++) {
    bench.say(`run ${run + 1} of ${RUNS} …`);
    const config = (port: number): EdgeConfigInput => ({
      localApi: { port, address: '' },
      pool: { listen: '127.0.0.1:0', advertise: '127.0.0.1' },
    });
    const plain = await site.edge(`plain-${run}`, { config: config(PLAIN_PORT + run) });
    const member = await site.edge(`member-${run}`, {
      config: config(READER_PORT + run),
      token: { pool: POOL },
    });
    await untilLive(member);
    const api = await member.admin.localApi();
    const reader = await startNode({
      script: new URL('pool-watcher.js', import.meta.url),
      args: [String(api?.port), api?.certificate ?? '', token],
    });
    await delay(SETTLE_MS);
    rss.without.push((await processUsage(plain.process.pid)).rssBytes);
    rss.with.push((await processUsage(member.process.pid)).rssBytes);
    await reader.kill();
    await plain.stop();
    await member.stop();
  }
  const value = (median(rss.with) - median(rss.without)) / MB;
  const note = `${Math.round(median(rss.with) / MB)} over ${Math.round(median(rss.without) / MB)} MB; local API used, RBAC of the cluster and ${SERVICES} slices of 10 endpoints in it`;
  bench.figure({ figure: 'pool_memory_mb', value, unit: 'MB', n: RUNS, note });
}

const READER_PORT = 22_000;
const PLAIN_PORT = 22_100;

async function untilLive(edge: SiteEdge): Promise<void> {
  for (;;) {
    const status = await edge.admin.pool();
    if (status?.state === 'LIVE' && status.resources.every(({ synced }) => synced)) return;
    await delay(100);
  }
}
