import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { ResourceClient, RESOURCES, SqliteStore } from '@hawser/kube';
import { median, type Bench } from '../../src/index.ts';
import type { ControlPlaneProcess } from './control-plane-process.ts';
import { configMap, edited, storeKey } from './objects.ts';

const RUNS = 5;
const RUN_MS = 2000;
const WRITERS = 32;
const FLUSHES = 200;
const PAGE_BYTES = 64 * 1024;

/** Creates an object and updates it once. The number is new at each call. */
type WriteTwice = (index: number) => Promise<void>;

/** Acknowledged writes of a store in this process: each is on disk when it counts. */
export async function measureStoreWrites(bench: Bench, dir: string): Promise<void> {
  const flushMs = await flushP50(path.join(dir, 'flush'));
  const rates: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const file = path.join(dir, `writes-${run}.db`);
    const store = await SqliteStore.open({ path: file });
    try {
      const rate = await rateOf(async (index) => {
        const object = configMap(index);
        const key = storeKey('configmaps', object);
        const { resourceVersion } = await store.create(key, object);
        await store.update(key, resourceVersion, edited(object, 'mqtt://10.20.4.3:1883'));
      });
      if (run >= 0) rates.push(rate); // the first one warms up
    } finally {
      await store.close();
      await rm(file, { force: true });
    }
  }
  bench.figure({
    figure: 'durable_writes_per_second',
    value: median(rates),
    unit: '1/s',
    n: RUNS,
    note: `${WRITERS} writers, objects of 2 KB; a bare append and fdatasync of 64 KiB takes ${flushMs.toFixed(2)} ms here`,
  });
}

/** The same through the API: TLS, checks, admission, and a store on disk. */
export async function measureRestWrites(bench: Bench, plane: ControlPlaneProcess): Promise<void> {
  const configMaps = new ResourceClient(plane.client, RESOURCES.configmaps);
  const rates: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const rate = await rateOf(async (index) => {
      const created = await configMaps.create(configMap(index, `run${run + 1}`));
      await configMaps.update(edited(created, 'mqtt://10.20.4.3:1883'));
    });
    if (run >= 0) rates.push(rate);
  }
  bench.figure({
    figure: 'durable_rest_writes_per_second',
    value: median(rates),
    unit: '1/s',
    n: RUNS,
    note: `${WRITERS} connections; clients and server share the machine`,
  });
  bench.figure({ figure: 'rest_writes_server_rss_mb', value: await plane.rssMb(), unit: 'MB', n: 1 });
}

/** Lets all writers write for a while. @returns acknowledged writes per second */
async function rateOf(writeTwice: WriteTwice): Promise<number> {
  let index = 0;
  let writes = 0;
  const startedMs = performance.now();
  const writer = async (): Promise<void> => {
    while (performance.now() - startedMs < RUN_MS) {
      await writeTwice(index++);
      writes += 2;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return (writes * 1000) / (performance.now() - startedMs);
}

/** What the disk takes for one flush, without a database. */
async function flushP50(file: string): Promise<number> {
  const handle = await open(file, 'w');
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const times: number[] = [];
  try {
    for (let flush = 0; flush < FLUSHES; flush++) {
      const startedMs = performance.now();
      await handle.write(page);
      await handle.datasync();
      times.push(performance.now() - startedMs);
    }
  } finally {
    await handle.close();
    await rm(file);
  }
  return median(times);
}
