import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Stream } from '@hawser/proto';
import { streamPair } from '@hawser/proto/testing';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { StreamServer, type StreamServerOptions } from '../../src/kubelet/stream-server.ts';

const REQUEST = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';

describe('StreamServer', () => {
  let clock: FakeClock;
  let server: StreamServer;
  let responses: ServerResponse[];

  const make = (options: Partial<StreamServerOptions> = {}): StreamServer =>
    new StreamServer({
      handler: {
        handle: (_request: IncomingMessage, response: ServerResponse) => {
          responses.push(response);
          return Promise.resolve();
        },
        upgrade: () => Promise.resolve(),
      },
      ...{ maxStreams: 2, headersMs: 1000, idleMs: 60_000, lingerMs: 500, clock, log: silentLogger },
      ...options,
    });
  beforeEach(() => {
    clock = new FakeClock();
    responses = [];
    server = make();
  });
  afterEach(() => server.stop());

  /** Opens a stream, and writes to it; what comes back. */
  function open(text: string): { near: Stream; answer: () => string } {
    const { near, far } = streamPair();
    server.accept(far);
    let answer = '';
    void near.write(Buffer.from(text));
    void (async () => {
      for (let chunk = await near.read(); chunk !== undefined; chunk = await near.read()) {
        answer += Buffer.from(chunk).toString();
      }
    })().catch(() => {}); // reset: `closed` tells
    return { near, answer: () => answer };
  }
  const codeOf = async ({ closed }: Stream): Promise<unknown> =>
    ((await closed) as { code?: unknown } | undefined)?.code;

  it('serves so many at a time, and says so to one more', async () => {
    open(REQUEST);
    open(REQUEST);
    await eventually('two requests', () => responses.length === 2);
    const third = open(REQUEST);
    await eventually('a refusal', () => third.answer().includes('takes no more'));
    assert.match(third.answer(), /^HTTP\/1\.1 429 Too Many Requests\r\n/);
    assert.match(third.answer(), /\r\nRetry-After: 1\r\n/);
    assert.equal(responses.length, 2);
    await third.near.end();
    await eventually('room', () => server.streams === 2);
    responses[0]?.end('done');
    await eventually('a place', async () => {
      await clock.advance(500);
      return server.streams === 1;
    });
    open(REQUEST);
    await eventually('another request', () => responses.length === 3);
  });

  it('ends one that brings no request in time', async () => {
    const { near } = open('GET /x HTTP/1.1\r\nHos');
    await clock.advance(1000);
    assert.equal(await codeOf(near), 'ERR_TUNNEL_STREAM_RESET');
    await eventually('none', () => server.streams === 0);
  });

  it('lets a request that was read take its time, but not for ever without a byte', async () => {
    const { near } = open(REQUEST);
    await eventually('the request', () => responses.length === 1);
    await clock.advance(59_000);
    assert.equal(server.streams, 1);
    responses[0]?.write('a byte');
    await eventually('it to go', () => responses[0]?.writableLength === 0);
    await clock.advance(59_000);
    assert.equal(server.streams, 1);
    await clock.advance(60_000);
    assert.equal(await codeOf(near), 'ERR_TUNNEL_STREAM_RESET');
  });

  it('does not wait for ever for the end of a stream that was answered', async () => {
    const { near, answer } = open(REQUEST);
    await eventually('the request', () => responses.length === 1);
    responses[0]?.end('done');
    await eventually('the answer', () => answer().includes('done'));
    assert.match(answer(), /\r\nConnection: close\r\n/);
    await eventually('its end', async () => {
      await clock.advance(500);
      return server.streams === 0;
    });
    assert.equal(await codeOf(near), 'ERR_TUNNEL_STREAM_RESET');
  });

  it('answers what is no HTTP, and heads that are too large', async () => {
    const garbage = open('\x16\x03\x01 hello\r\n\r\n');
    await eventually('an answer', () => garbage.answer() !== '');
    assert.match(garbage.answer(), /^HTTP\/1\.1 400 Bad Request\r\n/);
    const large = open(`GET /x HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`);
    await eventually('an answer', () => large.answer() !== '');
    assert.match(large.answer(), /^HTTP\/1\.1 431 /);
    assert.equal(responses.length, 0);
  });

  it('ends all of them when it stops', async () => {
    const { near } = open(REQUEST);
    await eventually('the request', () => responses.length === 1);
    server.stop();
    server.stop();
    assert.equal(await codeOf(near), 'ERR_TUNNEL_STREAM_RESET');
    await eventually('none', () => server.streams === 0);
  });
});
