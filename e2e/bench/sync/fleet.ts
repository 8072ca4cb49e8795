import { readFileSync } from 'node:fs';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { ask } from '../../src/cluster-site/ipc-calls.ts';
import { ClusterSite, type ClusterSiteOptions } from '../../src/cluster-site/cluster-site.ts';
import type { Bench, NodeChild } from '../../src/index.ts';
import { processUsage, startNode } from '../../src/index.ts';
import type { FleetSettings, FleetState } from './fleet-process.ts';
import { createAll, fixture, nodeConfigMaps, nodePods } from './objects.ts';

const EDGES = 1000;
const SECRETS = 20_000;
const SECRET_BYTES = 10 * 1024;
const SESSIONS = 10_000;
/** Client processes that the edges are spread over. */
const FLEETS = { edges: 2, sessions: 4 } as const;
const KIB = 1024;
const MB = 1024 * 1024;
/** Ten thousand handshakes on two processors, both ends of each. */
const CONNECT_LIMIT_MS = 7 * 60_000;
const STORMS = 3;
const IDLE_SECONDS = 30;

/** The price of an edge at the hub, and what happens when a thousand come back at once. */
export async function measureFleet(bench: Bench): Promise<void> {
  const site = await openSite(bench, 10);
  bench.say(`writing ${SECRETS} Secrets that no edge needs …`);
  await createAll(site.client, RESOURCES.secrets, unrelatedSecrets());
  await site.startHub(0);
  const before = await settledRss(site);
  bench.say(`writing 10 pods and 5 configMaps for each of ${EDGES} edges …`);
  const [pod, configMap] = [await fixture('pod-4k'), await fixture('configmap-2k')];
  const nodes = Array.from({ length: EDGES }, (_, index) => `edge-${index}`);
  await createAll(site.client, RESOURCES.serviceaccounts, [serviceAccount('default')]);
  await createAll(site.client, RESOURCES.nodes, nodes.map(nodeObject));
  for (const node of nodes)
    await createAll(site.client, RESOURCES.configmaps, nodeConfigMaps(configMap, node));
  for (const node of nodes) await createAll(site.client, RESOURCES.pods, nodePods(pod, node));
  bench.say(`connecting ${EDGES} edges …`);
  const fleets = await startFleets(bench, site, {
    prefix: 'edge-',
    count: EDGES,
    fleets: FLEETS.edges,
    subscribe: true,
  });
  await untilAll(fleets, EDGES, 'synced');
  const after = await settledRss(site);
  const kib = (after - before) / KIB / EDGES;
  bench.figure({ figure: 'hub_kib_per_edge', value: kib, unit: 'KiB', n: EDGES });
  await measureStorm(bench, site, fleets);
  await stopAll(fleets);
  await site.close();
}

/** Every connection is lost at one moment, the hub stays. */
async function measureStorm(bench: Bench, site: ClusterSite, fleets: readonly NodeChild[]): Promise<void> {
  const elapsed: number[] = [];
  const lists: number[] = [];
  for (let run = 0; run < STORMS; run++) {
    bench.say('cutting all connections …');
    const listsBefore = await countLists(site);
    const startedMs = performance.now();
    await Promise.all(fleets.map((fleet) => ask(fleet, 'drop')));
    await untilAll(fleets, EDGES, 'synced', 120_000);
    elapsed.push(performance.now() - startedMs);
    lists.push((await countLists(site)) - listsBefore);
    await delay(5_000); // the next one starts from a quiet state
  }
  const note = `${STORMS} storms: ${elapsed.map((ms) => Math.round(ms)).join(', ')} ms; the worst counts`;
  bench.figure({ figure: 'storm_1000_resync_ms', value: Math.max(...elapsed), unit: 'ms', n: STORMS, note });
  bench.figure({ figure: 'storm_api_lists', value: Math.max(...lists), unit: 'count', n: STORMS });
}

/** Ten thousand idle sessions: memory and CPU of the hub, leases and heartbeats included. */
export async function measureSessions(bench: Bench): Promise<void> {
  // A port for each node: with the sessions twice as many files as many a machine lets a process open.
  const kubelet = openFilesLimit() > 3 * SESSIONS;
  const site = await openSite(bench, 10, { kubelet: { enabled: kubelet } });
  await site.startHub(0);
  bench.say(`connecting ${SESSIONS} edges …`);
  const wish = { prefix: 'idle-', count: SESSIONS, fleets: FLEETS.sessions, subscribe: false };
  const fleets = await startFleets(bench, site, wish);
  await untilAll(fleets, SESSIONS, 'connected', CONNECT_LIMIT_MS);
  await delay(15_000); // renewals are spread by then
  const { pid } = site.hub();
  const [start, startedMs] = [await processUsage(pid), performance.now()];
  await delay(IDLE_SECONDS * 1000);
  const end = await processUsage(pid);
  const cpu = ((end.cpuMs - start.cpuMs) / (performance.now() - startedMs)) * 100;
  bench.figure({ figure: 'hub_sessions_10000_rss_mb', value: end.rssBytes / MB, unit: 'MB', n: SESSIONS });
  const note = kubelet
    ? 'with a port for each node'
    : 'without ports for kubectl logs: too few open files here';
  bench.figure({ figure: 'hub_sessions_10000_cpu_percent', value: cpu, unit: '%', n: IDLE_SECONDS, note });
  await stopAll(fleets);
  await site.close();
}

/** Of this process, which hubs inherit. */
function openFilesLimit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
}

async function openSite(
  bench: Bench,
  heartbeatSeconds: number,
  more: ClusterSiteOptions['hub'] = {},
): Promise<ClusterSite> {
  const site = await ClusterSite.open({
    replicas: 0,
    // All of them come from one address here.
    hub: { heartbeatSeconds, logLevel: 'error', limits: { maxConnectionsPerAddress: 2 * SESSIONS }, ...more },
    controlPlane: { controllers: false },
  });
  bench.onEnd(() => site.close());
  return site;
}

async function startFleets(
  bench: Bench,
  site: ClusterSite,
  wish: { prefix: string; count: number; fleets: number; subscribe: boolean },
): Promise<readonly NodeChild[]> {
  const { prefix, subscribe } = wish;
  const each = wish.count / wish.fleets;
  const authority = await site.authority();
  const start = async (index: number): Promise<NodeChild> => {
    const settings: FleetSettings = {
      ...{ prefix, subscribe, authority, first: index * each, count: each },
      hub: site.directAddress(),
    };
    const fleet = await startNode({
      script: new URL('fleet-process.js', import.meta.url),
      args: [JSON.stringify(settings)],
      readyTimeoutMs: CONNECT_LIMIT_MS,
    });
    bench.onEnd(async () => {
      await fleet.kill();
    });
    return fleet;
  };
  const fleets = await Promise.all(Array.from({ length: wish.fleets }, (_, index) => start(index)));
  await Promise.all(fleets.map((fleet) => ask(fleet, 'start', undefined, CONNECT_LIMIT_MS)));
  return fleets;
}

async function untilAll(
  fleets: readonly NodeChild[],
  count: number,
  what: 'connected' | 'synced',
  limitMs = 180_000,
): Promise<void> {
  const lateMs = performance.now() + limitMs;
  for (;;) {
    const states = await Promise.all(fleets.map((fleet) => ask<FleetState>(fleet, 'state')));
    const reached = states.reduce((sum, state) => sum + state[what], 0);
    if (reached === count) return;
    if (performance.now() > lateMs) throw new Error(`${reached} of ${count} are ${what} after ${limitMs} ms`);
    await delay(50);
  }
}

async function stopAll(fleets: readonly NodeChild[]): Promise<void> {
  await Promise.all(fleets.map((fleet) => fleet.kill()));
}

/** Resident memory once garbage is collected and nothing goes on. */
async function settledRss(site: ClusterSite): Promise<number> {
  let last = Infinity;
  for (let look = 0; look < 20; look++) {
    const { rssBytes } = await ask<{ rssBytes: number }>(site.hub(), 'usage');
    const unready = await ask<readonly string[]>(site.hub(), 'unready');
    if (unready.length === 0 && Math.abs(rssBytes - last) < MB) return rssBytes;
    last = rssBytes;
    await delay(1000);
  }
  return last;
}

async function countLists(site: ClusterSite): Promise<number> {
  const requests = await site.requests();
  return requests.filter(({ verb }) => verb === 'list').reduce((sum, { count }) => sum + count, 0);
}

function nodeObject(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'hawser.dev/edge': '' } } };
}

function serviceAccount(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } };
}

function* unrelatedSecrets(): Generator<KubeObject> {
  const value = Buffer.alloc((SECRET_BYTES * 3) / 4, 'hawser').toString('base64');
  for (let index = 0; index < SECRETS; index++) {
    const metadata = { name: `unrelated-${index}`, namespace: 'default' };
    yield { apiVersion: 'v1', kind: 'Secret', metadata, data: { value } };
  }
}
