import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { delay } from '@hawser/seams';
import { RESOURCES, SqliteStore, type TlsMaterial } from '@hawser/kube';
import { median, type Bench } from '../../src/index.ts';
import { ask, startControlPlaneProcess, type ControlPlaneProcess } from './control-plane-process.ts';
import { databaseOf } from './objects.ts';

const RUNS = 7;
const ASK_AGAIN_MS = 5;

interface Start {
  /** Until /readyz answered. */
  readonly readyMs: number;
  /** Until all controllers were at work. */
  readonly controllersMs: number;
  readonly plane: ControlPlaneProcess;
}

/**
 * Starts of a control plane whose folder holds a cluster: from making the process until /readyz answers over TLS, and
 * until all controllers are at work; and of its store alone, in this process.
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
  const first = await startControlPlaneProcess(bench, { dataDir }); // makes the keys, which then stay
  await first.stop();
  const starts: (Omit<Start, 'plane'> & { rssMb: number })[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { plane, ...times } = await timedStart(bench, dataDir, first.tls);
    starts.push({ ...times, rssMb: await plane.rssMb() });
    await plane.stop();
  }
  const print = (name: string, of: (start: (typeof starts)[number]) => number, unit = 'ms'): void =>
    bench.figure({ figure: `start_${pods}_objects_${name}`, value: median(starts.map(of)), unit, n: RUNS });
  bench.figure({
    figure: `start_${pods}_objects_ms`,
    value: median(starts.map(({ readyMs }) => readyMs)),
    unit: 'ms',
    n: RUNS,
    note: 'from making the process until /readyz answers; files in the page cache',
  });
  print('controllers_ms', ({ controllersMs }) => controllersMs);
  print('rss_mb', ({ rssMb }) => rssMb, 'MB');
  bench.figure({ figure: `start_${pods}_objects_store_ms`, value: median(storeMs), unit: 'ms', n: RUNS });
}

async function timedStart(bench: Bench, dataDir: string, tls: TlsMaterial): Promise<Start> {
  const port = await freePort();
  const startedMs = performance.now();
  const elapsed = (): number => performance.now() - startedMs;
  const starting = startControlPlaneProcess(bench, { dataDir, port });
  const started = starting.then((plane) => ({ plane, controllersMs: elapsed() }));
  const [readyMs, rest] = await Promise.all([untilReady(`https://127.0.0.1:${port}`, tls, started), started]);
  return { readyMs: readyMs - startedMs, ...rest };
}

/** @returns when (performance.now) /readyz answered well; it must once the start has ended */
async function untilReady(url: string, tls: TlsMaterial, started: Promise<unknown>): Promise<number> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  void started.then(end, end);
  while (true) {
    const isLast = ended.signal.aborted;
    const answer = await ask({ url, tls }, '/readyz').catch((error: unknown) => String(error));
    if (answer === '200 ok') return performance.now();
    if (isLast) throw new Error(`/readyz after the start has ended: ${answer}`);
    await delay(ASK_AGAIN_MS);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listens on TCP
  server.close();
  await once(server, 'close');
  return port;
}
