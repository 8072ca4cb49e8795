import { RESOURCES, resourcePath } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import {
  createNetnsPair,
  median,
  processUsage,
  type Bench,
  type IpCounters,
  type NetnsSide,
} from '../../src/index.ts';
import {
  createAll,
  fixture,
  largeConfigMap,
  nodeConfigMaps,
  nodePods,
  patchKey,
  randomText,
} from './objects.ts';

const UPDATES = 15;
const RECONNECTS = 7;
const JOINS = 7;
/** How long nothing happens; the hour is what is measured times four. */
const IDLE_MINUTES = Number(process.env['HAWSER_BENCH_IDLE_MINUTES'] ?? 15);
const KIB = 1024;
const MB = 1024 * 1024;
/** Everything that belongs to an exchange, delayed acknowledgements of TCP too, has passed by then. */
const SETTLE_MS = 400;
const LOOK_MS = 5;

/** What passes the line, at IP level, both directions together. */
function bytesOf({ sent, received }: IpCounters): number {
  return sent.bytes + received.bytes;
}

/** Bytes on the line, writes at the API server, memory and flash of one edge. Needs root, for network namespaces. */
export async function measureBytes(bench: Bench): Promise<void> {
  const { site, line } = await openSite(bench);
  const edge = await site.edge('bench-edge', { config: { hub: { heartbeatMs: 10_000 } } });
  const [pod, configMap] = [await fixture('pod-4k'), await fixture('configmap-2k')];
  await createAll(site.client, RESOURCES.configmaps, nodeConfigMaps(configMap, edge.node));
  await createAll(site.client, RESOURCES.pods, nodePods(pod, edge.node));
  await untilQuiet(site, edge, 10 + 5);
  await measureIdle(bench, edge, line);
  await measureReconnects(bench, site, edge, line);
  await measureUpdates(bench, site, edge, line);
  await edge.stop();
}

/** A node's way from nothing to Ready, again and again. Needs root, as {@link measureBytes}. */
export async function measureJoin(bench: Bench): Promise<void> {
  const { site, line } = await openSite(bench);
  await measureJoins(bench, site, line);
}

async function openSite(bench: Bench): Promise<{ site: ClusterSite; line: NetnsSide }> {
  const netns = await createNetnsPair();
  bench.onEnd(() => netns.close());
  const site = await ClusterSite.open({ netns, hub: { heartbeatSeconds: 10, logLevel: 'warn' } });
  bench.onEnd(() => site.close());
  return { site, line: netns.edge };
}

/** From nothing: join, start, registered and Ready in the API. */
async function measureJoins(bench: Bench, site: ClusterSite, line: NetnsSide): Promise<void> {
  bench.say(`joining ${JOINS} nodes …`);
  const elapsed: number[] = [];
  const bytes: number[] = [];
  for (let index = 0; index < JOINS; index++) {
    const node = `joined-${index}`;
    const edge = await site.unjoined(node, { config: { hub: { heartbeatMs: 10_000 } } });
    const token = await site.token({ node });
    const before = await line.counters();
    const joinMs = await site.joinInNamespace(edge, token);
    const startMs = await readyAfter(site, edge);
    await delay(SETTLE_MS);
    bytes.push(bytesOf(await line.counters()) - bytesOf(before));
    elapsed.push(joinMs + startMs);
    await edge.stop();
  }
  const note = 'from the call to Ready in the API; without the start of Node.js itself for the join command';
  bench.figure({ figure: 'join_ms', value: median(elapsed), unit: 'ms', n: JOINS, note });
  bench.figure({ figure: 'join_bytes', value: median(bytes), unit: 'B', n: JOINS });
}

/** Starts edgecore; how long until its node is Ready, milliseconds. */
async function readyAfter(site: ClusterSite, edge: SiteEdge): Promise<number> {
  const startedMs = performance.now();
  const starting = edge.start();
  const path = resourcePath(RESOURCES.nodes, { name: edge.node });
  for (;;) {
    const node = (await site.client.request({ method: 'GET', path }).catch(() => undefined)) as
      { status?: { conditions?: { type: string; status: string }[] } } | undefined;
    const ready = node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    if (ready === true) break;
    if (performance.now() - startedMs > 30_000) throw new Error(`${edge.node} does not become ready`);
    await delay(LOOK_MS);
  }
  const elapsedMs = performance.now() - startedMs;
  await starting;
  await edge.untilInSync();
  return elapsedMs;
}

async function measureReconnects(
  bench: Bench,
  site: ClusterSite,
  edge: SiteEdge,
  line: NetnsSide,
): Promise<void> {
  bench.say('reconnecting …');
  const bytes: number[] = [];
  const objectBytes = await site.hubMetric('hawser_sync_object_bytes_total');
  for (let index = 0; index < RECONNECTS; index++) {
    const { session } = await edge.admin.status();
    const before = await line.counters();
    await edge.admin.reconnect();
    await edge.until((status) => status.session.epoch > session.epoch);
    await edge.untilInSync();
    await delay(SETTLE_MS);
    bytes.push(bytesOf(await line.counters()) - bytesOf(before));
    await delay(1000);
  }
  const sent = (await site.hubMetric('hawser_sync_object_bytes_total')) - objectBytes;
  const note = `the end of the old session included; ${bytes.join(', ')}`;
  bench.figure({ figure: 'reconnect_unchanged_bytes', value: median(bytes), unit: 'B', n: RECONNECTS, note });
  bench.figure({ figure: 'reconnect_unchanged_object_bytes', value: sent, unit: 'B', n: RECONNECTS });
}

async function measureIdle(bench: Bench, edge: SiteEdge, line: NetnsSide): Promise<void> {
  bench.say(`idle for ${IDLE_MINUTES} minutes …`);
  const { pid } = edge.process;
  const written = (await processUsage(pid)).writtenBytes;
  const minutes: number[] = [];
  for (let minute = 0; minute < IDLE_MINUTES; minute++) {
    const before = await line.counters();
    await delay(60_000);
    minutes.push(bytesOf(await line.counters()) - bytesOf(before));
  }
  const usage = await processUsage(pid);
  const kibAnHour = ((usage.writtenBytes - written) / KIB) * (60 / IDLE_MINUTES);
  bench.figure({ figure: 'idle_minute_bytes', value: median(minutes), unit: 'B', n: IDLE_MINUTES });
  const note = `of ${IDLE_MINUTES} minutes, multiplied`;
  bench.figure({ figure: 'flash_idle_hour_kib', value: kibAnHour, unit: 'KiB', n: IDLE_MINUTES, note });
  bench.figure({ figure: 'edge_rss_mb', value: usage.rssBytes / MB, unit: 'MB', n: 1 });
  bench.figure({ figure: 'edge_anon_mb', value: usage.anonBytes / MB, unit: 'MB', n: 1 });
}

async function measureUpdates(
  bench: Bench,
  site: ClusterSite,
  edge: SiteEdge,
  line: NetnsSide,
): Promise<void> {
  for (const [figure, sizeBytes] of [
    ['configmap_update_bytes', 20 * KIB],
    ['configmap_300k_update_bytes', 300 * KIB],
  ] as const) {
    bench.say(`updating a ConfigMap of ${sizeBytes / KIB} KiB …`);
    const name = `${edge.node}-cm-0`;
    const large = largeConfigMap(name, sizeBytes);
    const { data } = large as unknown as { data: Record<string, string> };
    await site.client.request({
      method: 'PATCH',
      path: resourcePath(RESOURCES.configmaps, { namespace: 'default', name }),
      body: { data },
      contentType: 'application/merge-patch+json',
    });
    await untilDurable(site, edge, name);
    const own = (request: { resource: string }): boolean => request.resource !== 'leases';
    const writesBefore = await site.writes(own);
    const bytes: number[] = [];
    for (let update = 0; update < UPDATES; update++) {
      const before = await line.counters();
      await patchKey(site.client, name, 'setting-000100', randomText());
      await untilDurable(site, edge, name);
      await delay(SETTLE_MS);
      bytes.push(bytesOf(await line.counters()) - bytesOf(before));
    }
    bench.figure({ figure, value: median(bytes), unit: 'B', n: UPDATES });
    if (figure === 'configmap_update_bytes') {
      const writes = (await site.writes(own)) - writesBefore - UPDATES;
      const note = 'beside the update itself and the leases';
      bench.figure({
        figure: 'bookkeeping_writes_per_update',
        value: writes / UPDATES,
        unit: 'count',
        n: UPDATES,
        note,
      });
    }
  }
}

/** Waits until the edge has the version that the API shows. */
async function untilDurable(site: ClusterSite, edge: SiteEdge, name: string): Promise<void> {
  const path = resourcePath(RESOURCES.configmaps, { namespace: 'default', name });
  const { metadata } = (await site.client.request({ method: 'GET', path })) as {
    metadata: { resourceVersion: string };
  };
  const key = `configmaps/default/${name}`;
  const lateMs = performance.now() + 10_000;
  for (;;) {
    const { items } = await edge.admin.objects('configmaps');
    if (items.some((item) => item.key === key && item.resourceVersion === metadata.resourceVersion)) return;
    if (performance.now() > lateMs) throw new Error(`${key} does not come to ${edge.node}`);
    await delay(LOOK_MS);
  }
}

/** Waits until the objects are there, and what the edge says about them is in the API. */
async function untilQuiet(site: ClusterSite, edge: SiteEdge, objects: number): Promise<void> {
  await edge.until(({ scopes, outbox, tokens }) => {
    return (scopes[0]?.objects ?? 0) > objects && outbox.waiting === 0 && tokens.missing === 0;
  });
  let before = -1;
  for (let now = await site.writes(); now !== before; now = await site.writes()) {
    before = now;
    await delay(3000);
    // Leases are renewed every 10 s: two looks in a row without a write come soon.
  }
}
