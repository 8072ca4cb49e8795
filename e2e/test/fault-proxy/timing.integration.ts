import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { delay, randomBelow, seededRandom } from '@hawser/seams';
import { scaled, within } from '@hawser/seams/testing';
import { Link, median, percentile, startTcpProxy, type LinkOptions, type TcpProxy } from '../../src/index.ts';
import { connect, echoMs, flood, startEchoServer, startServer, type TestServer } from './tcp-peers.ts';

const MBIT = 1e6;

describe('TcpProxy: time and bandwidth', () => {
  const cleanUps: (() => Promise<void> | void)[] = [];

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function sinkServer(onData: (data: Buffer) => void): Promise<TestServer> {
    const server = await startServer((socket) => socket.on('data', onData));
    cleanUps.push(() => server.close());
    return server;
  }

  async function echoServer(): Promise<TestServer> {
    const server = await startEchoServer();
    cleanUps.push(() => server.close());
    return server;
  }

  async function proxyTo(server: TestServer, link: Link | LinkOptions): Promise<TcpProxy> {
    const line = link instanceof Link ? link : new Link(link);
    const proxy = await startTcpProxy({ link: line, target: { host: '127.0.0.1', port: server.port } });
    cleanUps.push(() => proxy.stop());
    return proxy;
  }

  async function connectTo(proxy: TcpProxy): Promise<Socket> {
    const socket = await within('connecting', connect(proxy.port));
    cleanUps.push(() => void socket.destroy());
    return socket;
  }

  for (const rate of [10 * MBIT, 40 * MBIT])
    it(`${rate / MBIT} Mbit/s is that, within 5 %`, async () => {
      let arrived = 0;
      const sink = await sinkServer((data) => (arrived += data.length));
      const proxy = await proxyTo(sink, { bitsPerSecond: rate, delayMs: 5 });
      flood(await connectTo(proxy));
      await delay(300);
      const [startBytes, startedMs] = [arrived, performance.now()];
      await delay(scaled(rate === 10 * MBIT ? 2000 : 1000, 10_000));
      const seconds = (performance.now() - startedMs) / 1000;
      const wireBits = ((arrived - startBytes) * 8 * (1448 + 40)) / 1448;
      const ratio = wireBits / seconds / rate;
      assert.ok(Math.abs(ratio - 1) < 0.05, `${ratio.toFixed(3)} of the bandwidth`);
    });

  it('the delay is that, within 2 ms in the median, and connecting costs a round trip more', async () => {
    const echo = await echoServer();
    const proxy = await proxyTo(echo, { up: { delayMs: 30 }, down: { delayMs: 10 } });
    const startedMs = performance.now();
    const client = await connectTo(proxy);
    await echoMs(client);
    const firstMs = performance.now() - startedMs;
    assert.ok(firstMs >= 80 && firstMs < 110, `the first answer after ${firstMs} ms`);
    const samples: number[] = [];
    const timers: number[] = [];
    for (let sample = 0; sample < 25; sample++) {
      samples.push(await echoMs(client));
      const setMs = performance.now();
      await delay(10);
      timers.push(performance.now() - setMs - 10);
    }
    // Two deliveries, each late by a timer's granularity, and by as much as timers are late on this machine now.
    const lateMs = median(samples) - 40 - 2 * Math.max(0, median(timers));
    assert.ok(lateMs < 4, `late by ${lateMs} ms; timers by ${median(timers)} ms`);
    assert.ok(Math.min(...samples) >= 40, `${Math.min(...samples)} ms is too early`);
  });

  it('costs little by itself', async () => {
    const echo = await echoServer();
    const proxy = await proxyTo(echo, {});
    const client = await connectTo(proxy);
    const samples: number[] = [];
    for (let sample = 0; sample < 200; sample++) samples.push(await echoMs(client));
    assert.ok(median(samples) < 1.5, `median ${median(samples)} ms`);
  });

  it('a small message beside a bulk transfer waits for the queue, and no longer', async () => {
    const sink = await sinkServer(() => {});
    const echo = await echoServer();
    // 64 KiB at 10 Mbit/s are 52 ms.
    const link = new Link({ bitsPerSecond: 10 * MBIT, queueLimitBytes: 64 * 1024, delayMs: 5 });
    const [bulk, control] = [await proxyTo(sink, link), await proxyTo(echo, link)];
    const client = await connectTo(control);
    for (let sample = 0; sample < 3; sample++) await echoMs(client);
    flood(await connectTo(bulk));
    flood(await connectTo(bulk));
    await delay(300);
    const samples: number[] = [];
    for (let sample = 0; sample < 20; sample++) samples.push(await echoMs(client));
    assert.ok(median(samples) >= 10 + 40, `median ${median(samples)} ms: the queue is not full`);
    assert.ok(percentile(samples, 90) < 10 + 52 + 25, `${percentile(samples, 90)} ms`);
    assert.ok(link.up.stats.queueHighWaterBytes <= 64 * 1024);
  });

  it('connections share the bandwidth fairly', async () => {
    const counts = new Map<number | undefined, number>();
    const server = await startServer((socket) =>
      socket.on('data', (data) =>
        counts.set(socket.remotePort, (counts.get(socket.remotePort) ?? 0) + data.length),
      ),
    );
    cleanUps.push(() => server.close());
    const proxy = await proxyTo(server, { bitsPerSecond: 20 * MBIT });
    for (let opened = 0; opened < 4; opened++) flood(await connectTo(proxy));
    await delay(300);
    counts.clear();
    await delay(1000);
    const bytes = [...counts.values()];
    assert.equal(bytes.length, 4);
    assert.ok(Math.min(...bytes) > 0.8 * Math.max(...bytes), bytes.join(', '));
  });

  it('a change of bandwidth while running takes effect at once', async () => {
    let arrived = 0;
    const sink = await sinkServer((data) => (arrived += data.length));
    const link = new Link({ bitsPerSecond: 1 * MBIT });
    flood(await connectTo(await proxyTo(sink, link)));
    await delay(300);
    link.configure({ up: { bitsPerSecond: 40 * MBIT } });
    const before = arrived;
    await delay(500);
    const megabits = ((arrived - before) * 8) / MBIT;
    assert.ok(megabits > 15 && megabits < 24, `${megabits} Mbit in half a second`);
  });

  it('loses and mixes no byte of a transfer both ways through random faults', async function () {
    this.timeout(60_000);
    const bytes = scaled(20, 200) * 1024 * 1024;
    const random = seededRandom(Number(process.env['HAWSER_SEED'] ?? 11));
    const echo = await echoServer();
    const link = new Link({ bitsPerSecond: 400 * MBIT, delayMs: 2, jitterMs: 3 });
    const client = await connectTo(await proxyTo(echo, link));

    const got = createHash('sha256');
    let gotBytes = 0;
    client.on('data', (data: Buffer) => {
      got.update(data);
      gotBytes += data.length;
    });
    const ended = once(client, 'end');
    const sent = createHash('sha256');
    const sending = sendRandom(client, bytes, (chunk) => sent.update(chunk));

    let faults = 0;
    let over = false;
    const faulting = (async () => {
      while (!over) {
        const fault = randomBelow(random, 3);
        if (fault === 0) await link.blackHole(['up', 'down', 'both'][randomBelow(random, 3)] as 'up');
        if (fault === 1) link.configure({ bitsPerSecond: (1 + randomBelow(random, 400)) * MBIT });
        if (fault === 2)
          link.configure({ delayMs: randomBelow(random, 8), jitterMs: randomBelow(random, 8) });
        faults++;
        await delay(randomBelow(random, 25));
        await link.heal();
        link.configure({ bitsPerSecond: 400 * MBIT });
        await delay(randomBelow(random, 25));
      }
    })();

    await within('the transfer', Promise.all([sending, ended]), 50_000);
    over = true;
    await faulting;
    assert.ok(faults > 10, `only ${faults} faults`);
    assert.equal(gotBytes, bytes);
    assert.equal(got.digest('hex'), sent.digest('hex'));
  });
});

/** Sends so many pseudo-random bytes with backpressure, and then the end. */
async function sendRandom(socket: Socket, bytes: number, onChunk: (chunk: Buffer) => void): Promise<void> {
  const random = seededRandom(5);
  const block = Buffer.alloc(1024 * 1024);
  for (let offset = 0; offset < block.length; offset += 4)
    block.writeUInt32LE(Math.floor(random.next() * 2 ** 32), offset);
  for (let sent = 0; sent < bytes;) {
    const from = randomBelow(random, block.length / 2);
    const size = Math.min(bytes - sent, 1 + randomBelow(random, 100_000));
    const chunk = block.subarray(from, from + size);
    onChunk(chunk);
    sent += size;
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
}
