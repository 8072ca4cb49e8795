import { delay } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { TunnelClient, WsTransport, type FrameHandler } from '@hawser/proto';
import { TunnelSite, type Bench } from '../../src/index.ts';

const KIB = 1024;

/** Memory of idle sessions at the hub: its RSS with and without them. */
export async function measureIdleSessions(bench: Bench, count: number): Promise<void> {
  const site = await TunnelSite.open({ hub: { transports: ['ws'] } });
  bench.onEnd(() => site.close());
  const clients = await connectMany(bench, site, 50, () => () => {}); // the hub's code is warm then
  const before = await rss(site);
  bench.say(`opening ${count} idle sessions …`);
  const more = await connectMany(bench, site, count, () => () => {}, 50);
  await delay(2000);
  const after = await rss(site);
  const value = (after - before) / count / KIB;
  bench.figure({ figure: 'idle_session_kib', value, unit: 'KiB', n: count, note: 'RSS of the hub, ws' });
  await Promise.all([...clients, ...more].map((client) => client.stop()));
  await site.close();
}

/** One frame to every session, as fast as it goes: frames received by all edges together per second. */
export async function measureFanOut(
  bench: Bench,
  sessions: number,
  frames: number,
  bytes: number,
): Promise<void> {
  const site = await TunnelSite.open({ hub: { transports: ['ws'] } });
  bench.onEnd(() => site.close());
  let received = 0;
  const clients = await connectMany(bench, site, sessions, () => (frame) => {
    if (frame.body === 'delta') received += 1;
  });
  const rates: number[] = [];
  for (let run = 0; run < 6; run++) {
    received = 0;
    const startedMs = performance.now();
    await site.ask({ ask: 'fan-out', frames, bytes });
    await eventually('all frames', () => received === frames * sessions, {
      deadlineMs: 60_000,
      intervalMs: 1,
    });
    const rate = (frames * sessions * 1000) / (performance.now() - startedMs);
    if (run > 0) rates.push(rate); // the first one warms up
  }
  rates.sort((a, b) => a - b);
  bench.figure({
    figure: 'fanout_frames_per_second',
    value: rates[Math.floor(rates.length / 2)] ?? 0,
    unit: '1/s',
    n: rates.length,
    note: `${sessions} sessions, ${bytes} B bodies, each frame to all before the next; edges in one process`,
  });
  await Promise.all(clients.map((client) => client.stop()));
  await site.close();
}

async function rss(site: TunnelSite): Promise<number> {
  const { rssBytes } = await site.ask<{ rssBytes: number }>({ ask: 'usage' });
  return rssBytes;
}

async function connectMany(
  bench: Bench,
  site: TunnelSite,
  count: number,
  onTunnel: () => FrameHandler,
  from = 0,
): Promise<TunnelClient[]> {
  const clients: TunnelClient[] = [];
  const hub = { host: '127.0.0.1', port: site.hubPort('ws') };
  const connect = async (index: number): Promise<void> => {
    const node = `many-${index}`;
    const credentials = await site.identities.edge(node);
    const transport = new WsTransport({ credentials: () => credentials, limits: site.limits });
    const client = new TunnelClient({
      routes: [{ transport, hub }],
      hello: () => ({ node, software: 'bench', heartbeatMs: 300_000 }),
      onTunnel,
    });
    clients.push(client);
    client.start();
    await eventually('a session', () => client.state === 'connected', { deadlineMs: 30_000 });
  };
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < from + count) await connect(next++);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  bench.say(`${count} sessions are up`);
  return clients;
}
