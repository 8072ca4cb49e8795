import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { eventually, scaled, within } from '@hawser/seams/testing';
import { EndpointSite } from './endpoint-site.ts';
import type { FakeEdge } from '../../testing/fake-edge.ts';

const FOLLOW = '/containerLogs/default/web/app?follow=true';
const WAIT = { deadlineMs: 10_000 };
const MIB = 2 ** 20;

/** A log as an edge has it: grows, and is read from an instant on, followed or not. */
class FakeLog {
  readonly #lines: { at: string; text: string }[] = [];
  readonly #followers = new Set<ServerResponse>();

  get followers(): number {
    return this.#followers.size;
  }

  /** Several lines may have one timestamp. */
  write(text: string, nanos = this.#lines.length): void {
    const at = `2026-01-02T03:04:05.${String(nanos).padStart(9, '0')}Z`;
    this.#lines.push({ at, text });
    for (const response of this.#followers) response.write(`${at} ${text}\n`);
  }

  readonly serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { searchParams } = new URL(request.url ?? '/', 'http://edge');
    assert.equal(searchParams.get('timestamps'), 'true');
    const since = searchParams.get('sinceTime') ?? '';
    const tail = Number(searchParams.get('tailLines') ?? Infinity);
    const lines = this.#lines.filter(({ at }) => at >= since);
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write(
      lines
        .slice(Math.max(lines.length - tail, 0))
        .map(({ at, text }) => `${at} ${text}\n`)
        .join(''),
    );
    if (searchParams.get('follow') !== 'true') {
      response.end();
      return;
    }
    response.flushHeaders();
    this.#followers.add(response);
    response.on('close', () => this.#followers.delete(response));
  };
}

/** Reads what comes, as it comes. */
function reading(response: IncomingMessage): { text: string; readonly ended: Promise<unknown> } {
  const state = { text: '', ended: once(response, 'close') };
  response.on('data', (chunk: Buffer) => (state.text += chunk.toString()));
  response.on('error', (error) => (state.text += `[${error.message}]`));
  return state;
}

describe('logs of pods through the hub', () => {
  let site: EndpointSite;
  let edge: FakeEdge;
  let log: FakeLog;

  before(async () => {
    site = await EndpointSite.open();
    edge = await site.edge('edge-1');
    await site.pod('web', 'edge-1');
  });
  after(() => site.close());
  beforeEach(() => {
    edge.asked.length = 0;
    log = new FakeLog();
    edge.onRequest = log.serve;
  });

  it('are as the client asked for them', async () => {
    for (const text of ['one', 'two', 'three']) log.write(text);
    const get = async (query: string): Promise<string> =>
      (await site.call('edge-1', `/containerLogs/default/web/app?${query}`)).text;
    assert.equal(await get('tailLines=2'), 'two\nthree\n');
    assert.equal(await get('limitBytes=5'), 'one\nt');
    assert.match(await get('timestamps=true&tailLines=1'), /^2026-01-02T03:04:05\.000000002Z three\n$/);
    assert.deepEqual(edge.asked, [
      'GET /containerLogs/default/web/app?tailLines=2&timestamps=true',
      'GET /containerLogs/default/web/app?timestamps=true',
      'GET /containerLogs/default/web/app?timestamps=true&tailLines=1',
    ]);
  });

  it('that are followed survive the loss of the tunnel, to the line', async () => {
    const followed = reading(await site.begin('edge-1', FOLLOW));
    for (const text of ['a', 'b', 'c']) log.write(text, 7); // all of the same instant
    await eventually('the lines are there', () => followed.text === 'a\nb\nc\n', WAIT);
    for (let round = 0; round < 3; round++) {
      edge.tunnel.destroy({ code: 'going-away', message: 'cut by the test' });
      await eventually('nobody follows', () => log.followers === 0, WAIT);
      log.write(`during ${round}`, 7);
      await edge.connect();
      await eventually('it goes on', () => log.followers === 1, WAIT);
      log.write(`after ${round}`, 8 + round);
    }
    const wanted = ['a', 'b', 'c', 'during 0', 'after 0', 'during 1', 'after 1', 'during 2', 'after 2'];
    await eventually('all lines', () => followed.text.split('\n').length > wanted.length, WAIT);
    // What was said at instant 7 after the log had come to 8 is older than what the client has: it cannot be told.
    assert.deepEqual(followed.text.split('\n').slice(0, 5), wanted.slice(0, 5));
    assert.equal(await site.metric('hawser_kubelet_log_resumes_total', { result: 'resumed' }), 3);
  });

  it('that are followed end with a line that says why, when the container is gone meanwhile', async () => {
    const followed = reading(await site.begin('edge-1', FOLLOW));
    log.write('first');
    await eventually('the line is there', () => followed.text === 'first\n', WAIT);
    edge.onRequest = (_request, response) => void response.writeHead(404).end('no such container\n');
    edge.tunnel.destroy({ code: 'going-away', message: 'cut by the test' });
    await edge.connect();
    await within('the end', followed.ended, 10_000);
    assert.equal(
      followed.text,
      'first\nhawser: the log ends here: the node answered 404 when it was asked to go on: the container may be gone; ' +
        'ask again with --since-time=2026-01-02T03:04:05.000000000Z\n',
    );
  });

  it('that are followed end with a line that says why, when the node does not come back', async () => {
    const other = await EndpointSite.open({ portRange: { first: 22_000, last: 22_999 } });
    try {
      const away = await other.edge('edge-1');
      away.onRequest = log.serve;
      await other.pod('web', 'edge-1');
      const followed = reading(await other.begin('edge-1', FOLLOW));
      log.write('half a word');
      await eventually('the line is there', () => followed.text !== '', WAIT);
      await away.disconnect();
      await other.core.stop(); // before its 30 s are over
      await within('the end', followed.ended, 10_000);
      assert.match(
        followed.text,
        /^half a word\nhawser: the log ends here: the hub is stopping.*--since-time=2026-01-02T/,
      );
    } finally {
      await other.close();
    }
  });

  it('are given up at the edge when the client leaves', async () => {
    const response = await site.begin('edge-1', FOLLOW);
    await eventually('it follows', () => log.followers === 1, WAIT);
    response.destroy();
    await eventually('nobody follows', () => log.followers === 0, WAIT);
  });

  it('of which one is not read hold up nobody, and cost no memory', async () => {
    const size = 100 * MIB;
    const chunk = Buffer.from(`2026-01-02T03:04:05.000000001Z ${'x'.repeat(993)}\n`.repeat(64));
    let sent = 0;
    edge.onRequest = (request, response) => {
      if (!(request.url ?? '').includes('follow=true')) {
        log.serve(request, response);
        return;
      }
      const pump = (): void => {
        while (sent < size) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', pump);
            return;
          }
        }
        response.end();
      };
      pump();
    };
    const slow = await site.begin('edge-1', FOLLOW);
    slow.pause();
    let last = -1;
    await eventually(
      'it is stuck',
      () => {
        const stuck = sent === last;
        last = sent;
        return stuck;
      },
      { ...WAIT, intervalMs: 200 },
    );
    assert.ok(sent < 8 * MIB, `${sent} bytes were sent to nobody`);
    log.write('quick');
    const quick = await within('another log', site.call('edge-1', '/containerLogs/default/web/app'), 5000);
    assert.equal(quick.text, 'quick\n');
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let received = 0;
    slow.on('data', (bytes: Buffer) => (received += bytes.length)).resume();
    await within('the whole log', once(slow, 'end'), scaled(60_000, 240_000));
    const lines = Math.ceil(size / chunk.length) * 64;
    assert.equal(received, lines * 994);
    assert.ok(process.memoryUsage().rss - before < 64 * MIB, 'the log was kept in memory');
  }).timeout(scaled(70_000, 260_000));

  it('by the dozen, half of them unread, leave heartbeats on time', async () => {
    edge.onRequest = (_request, response) => {
      response.writeHead(200);
      const line = Buffer.from(`2026-01-02T03:04:05.000000001Z ${'y'.repeat(1000)}\n`.repeat(8));
      const pump = (): void => {
        while (!response.destroyed) {
          if (!response.write(line)) {
            response.once('drain', () => setTimeout(pump, 50));
            return;
          }
        }
      };
      pump();
    };
    const lost = edge.tunnel.closed;
    const responses = await Promise.all(Array.from({ length: 50 }, () => site.begin('edge-1', FOLLOW)));
    let read = 0;
    for (const [index, response] of responses.entries()) {
      if (index % 2 === 0) response.pause();
      else response.on('data', (bytes: Buffer) => (read += bytes.length));
    }
    const unread = Promise.race([
      lost.then(({ message }) => message),
      new Promise((resolve) => setTimeout(resolve, 7000)),
    ]);
    assert.equal(await unread, undefined, 'the session ended: no heartbeat in 6 s');
    assert.ok(read > MIB);
    const roundTripMs = edge.tunnel.roundTripMs ?? Infinity;
    assert.ok(roundTripMs < 500, `a heartbeat took ${roundTripMs} ms`);
    for (const response of responses) response.destroy();
    await eventually(
      'all are over',
      async () => (await site.metric('hawser_kubelet_open_requests')) === 0,
      WAIT,
    );
  }).timeout(30_000);
});
