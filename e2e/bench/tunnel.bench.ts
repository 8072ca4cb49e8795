// The tunnel against bare `ws`, its transports against each other, and what a session costs a hub.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median, pairedRuns, runBench, SiteIdentities, TunnelSite, type Bench } from '../src/index.ts';
import { bareWebSocket, type Subject } from './tunnel/bare-ws-client.ts';
import { measureControlUnderBulk } from './tunnel/control-under-bulk.ts';
import { measureFanOut, measureIdleSessions } from './tunnel/idle-and-fan-out.ts';
import { connectEdge, tunnelSubject } from './tunnel/tunnel-subject.ts';

const TRANSFER_BYTES = 128 * 1024 * 1024;
const RUNS = 7;

async function echoP50(subject: Subject): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 1000; i++) times.push(await subject.roundTrip());
  return median(times);
}

async function compare(bench: Bench, own: [string, Subject], rival: [string, Subject]): Promise<void> {
  const [name, subject] = own;
  const [rivalName, rivalSubject] = rival;
  bench.say(`${name} against ${rivalName} …`);
  const transfer = await pairedRuns({
    own: () => subject.transfer(TRANSFER_BYTES),
    rival: () => rivalSubject.transfer(TRANSFER_BYTES),
    runs: RUNS,
  });
  bench.figure({
    figure: `${name}_throughput_over_${rivalName}`,
    value: transfer.ratio,
    unit: 'ratio',
    n: RUNS,
    note: `${median(transfer.own).toFixed(0)} against ${median(transfer.rival).toFixed(0)} MB/s`,
  });
  const echo = await pairedRuns({
    own: () => echoP50(subject),
    rival: () => echoP50(rivalSubject),
    runs: RUNS,
  });
  bench.figure({
    figure: `${name}_echo_p50_over_${rivalName}`,
    value: echo.ratio,
    unit: 'ratio',
    n: RUNS,
    note: `${median(echo.own).toFixed(3)} against ${median(echo.rival).toFixed(3)} ms`,
  });
}

await runBench('tunnel', async (bench) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'hawser-bench-'));
  bench.onEnd(() => rm(dir, { recursive: true, force: true }));
  const identities = await SiteIdentities.create(dir);
  const site = await TunnelSite.open({ hub: { transports: ['ws', 'quic', 'webtransport'] } });
  bench.onEnd(() => site.close());
  const bare = await bareWebSocket(bench, dir, identities);
  const ws = await tunnelSubject((await connectEdge(bench, site, 'ws')).tunnel);
  const quic = await tunnelSubject((await connectEdge(bench, site, 'quic')).tunnel);
  await compare(bench, ['ws', ws], ['bare', bare]);
  const webTransport = await tunnelSubject((await connectEdge(bench, site, 'webtransport')).tunnel);
  await compare(bench, ['quic', quic], ['ws', ws]);
  await compare(bench, ['webtransport', webTransport], ['ws', ws]);
  await measureIdleSessions(bench, 1000);
  await measureFanOut(bench, 100, 200, 256);
  await measureControlUnderBulk(bench, 'ws', 400);
  await measureControlUnderBulk(bench, 'quic', 400);
});
