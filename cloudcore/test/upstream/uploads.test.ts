import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deferred } from '@hawser/seams';
import { within } from '@hawser/seams/testing';
import type { UpstreamBodies } from '@hawser/sync';
import { startHub, type HubFixture } from './hub-fixture.ts';

const NODE = 'edge-1';
const UPLOAD: UpstreamBodies['upload'] = {
  topic: '$hw/events/upload/Halle 3/ä',
  payload: Buffer.from([0, 1, 254, 255]).toString('base64'),
  at: '2026-11-22T09:00:00Z',
};

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly payload: Buffer;
}

describe('what programs at the edge publish for the cloud', () => {
  let server: Server;
  let hub: HubFixture;
  let received: Received[];
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    received = [];
    answer = (response) => response.writeHead(204).end();
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        received.push({ headers: request.headers, payload: Buffer.concat(parts) });
        answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    await hub.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function start(timeoutMs = 10_000, maxInFlight = 4): Promise<void> {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/take`;
    hub = await startHub({ uploads: { url, timeoutMs, maxInFlight } });
  }

  it('is posted as it was, with who says it where', async () => {
    await start();
    assert.deepEqual(await hub.say(NODE, 'upload', UPLOAD), { status: 0 });
    const [{ headers, payload } = { headers: {}, payload: Buffer.of() }] = received;
    assert.deepEqual([...payload], [0, 1, 254, 255]);
    assert.equal(headers['hawser-node'], NODE);
    assert.equal(decodeURI(String(headers['hawser-topic'])), UPLOAD.topic);
    assert.equal(headers['hawser-at'], UPLOAD.at);
    assert.equal(await hub.metric('hawser_upstream_uploaded_bytes_total'), 4);
    await hub.say(NODE, 'upload', UPLOAD);
    assert.equal(
      received[1]?.headers['hawser-upload'],
      headers['hawser-upload'],
      'known when it comes again',
    );
  });

  it('is refused with what to configure where there is nowhere to send it', async () => {
    hub = await startHub();
    const { status, message = '' } = await hub.say(NODE, 'upload', UPLOAD);
    assert.equal(status, 404);
    assert.match(message, /uploads\.url/);
    assert.equal(await hub.metric('hawser_upstream_refused_total', { reason: 'not-configured' }), 1);
  });

  for (const [code, status] of [
    [500, 503],
    [503, 503],
    [429, 503],
    [401, 503],
    [301, 503],
    [413, 422],
    [422, 422],
  ] as const) {
    it(`${status === 503 ? 'stays at the edge' : 'is given up'} when the receiver says ${code}`, async () => {
      await start();
      answer = (response) => response.writeHead(code, { 'retry-after': '7', location: '/other' }).end('no');
      const outcome = await hub.say(NODE, 'upload', UPLOAD);
      assert.equal(outcome.status, status);
      if (status === 503) assert.equal(outcome.retryAfterMs, 7000);
      assert.equal(received.length, 1);
    });
  }

  it('stays at the edge when the receiver is gone, or silent', async () => {
    await start(300);
    answer = () => {};
    assert.equal((await within('time-out', hub.say(NODE, 'upload', UPLOAD))).status, 503);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    assert.equal((await hub.say(NODE, 'upload', UPLOAD)).status, 503);
  });

  it('does not hold up anything else, and only so many are under way', async () => {
    await start(10_000, 2);
    const reached = deferred();
    const held: ServerResponse[] = [];
    answer = (response) => {
      if (held.push(response) === 2) reached.resolve();
    };
    const saying = ['a', 'b', 'c', 'd'].map((node) => hub.say(node, 'upload', UPLOAD));
    await within('two uploads', reached.promise);
    const at = '2026-11-22T09:00:00Z';
    assert.equal((await hub.say(NODE, 'report', { code: 'Started', message: 'x', at })).status, 0);
    assert.equal(held.length, 2);
    answer = (response) => response.writeHead(200).end();
    for (const response of held) response.writeHead(200).end();
    for (const outcome of await Promise.all(saying)) assert.equal(outcome.status, 0);
  });

  it('is given up when the hub stops', async () => {
    await start();
    const reached = deferred();
    answer = () => reached.resolve();
    const saying = hub.say(NODE, 'upload', UPLOAD);
    await reached.promise;
    await within('stop', hub.router.stop());
    assert.equal((await saying).status, 503);
  });
});
