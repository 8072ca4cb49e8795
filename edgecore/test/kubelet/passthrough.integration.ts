import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { eventually, scaled, within } from '@hawser/seams/testing';
import { makePod } from '../../testing/index.ts';
import { runningContainer, runtimePod } from './fake-runtime.ts';
import { KubeletSite } from './kubelet-site.ts';
import { StreamingServer } from './streaming-server.ts';

const EXEC = '/exec/default/web/main?command=sh&input=1&output=1';
const MIB = 1024 * 1024;

describe('kubelet API, upgraded connections', function () {
  this.timeout(60_000);
  let site: KubeletSite;
  let streaming: StreamingServer;

  beforeEach(async () => {
    streaming = new StreamingServer();
    site = new KubeletSite({ limits: { answerMs: 500, halfOpenMs: 500 }, lingerMs: 500 });
    site.pods = [makePod('web')];
    site.runtime.pods = [runtimePod('web', [runningContainer('main')])];
    site.runtime.url = await streaming.start();
  });
  afterEach(async () => {
    site.stop();
    await streaming.stop();
  });

  async function opened(path = EXEC): Promise<Duplex> {
    const { socket } = await site.upgrade(path);
    assert.ok(socket, 'the upgrade was refused');
    return socket;
  }

  it('replays the request: method, headers in their order and spelling, path of the runtime', async () => {
    const { response, socket } = await site.upgrade(EXEC, 'SPDY/3.1', [
      ...['X-Stream-Protocol-Version', 'v4.channel.k8s.io', 'X-Stream-Protocol-Version', 'v3.channel.k8s.io'],
      ...['x-Odd-CASE', 'Value, with comma', 'Authorization', 'Bearer of-the-cloud'],
    ]);
    assert.ok(socket);
    const [request] = streaming.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request.url, '/exec/token-1');
    assert.deepEqual(request.rawHeaders, [
      ...['Host', 'edge-1', 'Connection', 'Upgrade', 'Upgrade', 'SPDY/3.1'],
      ...['X-Stream-Protocol-Version', 'v4.channel.k8s.io', 'X-Stream-Protocol-Version', 'v3.channel.k8s.io'],
      ...['x-Odd-CASE', 'Value, with comma', 'Content-Length', '0'],
    ]);
    assert.equal(response.statusCode, 101);
    assert.deepEqual(response.rawHeaders, [
      ...['Connection', 'Upgrade', 'Upgrade', 'SPDY/3.1', 'X-Stream-Protocol-Version', 'v4.channel.k8s.io'],
    ]);
  });

  it(`carries ${scaled(100, 1000)} MiB each way, unchanged`, async () => {
    const socket = await opened();
    const piece = randomBytes(MIB);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let length = 0;
    const reading = (async () => {
      for await (const chunk of socket) {
        received.update(chunk as Buffer);
        length += (chunk as Buffer).length;
      }
    })();
    for (let at = 0; at < scaled(100, 1000); at++) {
      piece.writeUInt32BE(at, 0);
      const copy = Buffer.from(piece);
      sent.update(copy);
      if (!socket.write(copy)) await within('room', once(socket, 'drain'), 20_000);
    }
    socket.end();
    await within('the echo of all', reading, 20_000);
    assert.equal(length, scaled(100, 1000) * MIB);
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });

  it('is not held up by clients that do not read, nor does it keep what is for them', async () => {
    // Each runtime connection pours out without end; what is taken of it shows how much is kept in between.
    const poured = new Map<Duplex, number>();
    const block = Buffer.alloc(64 * 1024, 'x');
    streaming.serve = (socket) => {
      poured.set(socket, 0);
      const pour = (): void => {
        while (!socket.destroyed) {
          poured.set(socket, (poured.get(socket) ?? 0) + block.length);
          if (!socket.write(block)) break;
        }
      };
      socket.on('drain', pour);
      pour();
    };
    collectGarbage();
    const before = process.memoryUsage();
    const idle: Duplex[] = [];
    for (let at = 0; at < 25; at++) idle.push(await opened());
    await eventually('those who do not read to be full', () => isStill(poured));
    const reading: Duplex[] = [];
    let read = 0;
    for (let at = 0; at < 25; at++) {
      const socket = await opened();
      reading.push(socket.on('data', (chunk: Buffer) => (read += chunk.length)));
    }
    await eventually('the others to have read 4 MiB each', () => read > 100 * MIB, { deadlineMs: 30_000 });
    // Now nobody reads any more, so that what is kept can be told from what is on its way.
    for (const socket of reading) socket.pause();
    await eventually('all to be full', () => isStill(poured), { intervalMs: 100 });
    collectGarbage();
    const after = process.memoryUsage();
    // Both ends are in this process: two windows and some chunks for each client, half a MiB; more than 100 MiB went by.
    const keptBytes = after.external - before.external; // buffers are among it
    assert.ok(keptBytes < 40 * MIB, `50 clients who do not read keep ${Math.round(keptBytes / MIB)} MiB`);
    assert.ok(
      after.rss - before.rss < 120 * MIB,
      `resident: ${Math.round((after.rss - before.rss) / MIB)} MiB more`,
    );
    for (const socket of idle) assert.equal(socket.destroyed, false);
    // What one that does not read has cost: kernel buffers of loopback (up to 6 MiB), a window, and marks of streams.
    const largest = Math.max(...[...poured.values()].slice(0, idle.length));
    assert.ok(largest < 8 * MIB, `one that does not read was given ${Math.round(largest / MIB)} MiB`);
  });

  it('passes a refusal back with its status, headers and body', async () => {
    streaming.refusal = { status: 403, headers: { 'X-Reason': 'because' }, body: 'unable to upgrade: no' };
    const { response, socket } = await site.upgrade(EXEC);
    assert.equal(socket, undefined);
    assert.equal(response.statusCode, 403);
    assert.equal(response.headers['x-reason'], 'because');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    assert.equal(Buffer.concat(chunks).toString(), 'unable to upgrade: no');
    await eventually('the stream to end', () => site.server.streams === 0);
  });

  it('says so when nobody streams', async () => {
    await streaming.stop();
    const { response } = await site.upgrade(EXEC);
    assert.equal(response.statusCode, 502);
    response.resume();
  });

  it('does not wait for ever for a runtime that does not answer', async () => {
    streaming.isSilent = true;
    const { response } = await site.upgrade(EXEC);
    assert.equal(response.statusCode, 502);
    response.resume();
  });

  it('ends the connection to the runtime when the client has gone, before or after the answer', async () => {
    const socket = await opened();
    socket.destroy();
    await eventually('the end at the runtime', () => streaming.sockets[0]?.destroyed === true);
    streaming.isSilent = true;
    const duplex = site.open();
    duplex.write(
      'POST /exec/default/web/main?command=x&output=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n',
    );
    await eventually('the second connection', () => streaming.sockets.length === 2);
    duplex.destroy();
    await eventually('its end', () => streaming.sockets[1]?.destroyed === true);
    await eventually('nothing open', () => site.server.streams === 0 && site.api.streams === 0);
  });

  it('ends the client’s connection when the runtime has gone', async () => {
    const socket = await opened();
    const failed = once(socket, 'error');
    socket.resume();
    streaming.sockets[0]?.resetAndDestroy();
    const [error] = (await within('the reset', failed)) as [unknown];
    assert.equal((error as { code?: string }).code, 'ERR_TUNNEL_STREAM_RESET');
    await eventually('nothing open', () => site.server.streams === 0 && site.api.streams === 0);
  });

  it('lets what was said last arrive when the runtime ends in good order', async () => {
    streaming.serve = (socket) => socket.end(Buffer.alloc(MIB, 'z'));
    const socket = await opened();
    let length = 0;
    for await (const chunk of socket) length += (chunk as Buffer).length;
    assert.equal(length, MIB);
    socket.end();
    await eventually('nothing open', () => site.server.streams === 0);
  });

  it('passes the end of the client’s input on, and the answer that comes after it', async () => {
    streaming.serve = (socket) => {
      let length = 0;
      socket.on('data', (chunk: Buffer) => (length += chunk.length));
      socket.on('end', () => socket.end(`got ${length}`));
    };
    const socket = await opened();
    socket.end('four');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    assert.equal(Buffer.concat(chunks).toString(), 'got 4');
  });

  it('does not wait for ever for a client that does not end', async () => {
    streaming.serve = (socket) => socket.end('bye');
    const socket = await opened();
    socket.resume();
    await eventually('nothing open', () => site.server.streams === 0 && site.api.streams === 0);
  });

  it('ends everything when it stops, and refuses what comes after', async () => {
    const socket = await opened();
    socket.on('error', () => {});
    site.api.stop();
    await eventually('the end at both sides', () => {
      return socket.destroyed && streaming.sockets[0]?.destroyed === true;
    });
    const { response } = await site.upgrade(EXEC);
    assert.equal(response.statusCode, 503);
    response.resume();
  });
});

let stillAt = new Map<Duplex, number>();

/** Whether no value has changed since the last look. */
function isStill(poured: ReadonlyMap<Duplex, number>): boolean {
  const isSame = poured.size > 0 && [...poured].every(([socket, bytes]) => stillAt.get(socket) === bytes);
  stillAt = new Map(poured);
  return isSame;
}

function collectGarbage(): void {
  globalThis.gc?.();
}
