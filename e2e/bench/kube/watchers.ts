import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { deferred, delay } from '@hawser/seams';
import { ResourceClient, RESOURCES, type KubeObject } from '@hawser/kube';
import { median, percentile, type Bench } from '../../src/index.ts';
import type { ControlPlaneProcess } from './control-plane-process.ts';
import { configMap, edited } from './objects.ts';

const RUNS = 5;
const ROUNDS = 40;
const PAUSE_MS = 20;
const ROUND_LIMIT_MS = 30_000;
const OPENED_AT_ONCE = 16;
const NEWLINE = 10;

/** One watch request over a connection of its own. Its next event's line, and when it was complete. */
class Watcher {
  readonly #onLine: () => void;
  #pieces: Buffer[] = [];
  #line: Buffer = Buffer.alloc(0);

  constructor(onLine: () => void) {
    this.#onLine = onLine;
  }

  /** Opens the watch; resolves when the server has accepted it. */
  async open(bench: Bench, { url, tls }: ControlPlaneProcess, path: string): Promise<void> {
    const request = https.get(new URL(path, url), { ...tls, agent: false });
    bench.onEnd(() => void request.destroy());
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`a watch was answered ${response.statusCode}`);
    response.on('error', () => {}); // the bench ends by destroying it; before that, a round would not end
    response.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** The version in the newest event, which must be MODIFIED. */
  modifiedVersion(): string | undefined {
    const { type, object } = JSON.parse(this.#line.toString()) as { type: string; object: KubeObject };
    if (type !== 'MODIFIED') throw new Error(`a watch told of ${type}`);
    return object.metadata.resourceVersion;
  }

  #take(chunk: Buffer): void {
    this.#pieces.push(chunk);
    if (chunk.at(-1) !== NEWLINE) return; // a round ends before the next write: no chunk holds parts of two lines
    this.#onLine();
    this.#line = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    this.#pieces = [];
  }
}

/**
 * Many watches of one ConfigMap, as kubelets hold them, each over a TLS connection of its own, while the object is
 * updated: the time from the start of a write until its event has arrived at a watcher.
 */
export async function measureWatchers(
  bench: Bench,
  plane: ControlPlaneProcess,
  count: number,
): Promise<void> {
  const configMaps = new ResourceClient(plane.client, RESOURCES.configmaps);
  let object = await configMaps.create(configMap(0, 'watched'));
  const round = new Round(count);
  const query = new URLSearchParams({
    watch: 'true',
    fieldSelector: `metadata.name=${object.metadata.name ?? ''}`,
    resourceVersion: object.metadata.resourceVersion ?? '',
    timeoutSeconds: '1800',
  });
  const path = `/api/v1/namespaces/default/configmaps?${query.toString()}`;
  bench.say(`opening ${count} watches …`);
  const watchers = Array.from({ length: count }, () => new Watcher(() => round.arrived()));
  await openAll(watchers, (watcher) => watcher.open(bench, plane, path));

  bench.say(`${count} watches are open; ${RUNS} runs of ${ROUNDS} updates`);
  const p99s: number[] = [];
  const p50s: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const samples: number[] = [];
    for (let update = 0; update < ROUNDS; update++) {
      const next = edited(object, `mqtt://10.20.4.2:${10_000 + update}`);
      const [times, updated] = await Promise.all([round.start(), configMaps.update(next)]);
      object = updated;
      samples.push(...times);
      const version = object.metadata.resourceVersion;
      if (watchers.some((watcher) => watcher.modifiedVersion() !== version))
        throw new Error(`a watcher was not told of version ${version}`);
      await delay(PAUSE_MS);
    }
    if (run < 0) continue; // the first one warms up
    p99s.push(percentile(samples, 99));
    p50s.push(percentile(samples, 50));
  }
  const n = RUNS * ROUNDS * count;
  const note = `from the write's start, one object of 2 KB, clients in one process; median of ${RUNS} runs`;
  bench.figure({ figure: `watch_${count}_p99_ms`, value: median(p99s), unit: 'ms', n, note });
  bench.figure({ figure: `watch_${count}_p50_ms`, value: median(p50s), unit: 'ms', n });
  bench.figure({ figure: `watch_${count}_server_rss_mb`, value: await plane.rssMb(), unit: 'MB', n: 1 });
}

/** One update: collects when its event arrived at each watcher. */
class Round {
  readonly #count: number;
  #samples: number[] = [];
  #startedMs = 0;
  #all = deferred<readonly number[]>();

  constructor(count: number) {
    this.#count = count;
  }

  /** Begins to take the time. @returns milliseconds until it arrived, for each watcher */
  async start(): Promise<readonly number[]> {
    this.#samples = [];
    const all = deferred<readonly number[]>();
    this.#all = all;
    const timer = new AbortController();
    const late = delay(ROUND_LIMIT_MS, { signal: timer.signal }).then(
      () => all.reject(new Error(`${this.#samples.length} of ${this.#count} watchers heard of an update`)),
      () => {}, // all arrived
    );
    this.#startedMs = performance.now();
    try {
      return await all.promise;
    } finally {
      timer.abort();
      await late;
    }
  }

  arrived(): void {
    this.#samples.push(performance.now() - this.#startedMs);
    if (this.#samples.length === this.#count) this.#all.resolve(this.#samples);
  }
}

async function openAll(
  watchers: readonly Watcher[],
  open: (watcher: Watcher) => Promise<void>,
): Promise<void> {
  const waiting = [...watchers];
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await open(next);
  };
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, worker));
}
