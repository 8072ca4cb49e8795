import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { gunzipSync } from 'node:zlib';
import { median, type Bench } from '../../src/index.ts';
import type { ControlPlaneProcess } from './control-plane-process.ts';

const RUNS = 15;
const WALKS = 5;
const PAGE = 500;
const PODS = '/api/v1/pods';

interface PodList {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

interface Answer {
  /** From the request until the last byte was here. */
  readonly ms: number;
  readonly body: Buffer;
}

/** Lists all pods over one kept TLS connection: at once, in pages, and compressed. Times end with the last byte. */
export async function measureLists(bench: Bench, plane: ControlPlaneProcess, pods: number): Promise<void> {
  const agent = new https.Agent({ ...plane.tls, keepAlive: true, maxSockets: 1 });
  bench.onEnd(() => agent.destroy());
  const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    timedGet(new URL(path, plane.url), agent, headers);
  await get('/readyz'); // the connection is there then

  const first = await get(PODS);
  assertPods(first.body, pods);
  const megabytes = (first.body.length / 1e6).toFixed(1);
  const figure = `list_${pods}_pods`;
  bench.say(`${pods} pods are ${megabytes} MB`);
  bench.figure({
    figure: `${figure}_first_ms`,
    ...{ value: first.ms, unit: 'ms', n: 1, note: 'the first list after the start' },
  });
  const full: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { ms, body } = await get(PODS);
    assertPods(body, pods);
    full.push(ms);
  }
  const note = `${megabytes} MB over TLS, to the last byte`;
  bench.figure({ figure: `${figure}_ms`, value: median(full), unit: 'ms', n: RUNS, note });

  const pages: number[] = [];
  for (let walk = 0; walk < WALKS; walk++) pages.push(...(await walkPages(get, pods)));
  bench.figure({ figure: `list_page_${PAGE}_ms`, value: median(pages), unit: 'ms', n: pages.length });

  const zipped: number[] = [];
  for (let run = 0; run < WALKS; run++) {
    const { ms, body } = await get(PODS, { 'accept-encoding': 'gzip' });
    assertPods(gunzipSync(body), pods);
    zipped.push(ms);
  }
  bench.figure({
    figure: `${figure}_gzip_ms`,
    ...{ value: median(zipped), unit: 'ms', n: WALKS, note: 'the pods are much alike: few bytes are left' },
  });
  bench.figure({ figure: 'list_server_rss_mb', value: await plane.rssMb(), unit: 'MB', n: 1 });
}

/** @returns the time of each page */
async function walkPages(get: (path: string) => Promise<Answer>, pods: number): Promise<number[]> {
  const times: number[] = [];
  const names = new Set<string>();
  let token: string | undefined;
  do {
    const query = new URLSearchParams({
      limit: String(PAGE),
      ...(token !== undefined && { continue: token }),
    });
    const { ms, body } = await get(`${PODS}?${query.toString()}`);
    times.push(ms);
    const page = JSON.parse(body.toString()) as PodList;
    for (const { metadata } of page.items) names.add(metadata.name);
    token = page.metadata.continue;
  } while (token !== undefined);
  if (names.size !== pods) throw new Error(`the pages hold ${names.size} of ${pods} pods`);
  return times;
}

function assertPods(body: Buffer, pods: number): void {
  const { items } = JSON.parse(body.toString()) as PodList;
  const names = new Set(items.map(({ metadata }) => metadata.name));
  if (names.size !== pods) throw new Error(`the list holds ${names.size} of ${pods} pods`);
}

async function timedGet(
  url: URL,
  agent: https.Agent,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const startedMs = performance.now();
  const request = https.get(url, { agent, headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  response.on('data', (piece: Buffer) => pieces.push(piece));
  await once(response, 'end');
  const ms = performance.now() - startedMs;
  const body = Buffer.concat(pieces);
  if (response.statusCode === 200) return { ms, body };
  throw new Error(`${url.pathname} was answered ${response.statusCode}: ${body.toString()}`);
}
