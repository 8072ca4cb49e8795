import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { delay } from '@hawser/seams';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { writeDefinition } from '../../src/devices-site/devices-site.ts';
import { median, processUsage, type Bench } from '../../src/index.ts';

const PAIRS = 3;
/** Until what belongs to the start is done, and memory was given back. */
const SETTLE_MS = 45_000;
const MB = 1024 * 1024;

/** What an edge takes with the broker, and all that comes with it, over one without: side by side, idle. */
export async function measureMemory(bench: Bench): Promise<void> {
  bench.say(`starting ${PAIRS} edges with an event bus and ${PAIRS} without …`);
  const site = await ClusterSite.open({ hub: { heartbeatSeconds: 10, logLevel: 'error' } });
  bench.onEnd(() => site.close());
  const definitions = path.join(site.dir, 'mappers.d');
  await mkdir(definitions);
  await writeDefinition(definitions, 'app', { topics: { subscribe: ['plant/#'] } }); // nobody who connects
  const rss: Record<'off' | 'embedded', number[]> = { off: [], embedded: [] };
  const edges = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    for (const mode of ['off', 'embedded'] as const) {
      const dir = mode === 'off' ? '/nonexistent' : definitions;
      const edge = await site.edge(`memory-${mode}-${pair}`, {
        config: { eventBus: { mode, listen: '127.0.0.1:0' }, mappers: { dir } },
      });
      edges.push({ edge, mode });
    }
  }
  await delay(SETTLE_MS);
  for (const { edge, mode } of edges) {
    const { bus } = await edge.admin.mappers();
    if ((bus !== undefined) !== (mode === 'embedded'))
      throw new Error(`${edge.node} has a bus, or should have one`);
    rss[mode].push((await processUsage(edge.process.pid)).rssBytes);
  }
  const [off, embedded] = [median(rss.off), median(rss.embedded)];
  const note = `${(embedded / MB).toFixed(1)} MB over ${(off / MB).toFixed(1)} MB`;
  bench.figure({ figure: 'event_bus_idle_mb', value: (embedded - off) / MB, unit: 'MB', n: PAIRS, note });
  await site.close();
}
