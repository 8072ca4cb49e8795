// How exact the fault proxy is, and what it costs: what every other bench that uses it rests on.
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { delay } from '@hawser/seams';
import {
  Link,
  median,
  pairedRuns,
  percentile,
  runBench,
  startTcpProxy,
  type Bench,
  type LinkOptions,
} from '../src/index.ts';

const MBIT = 1e6;
const CHUNK = Buffer.alloc(64 * 1024);

/** A server that echoes, or swallows and counts. */
async function startServer(bench: Bench, serve: (socket: Socket) => void): Promise<number> {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {}); // the proxy resets connections when it stops
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bench.onEnd(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

async function connect(bench: Bench, port: number): Promise<Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  socket.on('error', () => {}); // as above
  bench.onEnd(() => void socket.destroy());
  return socket;
}

async function startProxy(bench: Bench, port: number, link: Link): Promise<number> {
  const proxy = await startTcpProxy({ link, target: { host: '127.0.0.1', port } });
  bench.onEnd(() => proxy.stop());
  return proxy.port;
}

function flood(socket: Socket): void {
  const write = (): void => {
    while (!socket.destroyed && socket.write(CHUNK));
  };
  socket.on('drain', write);
  write();
}

async function echoTimes(socket: Socket, count: number): Promise<number[]> {
  const samples = [];
  for (let sample = 0; sample < count; sample++) {
    const startedMs = performance.now();
    socket.write('x');
    await once(socket, 'data');
    samples.push(performance.now() - startedMs);
  }
  return samples;
}

async function measureCost(bench: Bench): Promise<void> {
  bench.say('echo and throughput through the proxy without limits, over those without proxy …');
  const echo = await startServer(bench, (socket) => socket.pipe(socket));
  const through = await connect(bench, await startProxy(bench, echo, new Link()));
  const bare = await connect(bench, echo);
  const echoes = await pairedRuns({
    own: async () => median(await echoTimes(through, 500)),
    rival: async () => median(await echoTimes(bare, 500)),
  });
  const addedMs = median(echoes.own) - median(echoes.rival);
  bench.figure({ figure: 'echo_added_p50_ms', value: addedMs, unit: 'ms', n: echoes.runs });

  let arrived = 0;
  const sink = await startServer(bench, (socket) => socket.on('data', (data) => (arrived += data.length)));
  const sinkProxy = await startProxy(bench, sink, new Link());
  const throughput = async (port: number): Promise<number> => {
    const socket = await connect(bench, port);
    flood(socket);
    const [fromBytes, startedMs] = [arrived, performance.now()];
    await delay(700);
    const megabytesPerSecond = (arrived - fromBytes) / 1000 / (performance.now() - startedMs);
    socket.destroy();
    await once(socket, 'close');
    return megabytesPerSecond;
  };
  const speeds = await pairedRuns({ own: () => throughput(sinkProxy), rival: () => throughput(sink) });
  bench.figure({ figure: 'throughput_mb_per_s', value: median(speeds.own), unit: 'MB/s', n: speeds.runs });
  bench.figure({ figure: 'throughput_over_bare', value: speeds.ratio, unit: 'ratio', n: speeds.runs });
}

async function measureBandwidth(bench: Bench, bitsPerSecond: number): Promise<void> {
  const name = `${bitsPerSecond / MBIT}mbit`;
  bench.say(`throughput of a ${name} link …`);
  let arrived = 0;
  const sink = await startServer(bench, (socket) => socket.on('data', (data) => (arrived += data.length)));
  // A longer delay would measure the window of the one connection: 1 MiB each delay.
  const link = new Link({ bitsPerSecond, delayMs: 2 });
  flood(await connect(bench, await startProxy(bench, sink, link)));
  await delay(500);
  const ratios = [];
  for (let run = 0; run < 5; run++) {
    const [fromBytes, startedMs] = [arrived, performance.now()];
    await delay(1000);
    const bits = ((arrived - fromBytes) * 8 * (1448 + 40)) / 1448;
    ratios.push(bits / ((performance.now() - startedMs) / 1000) / bitsPerSecond);
  }
  bench.figure({ figure: `link_${name}_over_nominal`, value: median(ratios), unit: 'ratio', n: 5 });
}

async function measureDelay(bench: Bench): Promise<void> {
  bench.say('echo over a link of 25 ms one way, idle and beside a bulk transfer at 10 Mbit/s …');
  const echo = await startServer(bench, (socket) => socket.pipe(socket));
  const sink = await startServer(bench, (socket) => socket.resume());
  const options: LinkOptions = { bitsPerSecond: 10 * MBIT, queueLimitBytes: 64 * 1024, delayMs: 25 };
  const link = new Link(options);
  const client = await connect(bench, await startProxy(bench, echo, link));
  await echoTimes(client, 5);
  const idle = await echoTimes(client, 100);
  const lateMs = idle.map((ms) => ms - 50);
  bench.figure({ figure: 'round_trip_late_p50_ms', value: median(lateMs), unit: 'ms', n: lateMs.length });
  bench.figure({
    figure: 'round_trip_late_p99_ms',
    value: percentile(lateMs, 99),
    unit: 'ms',
    n: lateMs.length,
  });
  flood(await connect(bench, await startProxy(bench, sink, link)));
  await delay(500);
  const busy = await echoTimes(client, 100);
  const note = 'the queue of 64 KiB alone takes 52.4 ms';
  const excessMs = percentile(busy, 99) - percentile(idle, 99);
  bench.figure({ figure: 'bulk_excess_p99_ms', value: excessMs, unit: 'ms', n: busy.length, note });
}

await runBench('fault-proxy', async (bench) => {
  await measureCost(bench);
  for (const bitsPerSecond of [10 * MBIT, 100 * MBIT, 300 * MBIT])
    await measureBandwidth(bench, bitsPerSecond);
  await measureDelay(bench);
});
