import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ConnectionLost } from '@hawser/mapper-sdk';
import { eventually, within } from '@hawser/seams/testing';
import { ModbusPeer } from '../testing/index.ts';
import { describeUnless, Site, tcpConfig, visit } from './site.ts';

const A = visit({ offset: 0 });
const B = visit({ offset: 1 });

describeUnless(ModbusPeer.missing(), 'a TCP device with faults', () => {
  let peer: ModbusPeer;
  let site: Site;

  before(async () => {
    peer = await ModbusPeer.tcp();
    await peer.set(1, 'holding', 0, [100, 101]);
  });

  beforeEach(async () => {
    await peer.forget();
    site = await Site.open(tcpConfig(peer.port, { timeoutMs: 100 }));
  });

  afterEach(() => site.close());
  after(() => peer.stop());

  it('is asked again where no answer comes, as often as it is said', async () => {
    await peer.fault({ kind: 'mute' }, 2);
    assert.deepEqual(await site.values([A], { retries: 2 }), [100]);
    assert.equal(await peer.requestCount(), 3);
  });

  it('does not answer: one error for all, and the connection stays', async () => {
    await peer.fault({ kind: 'mute' }, Infinity);
    await assert.rejects(
      site.read([A, visit({ offset: 100 })]),
      (error: Error) =>
        !(error instanceof ConnectionLost) &&
        error.message === 'HoldingRegister 0 of unit 1 (function code 3): no answer in 100 ms',
    );
    assert.equal(await peer.requestCount(), 2, 'the rest is not asked for');
    await assert.rejects(site.read([A]), /no answer/);
    assert.equal(await peer.requestCount(), 3, 'one that is away is asked once');
    await peer.forget();
    assert.deepEqual(await site.values([A]), [100]);
  });

  it('answers late: never taken for the answer to another request', async () => {
    await peer.fault({ kind: 'delay', ms: 130 });
    await assert.rejects(site.read([A], { retries: 0 }), /no answer/);
    assert.deepEqual(await site.values([B], { retries: 0, timeoutMs: 1000 }), [101]);
    await peer.fault({ kind: 'delay', ms: 60 }, 40);
    for (let at = 0; at < 12; at += 1)
      for (const [one, value] of [
        [A, 100],
        [B, 101],
      ] as const) {
        const results = await site.read([one], { timeoutMs: 50, retries: 0 }).catch(() => undefined);
        if (results !== undefined) assert.deepEqual(results, [{ value }]);
      }
  });

  it('answers another transaction', async () => {
    await peer.fault({ kind: 'transaction' });
    await assert.rejects(
      site.read([A], { retries: 0 }),
      /no answer, but an answer to another request came, in 100 ms/,
    );
    assert.deepEqual(await site.values([A]), [100]);
  });

  it('answers as another unit', async () => {
    await peer.fault({ kind: 'unit', unit: 7 }, 2);
    await assert.rejects(site.read([A]), /HoldingRegister 0 of unit 1 .*address 1 got 7/);
    assert.deepEqual(await site.values([A]), [100]);
  });

  it('answers in pieces', async () => {
    await peer.fault({ kind: 'split', ms: 20 });
    assert.deepEqual(await site.values([A]), [100]);
  });

  it('closes the connection behind each answer: it is made again, and nobody notices', async () => {
    await peer.fault({ kind: 'close' }, Infinity);
    const { accepted } = await peer.connections();
    for (let at = 0; at < 5; at += 1) {
      assert.deepEqual(await site.values([A, B]), [100, 101]);
      await eventually('closed', async () => (await peer.connections()).open === 0);
    }
    assert.equal((await peer.connections()).accepted - accepted, 4);
  });

  it('closes the connection instead of answering', async () => {
    await peer.fault({ kind: 'drop' });
    assert.deepEqual(await site.values([A]), [100], 'once may happen');
    await peer.fault({ kind: 'drop' }, 2);
    await assert.rejects(
      site.read([A]),
      (error: Error) => error instanceof ConnectionLost && error.message.includes('closed the connection'),
    );
    assert.deepEqual(await site.values([A]), [100]);
  });

  it('hangs with its connections open: another connection is tried', async () => {
    assert.deepEqual(await site.values([A]), [100]);
    const { accepted } = await peer.connections();
    peer.suspend();
    try {
      for (let at = 0; at < 4; at += 1) await assert.rejects(site.read([A], { retries: 0 }), /no answer/);
    } finally {
      peer.resume();
    }
    assert.deepEqual(await site.values([A], { timeoutMs: 1000 }), [100]);
    assert.equal((await peer.connections()).accepted - accepted, 1);
  });

  it('goes away, and comes back', async () => {
    const other = await ModbusPeer.tcp();
    const elsewhere = await Site.open(tcpConfig(other.port, { timeoutMs: 100 }));
    await other.stop();
    await assert.rejects(elsewhere.read([A]), ConnectionLost);
    await elsewhere.close();
    await assert.rejects(
      Site.open(tcpConfig(other.port)),
      (error: Error) =>
        error instanceof ConnectionLost && error.message.includes('cannot be reached: connect ECONNREFUSED'),
    );
  });

  it('is not waited for when the mapper gives up, or closes', async () => {
    await peer.fault({ kind: 'mute' }, Infinity);
    const abort = new AbortController();
    const reason = new Error('enough');
    const aborted = assert.rejects(site.read([A], { timeoutMs: 60_000 }, abort), reason);
    await eventually('asked', async () => (await peer.requestCount()) === 1);
    abort.abort(reason);
    await within('aborted', aborted);
    const ended = assert.rejects(site.read([A], { timeoutMs: 60_000 }), ConnectionLost);
    await eventually('asked', async () => (await peer.requestCount()) === 2);
    await site.close();
    await site.close();
    await within('ended', ended);
    await assert.rejects(site.read([A]), ConnectionLost);
  });
});

describe('a TCP server that is no device', () => {
  let server: Server;
  let sockets: Socket[];
  let answer: (request: Buffer, socket: Socket) => void;

  beforeEach(async () => {
    sockets = [];
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (request) => answer(request, socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const config = (): ReturnType<typeof tcpConfig> =>
    tcpConfig((server.address() as AddressInfo).port, { timeoutMs: 100, retries: 0 });

  it('speaks something else: said at once, not after the time-out', async () => {
    answer = (_request, socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    const site = await Site.open({ ...config(), timeoutMs: 60_000 });
    await assert.rejects(within('an answer', site.read([A])), /what the device sent is not Modbus TCP/);
    await site.close();
  });

  it('resets the connection', async () => {
    answer = (_request, socket) => socket.resetAndDestroy();
    const site = await Site.open({ ...config(), timeoutMs: 60_000 });
    await assert.rejects(within('an answer', site.read([A])), (error: Error) => {
      assert.ok(error instanceof ConnectionLost);
      return error.message.includes('ECONNRESET');
    });
    await site.close();
  });

  it('sends answers nobody asked for, and answers that are too short', async () => {
    answer = (request, socket) => {
      const stray = Buffer.from([0xaa, 0xaa, 0, 0, 0, 5, 1, 3, 2, 0, 9]);
      const short = Buffer.from([request[0] ?? 0, request[1] ?? 0, 0, 0, 0, 3, 1, 3, 2]);
      socket.write(Buffer.concat([stray, stray, short]));
    };
    const site = await Site.open(config());
    await assert.rejects(site.read([A]), /HoldingRegister 0 of unit 1 .*Data length error/);
    answer = (request, socket) => {
      socket.write(Buffer.from([request[0] ?? 0, request[1] ?? 0, 0, 0, 0, 5, 1, 3, 2, 0, 9]));
    };
    for (const socket of sockets) socket.write(Buffer.from([0xbb, 0xbb, 0, 0, 0, 5, 1, 3, 2, 0, 8]));
    assert.deepEqual(await site.values([A]), [9]);
    await site.close();
  });

  it('confirms another write than was asked for', async () => {
    answer = (request, socket) => {
      const echo = Buffer.from(request);
      echo[11] = 99;
      socket.write(echo);
    };
    const site = await Site.open(config());
    await assert.rejects(site.write(A, 5), /the answer is about something else than the request/);
    await site.close();
  });
});
