import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { delay } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import {
  Link,
  startTcpProxy,
  startUdpProxy,
  type LinkOptions,
  type UdpProxy,
  type UdpProxyOptions,
} from '../../src/index.ts';
import { connect, flood, startServer } from './tcp-peers.ts';

describe('UdpProxy', () => {
  const cleanUps: (() => Promise<void> | void)[] = [];

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  /** A bound socket that keeps what it gets, and sends it back if asked to. */
  async function peer(options: { echo?: boolean } = {}) {
    const socket: Socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    const got: string[] = [];
    const from: RemoteInfo[] = [];
    socket.on('message', (data, sender) => {
      got.push(data.toString());
      from.push(sender);
      if (options.echo === true) socket.send(data, sender.port, sender.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    cleanUps.push(() => void socket.close());
    return { socket, got, from, port: socket.address().port };
  }

  async function proxyTo(
    port: number,
    linkOptions: LinkOptions | Link = {},
    options: Partial<UdpProxyOptions> = {},
  ): Promise<{ link: Link; proxy: UdpProxy }> {
    const link = linkOptions instanceof Link ? linkOptions : new Link(linkOptions);
    const proxy = await startUdpProxy({ link, target: { host: '127.0.0.1', port }, ...options });
    cleanUps.push(() => proxy.stop());
    return { link, proxy };
  }

  it('carries datagrams both ways, each client by a port of its own', async () => {
    const echo = await peer({ echo: true });
    const { link, proxy } = await proxyTo(echo.port);
    const [one, two] = [await peer(), await peer()];
    one.socket.send('one', proxy.port, proxy.host);
    two.socket.send('two', proxy.port, proxy.host);
    await eventually('both echoes', () => one.got.length + two.got.length === 2);
    assert.deepEqual([one.got, two.got], [['one'], ['two']]);
    assert.equal(new Set(echo.from.map(({ port }) => port)).size, 2);
    assert.deepEqual([one.from[0]?.port, two.from[0]?.port], [proxy.port, proxy.port]);
    assert.equal(proxy.stats.mappings, 2);
    assert.deepEqual(proxy.stats.delivered, { up: 2, down: 2 });
    assert.deepEqual(link.stats.up.udp, { payloadBytes: 6, packets: 2 });
  });

  it('delays, keeps the order, and drops what overflows the queue', async () => {
    const sink = await peer();
    const { link, proxy } = await proxyTo(sink.port, {
      bitsPerSecond: 8e6, // a datagram of 972 bytes takes a millisecond
      queueLimitBytes: 50_000,
      delayMs: 20,
    });
    const client = await peer();
    const startedMs = performance.now();
    for (let sent = 0; sent < 100; sent++)
      client.socket.send(String(sent).padEnd(972), proxy.port, proxy.host);
    await eventually('the queue has run dry', () => link.up.inFlightBytes === 0 && sink.got.length > 0);
    await eventually('all have arrived', () => sink.got.length === proxy.stats.delivered.up);
    const tookMs = performance.now() - startedMs;
    const { dropped, queueHighWaterBytes } = link.stats.up;
    assert.equal(sink.got.length + dropped.overflow, 100);
    // At once would be 50; a busy machine takes a while to send them all.
    assert.ok(dropped.overflow >= 5 && dropped.overflow <= 51, `${dropped.overflow} dropped`);
    assert.ok(queueHighWaterBytes > 45_000 && queueHighWaterBytes <= 50_000, `${queueHighWaterBytes}`);
    assert.ok(tookMs >= 60 && tookMs < 400, `${tookMs} ms`);
    const numbers = sink.got.map(Number);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
  });

  it('achieves the bandwidth, within 5 %, and shares it with connections', async () => {
    const sink = await peer();
    let tcpBytes = 0;
    const server = await startServer((socket) => {
      socket.on('data', (data) => (tcpBytes += data.length));
    });
    cleanUps.push(() => server.close());
    const link = new Link({ bitsPerSecond: 10e6 });
    const { proxy } = await proxyTo(sink.port, link);
    const tcp = await startTcpProxy({ link, target: { host: '127.0.0.1', port: server.port } });
    cleanUps.push(() => tcp.stop());
    const client = await peer();
    const bytes = Buffer.alloc(972);
    let udpBits = 0;
    let tcpBits = 0;
    /** Sends about 8 of the 10 Mbit/s as datagrams for so long. */
    const run = async (forMs: number): Promise<number> => {
      const [udpBefore, tcpBefore, startedMs] = [sink.got.length, tcpBytes, performance.now()];
      for (let sent = 0; sent < forMs;) {
        for (; sent < performance.now() - startedMs; sent++)
          client.socket.send(bytes, proxy.port, proxy.host);
        await delay(2);
      }
      const ms = performance.now() - startedMs;
      udpBits = ((sink.got.length - udpBefore) * 8000) / ms / 1000; // Mbit/s
      tcpBits = ((tcpBytes - tcpBefore) * 8 * (1488 / 1448)) / ms / 1000;
      return udpBits + tcpBits;
    };
    await run(100);
    const alone = await run(500);
    assert.ok(alone > 7.2 && alone < 8.4, `${alone} Mbit/s alone`);
    const socket = await connect(tcp.port);
    cleanUps.push(() => void socket.destroy());
    flood(socket);
    await run(300);
    const both = await run(1500);
    assert.ok(Math.abs(both - 10) < 0.5, `${both} Mbit/s together`);
    assert.ok(udpBits > 2 && tcpBits > 1.5, `${udpBits} and ${tcpBits}: one starves`);
  });

  it('loses about as many as it was told to', async () => {
    const sink = await peer();
    const { link, proxy } = await proxyTo(sink.port, { up: { loss: 0.2 }, seed: 3 });
    const client = await peer();
    for (let sent = 0; sent < 1000; sent++) {
      client.socket.send(String(sent), proxy.port, proxy.host);
      if (sent % 50 === 0) await delay(1);
    }
    await eventually('all are through', () => sink.got.length + link.stats.up.dropped.loss === 1000);
    assert.ok(Math.abs(sink.got.length - 800) < 60, `${sink.got.length} arrived`);
    assert.equal(link.stats.down.dropped.loss, 0);
  });

  for (const fault of ['cut', 'blackHole'] as const)
    it(`${fault}: datagrams vanish, and pass again when it heals`, async () => {
      const echo = await peer({ echo: true });
      const { link, proxy } = await proxyTo(echo.port, { delayMs: 20 });
      const client = await peer();
      client.socket.send('before', proxy.port, proxy.host);
      await eventually('the first echo', () => client.got.length === 1);
      const [firstFrom] = echo.from;
      client.socket.send('on the way', proxy.port, proxy.host);
      await eventually('it is on the way', () => link.up.inFlightBytes > 0);
      await link[fault]();
      client.socket.send('during', proxy.port, proxy.host);
      await eventually('both are dropped', () => link.stats.up.dropped.blocked === 2);
      await link.heal();
      client.socket.send('after', proxy.port, proxy.host);
      await eventually('the second echo', () => client.got.length === 2);
      assert.deepEqual(client.got, ['before', 'after']);
      assert.equal(echo.from[1]?.port, firstFrom?.port, 'the mapping stays');
    });

  it('rebind gives another source port; answers to the old one are lost', async () => {
    const server = await peer();
    const { proxy } = await proxyTo(server.port);
    const client = await peer();
    client.socket.send('1', proxy.port, proxy.host);
    await eventually('the first', () => server.from.length === 1);
    await within('the rebind', proxy.rebind());
    client.socket.send('2', proxy.port, proxy.host);
    await eventually('the second', () => server.from.length === 2);
    const [first, second] = server.from;
    assert.ok(first !== undefined && second !== undefined && first.port !== second.port);
    server.socket.send('to the old port', first.port, first.address);
    server.socket.send('to the new port', second.port, second.address);
    await eventually('the answer', () => client.got.length === 1);
    assert.deepEqual(client.got, ['to the new port']);
    await within('rebinding twice at once', Promise.all([proxy.rebind(), proxy.rebind()]));
    client.socket.send('3', proxy.port, proxy.host);
    await eventually('the third', () => server.from.length === 3);
  });

  it('forgets idle clients, and refuses more than its limit', async () => {
    const echo = await peer({ echo: true });
    const { proxy } = await proxyTo(echo.port, {}, { mappingIdleMs: 60, maxMappings: 1 });
    const [one, two] = [await peer(), await peer()];
    one.socket.send('1', proxy.port, proxy.host);
    await eventually('an echo', () => one.got.length === 1);
    two.socket.send('2', proxy.port, proxy.host);
    await eventually('the second is refused', () => proxy.stats.refused === 1);
    await eventually('the first is forgotten', () => proxy.stats.expired === 1);
    two.socket.send('2', proxy.port, proxy.host);
    await eventually('an echo for the second', () => two.got.length === 1);
    assert.notEqual(echo.from[1]?.port, echo.from[0]?.port);
    assert.equal(proxy.stats.mappingsHighWater, 1);
  });

  it('drops what strangers send to a mapping', async () => {
    const server = await peer();
    const { proxy } = await proxyTo(server.port);
    const [client, stranger] = [await peer(), await peer()];
    client.socket.send('1', proxy.port, proxy.host);
    await eventually('the first', () => server.from.length === 1);
    stranger.socket.send('boo', server.from[0]?.port ?? 0, '127.0.0.1');
    await eventually('it is counted', () => proxy.stats.strangers === 1);
    assert.deepEqual(client.got, []);
  });

  it('stops once, with datagrams on the way', async () => {
    const echo = await peer({ echo: true });
    const { link, proxy } = await proxyTo(echo.port, { delayMs: 30 });
    const client = await peer();
    client.socket.send('1', proxy.port, proxy.host);
    await eventually('it is on the way', () => link.up.inFlightBytes > 0);
    await within('the stops', Promise.all([proxy.stop(), proxy.stop()]));
    assert.equal(link.up.inFlightBytes, 0);
    await link.cut();
    await link.heal();
    assert.deepEqual(echo.got, []);
  });
});
