import { RESOURCES, SqliteStore } from '@hawser/kube';
import { median, type Bench } from '../../src/index.ts';
import { ask, startControlPlaneProcess } from './control-plane-process.ts';
import { databaseOf } from './objects.ts';

const RUNS = 7;

/**
 * Starts of a control plane whose folder holds a cluster: from making the process until /readyz answers over TLS,
 * all controllers at work; and of its store alone, in this process.
 */
export async function measureStarts(bench: Bench, dataDir: string, pods: number): Promise<void> {
  const storeMs: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const startedMs = performance.now();
    const store = await SqliteStore.open({ path: databaseOf(dataDir) });
    const ms = performance.now() - startedMs;
    const { length } = store.list({ group: '', resource: RESOURCES.pods.resource }).entries;
    await store.close();
    if (length !== pods) throw new Error(`the store holds ${length} of ${pods} pods`);
    if (run >= 0) storeMs.push(ms); // the first one warms up
  }
  const startMs: number[] = [];
  const rssMb: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const startedMs = performance.now();
    const plane = await startControlPlaneProcess(bench, { dataDir });
    const readyz = await ask(plane, '/readyz');
    const ms = performance.now() - startedMs;
    if (readyz !== '200 ok') throw new Error(`/readyz was answered ${readyz}`);
    rssMb.push(await plane.rssMb());
    await plane.stop();
    if (run >= 0) startMs.push(ms);
  }
  const figure = `start_${pods}_objects`;
  const note = 'process, store, server and all controllers until /readyz answers; files in the page cache';
  bench.figure({ figure: `${figure}_ms`, value: median(startMs), unit: 'ms', n: RUNS, note });
  bench.figure({ figure: `${figure}_store_ms`, value: median(storeMs), unit: 'ms', n: RUNS });
  bench.figure({ figure: `${figure}_rss_mb`, value: median(rssMb), unit: 'MB', n: rssMb.length });
}
