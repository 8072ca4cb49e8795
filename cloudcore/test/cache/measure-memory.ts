/**
 * Child process: measures what a cache costs. `node --expose-gc measure-memory.js '{"nodes":1000,…}'` by hand, or
 * forked by a test. Tells one JSON object: what the process had before, what it has with the caches synced.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { HttpApiClient } from '@hawser/kube';
import { ApiVersionReader } from '../../src/cluster/api-version-reader.ts';
import { ClusterCache } from '../../src/cache/cluster-cache.ts';
import type { PopulationSize } from './population.ts';

/** One look at the process, bytes. */
interface Footprint {
  readonly rss: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
}

/** What is told. */
export interface MemoryReport {
  readonly before: Footprint;
  readonly synced: Footprint;
  readonly syncMs: number;
  /** The highest RSS while syncing. */
  readonly peakRss: number;
  /** Sizes of the views, added. */
  readonly objects: number;
  /** Distinct contents' bytes. */
  readonly contentBytes: number;
}

async function footprint(): Promise<Footprint> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50)); // sweeping goes on in the background
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, arrayBuffers };
}

async function serve(size: PopulationSize): Promise<{ url: string; stop: () => void }> {
  const child = fork(new URL('./memory-server.js', import.meta.url), [JSON.stringify(size)], {
    execArgv: ['--max-old-space-size=4096'],
  });
  const [message] = (await once(child, 'message')) as [{ url: string }];
  return { url: message.url, stop: () => child.disconnect() };
}

async function measure(size: PopulationSize): Promise<MemoryReport> {
  const warm = await serve({ nodes: 2, podsPerNode: 2, configMapsPerNode: 2, secrets: 10 });
  await sync(warm.url, 2, async () => {});
  warm.stop();
  const server = await serve(size);
  const before = await footprint();
  let peakRss = 0;
  const sampler = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage.rss())), 20);
  const startedMs = performance.now();
  let report: MemoryReport | undefined;
  await sync(server.url, size.nodes, async (cache) => {
    const syncMs = performance.now() - startedMs;
    clearInterval(sampler);
    // Before anything is read: that unpacks.
    const synced = await footprint();
    let objects = 0;
    const bytes = new Map<string, number>();
    for (let index = 0; index < size.nodes; index += 1) {
      const view = cache.nodeView(`edge-${index}`);
      objects += view.size;
      for (const [key] of view.hashes()) bytes.set(key, view.get(key)?.bytes.length ?? 0);
    }
    const contentBytes = [...bytes.values()].reduce((sum, length) => sum + length, 0);
    report = { before, synced, syncMs, peakRss, objects, contentBytes };
  });
  clearInterval(sampler);
  server.stop();
  if (report === undefined) throw new Error('nothing was measured');
  return report;
}

async function sync(url: string, nodes: number, then: (cache: ClusterCache) => Promise<void>): Promise<void> {
  const client = new HttpApiClient({ server: url });
  const versions = new ApiVersionReader({ client });
  const cache = new ClusterCache({ client, versions });
  const releases = Array.from({ length: nodes }, (_, index) =>
    cache.nodeView(`edge-${index}`).listen({ changed() {}, ready() {} }),
  );
  cache.start();
  await cache.waitForSync();
  await then(cache);
  for (const release of releases) release();
  await cache.stop();
  client.close();
}

const report = await measure(JSON.parse(process.argv[2] ?? '{}') as PopulationSize);
if (process.send === undefined) console.log(JSON.stringify(report));
else process.send(report, () => process.disconnect());
