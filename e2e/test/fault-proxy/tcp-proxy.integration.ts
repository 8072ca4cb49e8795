import assert from 'node:assert/strict';
import { once, setMaxListeners } from 'node:events';
import { randomBelow, seededRandom } from '@hawser/seams';
import { eventually, scaled, within } from '@hawser/seams/testing';
import {
  Link,
  startTcpProxy,
  type LinkOptions,
  type TcpProxy,
  type TcpProxyOptions,
} from '../../src/index.ts';
import {
  closeCode,
  connect,
  echoMs,
  nextData,
  startEchoServer,
  startServer,
  type TestServer,
} from './tcp-peers.ts';

describe('TcpProxy', () => {
  const cleanUps: (() => Promise<void> | void)[] = [];

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function serve(server: Promise<TestServer>): Promise<TestServer> {
    const started = await server;
    cleanUps.push(() => started.close());
    return started;
  }

  async function proxyTo(
    port: number,
    linkOptions: LinkOptions = {},
    options: Partial<TcpProxyOptions> = {},
  ): Promise<{ link: Link; proxy: TcpProxy }> {
    const link = new Link(linkOptions);
    const proxy = await startTcpProxy({ link, target: { host: '127.0.0.1', port }, ...options });
    cleanUps.push(() => proxy.stop());
    return { link, proxy };
  }

  async function connectTo(port: number) {
    const socket = await within('connecting', connect(port));
    cleanUps.push(() => void socket.destroy());
    return socket;
  }

  it('carries bytes both ways and counts them', async () => {
    const echo = await serve(startEchoServer());
    const { link, proxy } = await proxyTo(echo.port);
    const client = await connectTo(proxy.port);
    await within('the echo', echoMs(client, 100_000));
    assert.deepEqual(proxy.stats.payloadBytes, { up: 100_000, down: 100_000 });
    assert.equal(link.stats.up.tcp.payloadBytes, 100_000);
    assert.ok(link.stats.up.tcp.packets >= Math.ceil(100_000 / 1448));
    client.destroy();
    await eventually('the connection is forgotten', () => proxy.stats.open === 0);
    assert.deepEqual(proxy.stats.payloadBytes, { up: 100_000, down: 100_000 });
    assert.deepEqual([proxy.stats.accepted, proxy.stats.openHighWater], [1, 1]);
  });

  it('passes the end of one direction and keeps the other open', async () => {
    const server = await serve(
      startServer((socket) => {
        let got = '';
        socket.setEncoding('utf8').on('data', (text: string) => (got += text));
        socket.on('end', () => socket.end(`got ${got}`));
      }),
    );
    const { proxy } = await proxyTo(server.port, { delayMs: 2 });
    const client = await connectTo(proxy.port);
    client.end('question');
    assert.equal((await within('the answer', nextData(client))).toString(), 'got question');
    assert.equal(await within('the end', closeCode(client)), undefined);
    await eventually('the connection is forgotten', () => proxy.stats.open === 0);
  });

  it('passes a reset in either direction', async () => {
    const echo = await serve(startEchoServer());
    const { proxy } = await proxyTo(echo.port, { delayMs: 1 });
    const client = await connectTo(proxy.port);
    await echoMs(client);
    client.resetAndDestroy();
    const [first] = echo.sockets;
    assert.ok(first !== undefined);
    assert.equal(await within('the server sees it', closeCode(first)), 'ECONNRESET');

    const other = await connectTo(proxy.port);
    await echoMs(other);
    echo.sockets[1]?.resetAndDestroy();
    assert.equal(await within('the client sees it', closeCode(other)), 'ECONNRESET');
    await eventually('both are forgotten', () => proxy.stats.open === 0);
  });

  it('resets a client whose target does not listen', async () => {
    const gone = await startEchoServer();
    await gone.close();
    const { proxy } = await proxyTo(gone.port);
    const client = await connectTo(proxy.port);
    assert.equal(await within('the reset', closeCode(client)), 'ECONNRESET');
  });

  it('goes to a new target for new connections', async () => {
    const first = await serve(startServer((socket) => socket.end('first')));
    const second = await serve(startServer((socket) => socket.end('second')));
    const { proxy } = await proxyTo(first.port);
    assert.equal((await nextData(await connectTo(proxy.port))).toString(), 'first');
    proxy.target = { host: '127.0.0.1', port: second.port };
    assert.equal((await nextData(await connectTo(proxy.port))).toString(), 'second');
  });

  for (const how of ['reset', 'close'] as const)
    it(`cut (${how}) ends connections on both sides and refuses new ones until it heals`, async () => {
      const echo = await serve(startEchoServer());
      const { link, proxy } = await proxyTo(echo.port);
      const client = await connectTo(proxy.port);
      await echoMs(client);
      const { port } = proxy;
      const ended = new Promise<void>((resolve) => void client.once('end', resolve));
      await link.cut({ how });
      assert.equal(link.state, 'cut');
      const [atServer] = echo.sockets;
      assert.ok(atServer !== undefined);
      if (how === 'close') await within('the end', ended);
      else assert.equal(await within('the reset', closeCode(client)), 'ECONNRESET');
      await within('the server sees it', closeCode(atServer));
      for (let attempt = 0; attempt < 3; attempt++)
        await assert.rejects(connect(port), { code: 'ECONNREFUSED' });
      await link.heal();
      assert.equal(proxy.port, port);
      await within('the echo', echoMs(await connectTo(port)));
    });

  it('follows cuts and heals in quick succession', async () => {
    const echo = await serve(startEchoServer());
    const { link, proxy } = await proxyTo(echo.port);
    await Promise.all([link.cut(), link.heal(), link.cut(), link.heal(), link.cut()]);
    await assert.rejects(connect(proxy.port), { code: 'ECONNREFUSED' });
    await Promise.all([link.heal(), link.cut(), link.heal()]);
    await within('the echo', echoMs(await connectTo(proxy.port)));
    await Promise.all([link.cut(), link.blackHole(), link.cut(), link.heal()]);
    await within('the echo', echoMs(await connectTo(proxy.port)));
  });

  it('can be started on a link that is cut', async () => {
    const echo = await serve(startEchoServer());
    const link = new Link();
    await link.cut();
    const proxy = await startTcpProxy({ link, target: { host: '127.0.0.1', port: echo.port } });
    cleanUps.push(() => proxy.stop());
    await assert.rejects(connect(proxy.port), { code: 'ECONNREFUSED' });
    await link.heal();
    await within('the echo', echoMs(await connectTo(proxy.port)));
  });

  it('black hole: nothing passes, nobody is told, and nothing is lost when it heals', async () => {
    const echo = await serve(startEchoServer());
    const { link, proxy } = await proxyTo(echo.port);
    const client = await connectTo(proxy.port);
    await echoMs(client);
    await link.blackHole();
    const newcomer = await connectTo(proxy.port); // accepted, but the target hears nothing of it
    let settled = false;
    const echoes = Promise.all([echoMs(client, 50_000), echoMs(newcomer)]);
    void echoes.then(() => (settled = true));
    await idle(150);
    assert.ok(!settled);
    assert.equal(echo.sockets.length, 1);
    assert.equal(echo.sockets[0]?.bytesRead, 8);
    assert.ok(!client.destroyed && !newcomer.destroyed);
    await link.heal();
    await within('the echoes', echoes);
  });

  it('black hole: ends and resets do not pass before it heals', async () => {
    const echo = await serve(startEchoServer());
    const { link, proxy } = await proxyTo(echo.port);
    const [ending, breaking] = [await connectTo(proxy.port), await connectTo(proxy.port)];
    await echoMs(ending);
    await echoMs(breaking);
    await link.blackHole();
    ending.end();
    breaking.resetAndDestroy();
    await idle(100);
    assert.deepEqual(
      echo.sockets.map(({ readableEnded, destroyed }) => readableEnded || destroyed),
      [false, false],
    );
    await link.heal();
    await within('the end', once(ending, 'end'));
    const [, broken] = echo.sockets;
    assert.ok(broken !== undefined);
    assert.equal(await within('the reset', closeCode(broken)), 'ECONNRESET');
    await eventually('both are forgotten', () => proxy.stats.open === 0);
  });

  it('black hole in one direction lets the other pass', async () => {
    const echo = await serve(startServer((socket) => socket.on('data', () => socket.write('heard'))));
    const { link, proxy } = await proxyTo(echo.port);
    const client = await connectTo(proxy.port);
    client.write('x');
    await within('an answer', nextData(client));
    await link.blackHole('up');
    let heard = 0;
    client.on('data', () => heard++);
    client.write('x');
    echo.sockets[0]?.write('unasked');
    await eventually('what goes down arrives', () => heard === 1);
    await idle(50);
    assert.equal(heard, 1);
    await link.blackHole('down');
    await eventually('what went up arrives', () => echo.sockets[0]?.bytesRead === 2);
    await idle(50);
    assert.equal(heard, 1);
    await link.heal();
    await eventually('the answer arrives', () => heard === 2);
  });

  it('reset breaks connections and lets new ones in', async () => {
    const echo = await serve(startEchoServer());
    const { link, proxy } = await proxyTo(echo.port);
    const client = await connectTo(proxy.port);
    await echoMs(client);
    link.reset();
    assert.equal(await within('the reset', closeCode(client)), 'ECONNRESET');
    await within('the echo', echoMs(await connectTo(proxy.port)));
  });

  it('holds no more than its bounds when the receiver does not read', async () => {
    const server = await serve(startServer((socket) => socket.pause()));
    const windowBytes = 256 * 1024;
    const { proxy } = await proxyTo(server.port, {}, { windowBytes });
    const client = await connectTo(proxy.port);
    const chunk = Buffer.alloc(1024 * 1024);
    // The kernels take some megabytes; the sender must be stopped soon after.
    let taken = 0;
    while (taken < 256 && (client.write(chunk) || (await drained(client)))) taken++;
    assert.ok(taken < 64, `${taken} MiB were taken without a reader`);
    const bound = windowBytes + 2 * 80 * 1024;
    assert.ok(proxy.heldBytes > 0 && proxy.heldBytes <= bound, `${proxy.heldBytes} bytes held`);
  });

  it('goes on when a slow receiver reads again, with a small window', async () => {
    const bytes = 8 * 1024 * 1024;
    let arrived = 0;
    const server = await serve(
      startServer((socket) => {
        socket.pause().on('data', (data) => (arrived += data.length));
      }),
    );
    const { proxy } = await proxyTo(server.port, { delayMs: 2 }, { windowBytes: 256 * 1024 });
    const client = await connectTo(proxy.port);
    client.end(Buffer.alloc(bytes));
    await eventually('the server has a connection', () => server.sockets.length === 1);
    await idle(100);
    assert.equal(arrived, 0);
    server.sockets[0]?.resume();
    await eventually('all has arrived', () => arrived === bytes);
    assert.deepEqual(proxy.stats.payloadBytes, { up: bytes, down: 0 });
  });

  it('carries 2,000 connections at a time', async function () {
    this.timeout(30_000);
    const echo = await serve(startEchoServer());
    const { proxy } = await proxyTo(echo.port, { delayMs: 5 });
    const clients = await Promise.all(Array.from({ length: 2000 }, () => connectTo(proxy.port)));
    await within('all echoes', Promise.all(clients.map((client) => echoMs(client))), 15_000);
    assert.equal(proxy.stats.open, 2000);
    assert.equal(proxy.stats.refused, 0);
    await within('the stop', proxy.stop());
    for (const client of clients) assert.equal(await within('a reset', closeCode(client)), 'ECONNRESET');
  });

  it('closes connections over its limit', async () => {
    const echo = await serve(startEchoServer());
    const { proxy } = await proxyTo(echo.port, {}, { maxConnections: 1 });
    await echoMs(await connectTo(proxy.port));
    const second = await connectTo(proxy.port);
    second.resume();
    await within('the close', once(second, 'end'));
    assert.equal(proxy.stats.refused, 1);
  });

  it('survives faults in any order, with clients that come back, and forgets what is gone', async function () {
    this.timeout(60_000);
    const random = seededRandom(Number(process.env['HAWSER_SEED'] ?? 5));
    const echo = await serve(startEchoServer());
    const { link, proxy } = await proxyTo(echo.port, { delayMs: 1, jitterMs: 2, bitsPerSecond: 50e6 });
    const over = new AbortController();
    setMaxListeners(0, over.signal);
    let echoes = 0;
    const client = async (): Promise<void> => {
      while (!over.signal.aborted)
        try {
          const socket = await connect(proxy.port);
          over.signal.addEventListener('abort', () => void socket.destroy());
          socket.once('end', () => socket.destroy());
          while (!socket.destroyed) {
            await echoMs(socket, 1 + randomBelow(random, 20_000));
            echoes++;
            if (random.next() < 0.1) socket.resetAndDestroy();
            if (random.next() < 0.1) socket.end();
          }
        } catch {
          await idle(1); // refused or broken: come back
        }
    };
    const clients = Array.from({ length: 20 }, () => client());
    const faults: (() => Promise<void>)[] = [
      () => link.cut({ how: 'close' }),
      () => link.cut(),
      () => link.blackHole('up'),
      () => link.blackHole('down'),
      () => link.blackHole(),
      () => {
        link.reset();
        return Promise.resolve();
      },
      () => link.heal(),
    ];
    for (let round = 0; round < scaled(60, 2000); round++) {
      const settled = faults[randomBelow(random, faults.length)]?.();
      if (random.next() < 0.5) await settled;
      await idle(randomBelow(random, 20));
    }
    await link.heal();
    const before = echoes;
    await eventually('there are echoes again', () => echoes > before + 100);
    over.abort();
    await within('all clients end', Promise.all(clients));
    await eventually('all connections are forgotten', () => proxy.stats.open === 0);
    assert.deepEqual([link.up.inFlightBytes, link.down.inFlightBytes, proxy.heldBytes], [0, 0, 0]);
  });

  it('stops once, even while cut or black, and is not started again by the link', async () => {
    const echo = await serve(startEchoServer());
    for (const fault of ['cut', 'blackHole', 'heal'] as const) {
      const { link, proxy } = await proxyTo(echo.port);
      const client = await connectTo(proxy.port);
      client.write('x');
      await link[fault]();
      await within('the stops', Promise.all([proxy.stop(), proxy.stop()]));
      await link.heal();
      await assert.rejects(connect(proxy.port), { code: 'ECONNREFUSED' });
      await within('the client sees it', closeCode(client));
      await assert.rejects(proxy.setAccepting(true), { code: 'ERR_E2E_STOPPED' });
    }
  });
});

/** Time in which something must not happen; there is nothing to wait for. */
function idle(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether the socket takes more within 200 ms. */
function drained(socket: NodeJS.EventEmitter): Promise<boolean> {
  return Promise.race([once(socket, 'drain').then(() => true), idle(200).then(() => false)]);
}
