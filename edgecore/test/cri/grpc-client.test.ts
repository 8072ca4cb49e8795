import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import http2 from 'node:http2';
import { createServer } from 'node:net';
import path from 'node:path';
import { deferred } from '@hawser/seams';
import { eventually, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { GrpcClient } from '../../src/cri/grpc-client.ts';
import { frameOf } from '../../src/cri/grpc-frames.ts';
import { grpcStatusOf } from '../../src/cri/grpc-status.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';
import { answer, begin, end, FakeServer, refuse, requestOf } from './fake-server.ts';

const PATH = '/test.Service/Do';
const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;
const text = (data: Uint8Array): string => Buffer.from(data).toString();

/** Checks a rejection with RuntimeError. */
const fails =
  (code: RuntimeError['code'], message?: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof RuntimeError, String(error));
    assert.equal(error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };

describe('GrpcClient', () => {
  let temp: TempDir;
  let server: FakeServer;
  let client: GrpcClient;

  beforeEach(async () => {
    temp = await makeTempDir();
    server = new FakeServer(path.join(temp.path, 's.sock'), (stream) => answer(stream, Buffer.from('pong')));
    await server.start();
    client = new GrpcClient({ socketPath: server.socketPath, limitBytes: 10 * 1024 * 1024 });
  });
  afterEach(async () => {
    client.close();
    await server.stop();
    await temp.remove();
  });

  const call = (options?: Parameters<GrpcClient['call']>[2]): Promise<Uint8Array> =>
    within('an end', client.call(PATH, Buffer.from('ping'), options));

  describe('a call', () => {
    it('goes as gRPC wants it, and brings the answer', async () => {
      const seen = deferred<{ headers: http2.IncomingHttpHeaders; request: string }>();
      server.handler = (stream, headers) => {
        void requestOf(stream).then((request) => {
          seen.resolve({ headers, request: request.toString() });
          answer(stream, Buffer.from('pong'));
        });
      };
      assert.equal(text(await call({ timeoutMs: 1_500.5, metadata: { 'x-who': 'me' } })), 'pong');
      const { headers, request } = await seen.promise;
      assert.equal(request, 'ping');
      assert.deepEqual(
        [':method', ':path', 'content-type', 'te', 'grpc-timeout', 'x-who'].map((key) => headers[key]),
        ['POST', PATH, 'application/grpc', 'trailers', '1501m', 'me'],
      );
    });

    it('may have an empty request and an empty answer', async () => {
      server.handler = (stream) => answer(stream, Buffer.alloc(0));
      assert.equal((await client.call(PATH, Buffer.alloc(0))).length, 0);
    });

    it('takes an answer that comes byte by byte', async () => {
      server.handler = (stream) => {
        begin(stream);
        const frame = frameOf(Buffer.from('pong'));
        let at = 0;
        const next = (): void => {
          if (at === frame.length) end(stream, 0);
          else stream.write(frame.subarray(at, ++at), () => setImmediate(next));
        };
        next();
      };
      assert.equal(text(await call()), 'pong');
    });

    it('takes an answer that is larger than what may be on its way', async () => {
      const large = Buffer.alloc(8 * 1024 * 1024, 'x');
      server.handler = (stream) => answer(stream, large);
      assert.ok(large.equals(await call()));
    });

    it('may be one of many, on one connection', async () => {
      const answers = await Promise.all(Array.from({ length: 200 }, () => call()));
      assert.ok(answers.every((data) => text(data) === 'pong'));
      assert.equal(server.sessions.size, 1);
    });
  });

  describe('an answer that is none', () => {
    for (const [status, code, notFound] of [
      [2, 'ERR_EDGECORE_RUNTIME', false],
      [4, 'ERR_EDGECORE_RUNTIME_TIMEOUT', false],
      [5, 'ERR_EDGECORE_RUNTIME', true],
      [12, 'ERR_EDGECORE_RUNTIME', false],
      [14, 'ERR_EDGECORE_RUNTIME_UNREACHABLE', false],
    ] as const) {
      it(`is told by status ${status}, in headers alone`, async () => {
        server.handler = (stream) => refuse(stream, status, 'k%C3%A4se 100%25 %zz');
        await assert.rejects(call(), (error) => {
          assert.ok(error instanceof RuntimeError);
          assert.deepEqual([error.code, error.notFound, error.message], [code, notFound, 'käse 100% %zz']);
          assert.equal(grpcStatusOf(error), status);
          assert.equal(error.about, 'Do');
          return true;
        });
      });
    }

    it('is told by a status after the headers', async () => {
      server.handler = (stream) => {
        begin(stream);
        end(stream, 5, 'not here');
      };
      await assert.rejects(call(), fails('ERR_EDGECORE_RUNTIME', /^not here$/));
    });

    it('without a message says so', async () => {
      server.handler = (stream) => refuse(stream, 2, '');
      await assert.rejects(call(), fails('ERR_EDGECORE_RUNTIME', /^Do: refused with status 2/));
    });

    for (const [what, handler, code, message] of [
      [
        'no gRPC',
        (stream: http2.ServerHttp2Stream) => {
          stream.respond({ ':status': 200, 'content-type': 'text/html' });
          stream.end('<html>');
        },
        'ERR_EDGECORE_RUNTIME',
        /HTTP 200 with text\/html: this is no gRPC/,
      ],
      [
        'HTTP 404',
        (stream: http2.ServerHttp2Stream) => stream.respond({ ':status': 404 }, { endStream: true }),
        'ERR_EDGECORE_RUNTIME',
        /HTTP 404/,
      ],
      [
        'half a message',
        (stream: http2.ServerHttp2Stream) => {
          begin(stream);
          stream.write(frameOf(Buffer.from('pong')).subarray(0, 7));
          end(stream, 0);
        },
        'ERR_EDGECORE_RUNTIME',
        /in the middle of a message/,
      ],
      [
        'no message',
        (stream: http2.ServerHttp2Stream) => {
          begin(stream);
          end(stream, 0);
        },
        'ERR_EDGECORE_RUNTIME',
        /0 messages where one was due/,
      ],
      [
        'two messages',
        (stream: http2.ServerHttp2Stream) => {
          begin(stream);
          stream.write(Buffer.concat([frameOf(Buffer.from('a')), frameOf(Buffer.from('b'))]));
          end(stream, 0);
        },
        'ERR_EDGECORE_RUNTIME',
        /2 messages where one was due/,
      ],
      [
        'a compressed message',
        (stream: http2.ServerHttp2Stream) => {
          begin(stream);
          stream.write(Buffer.from([1, 0, 0, 0, 1, 0]));
        },
        'ERR_EDGECORE_RUNTIME',
        /compressed/,
      ],
      [
        'a message that says to be too large',
        (stream: http2.ServerHttp2Stream) => {
          begin(stream);
          stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
        },
        'ERR_EDGECORE_RUNTIME',
        /4294967295 bytes; more than 10485760 are not taken/,
      ],
      [
        'no status',
        (stream: http2.ServerHttp2Stream) => {
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
          stream.end(frameOf(Buffer.from('pong')));
        },
        'ERR_EDGECORE_RUNTIME_UNREACHABLE',
        /without a status/,
      ],
      [
        'a reset before anything',
        (stream: http2.ServerHttp2Stream) => stream.close(NGHTTP2_INTERNAL_ERROR),
        'ERR_EDGECORE_RUNTIME_UNREACHABLE',
        /Do: /,
      ],
      [
        'a reset in the middle',
        (stream: http2.ServerHttp2Stream) => {
          begin(stream);
          stream.write(frameOf(Buffer.from('pong')), () => stream.close(NGHTTP2_INTERNAL_ERROR));
        },
        'ERR_EDGECORE_RUNTIME_UNREACHABLE',
        /Do: /,
      ],
      [
        'a refusal of streams',
        (stream: http2.ServerHttp2Stream) => stream.close(NGHTTP2_REFUSED_STREAM),
        'ERR_EDGECORE_RUNTIME_UNREACHABLE',
        /takes no calls/,
      ],
      [
        'the end of the connection',
        (stream: http2.ServerHttp2Stream) => stream.session?.destroy(),
        'ERR_EDGECORE_RUNTIME_UNREACHABLE',
        /Do: /,
      ],
    ] as const) {
      it(`is ${what}; the next call is well again`, async () => {
        const good = server.handler;
        server.handler = handler;
        await assert.rejects(call(), fails(code, message));
        server.handler = good;
        assert.equal(text(await call()), 'pong');
      });
    }
  });

  describe('a server that is away', () => {
    it('is told, and found again when it is back', async () => {
      assert.equal(text(await call()), 'pong');
      await server.stop();
      await eventually('the connection is known to be gone', async () => {
        const error: unknown = await call().catch((failure: unknown) => failure);
        return (
          fails('ERR_EDGECORE_RUNTIME_UNREACHABLE')(error) && (error as Error).message.includes('s.sock')
        );
      });
      server = new FakeServer(server.socketPath, server.handler);
      await server.start();
      assert.equal(text(await call()), 'pong');
    });

    it('and said goodbye is left for a new connection', async () => {
      await call();
      const [session] = server.sessions;
      session?.goaway();
      // What was sent before the goodbye has come is refused; what is sent after it takes another connection.
      await eventually('another connection', async () => {
        const answered = await call().catch(() => undefined);
        return answered !== undefined && server.sessions.size === 2;
      });
    });

    it('ends all calls that were on their way', async () => {
      const arrived = deferred();
      let count = 0;
      server.handler = () => {
        if (++count === 10) arrived.resolve();
      };
      const calls = Promise.allSettled(Array.from({ length: 10 }, () => call()));
      await arrived.promise;
      await server.stop();
      for (const outcome of await calls) {
        assert.ok(outcome.status === 'rejected' && fails('ERR_EDGECORE_RUNTIME_UNREACHABLE')(outcome.reason));
      }
    });

    for (const [what, behave] of [
      ['says something else than HTTP/2', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
      ['ends each connection', undefined],
    ] as const) {
      it(`or ${what}, is no more than an error`, async () => {
        const socketPath = path.join(temp.path, 'other.sock');
        const other = createServer((socket) => {
          socket.on('error', () => {});
          socket.end(behave ?? '');
        });
        other.listen(socketPath);
        await once(other, 'listening');
        const lost = new GrpcClient({ socketPath });
        try {
          for (let round = 0; round < 3; round++) {
            await assert.rejects(
              within('an end', lost.call(PATH, Buffer.alloc(0))),
              fails('ERR_EDGECORE_RUNTIME_UNREACHABLE'),
            );
          }
        } finally {
          lost.close();
          other.close();
        }
      });
    }
  });

  describe('giving up', () => {
    /** Never answers; resolves with how the stream was ended. */
    function silent(): Promise<number> {
      const ended = deferred<number>();
      server.handler = (stream) => stream.once('close', () => ended.resolve(stream.rstCode));
      return ended.promise;
    }

    it('after its time, the server is told', async () => {
      const ended = silent();
      await assert.rejects(call({ timeoutMs: 50 }), fails('ERR_EDGECORE_RUNTIME_TIMEOUT', /within 50 ms/));
      assert.equal(await within('an end', ended), NGHTTP2_CANCEL);
    });

    it('after its time in the middle of an answer', async () => {
      server.handler = (stream) => {
        begin(stream);
        stream.write(frameOf(Buffer.from('pong')).subarray(0, 6));
      };
      await assert.rejects(call({ timeoutMs: 50 }), fails('ERR_EDGECORE_RUNTIME_TIMEOUT'));
    });

    it('by a signal, with its reason', async () => {
      const ended = silent();
      const abort = new AbortController();
      const reason = new Error('enough');
      const calling = call({ signal: abort.signal });
      setImmediate(() => abort.abort(reason));
      await assert.rejects(calling, (error) => error === reason);
      await eventually(
        'nothing listens to it any more',
        () => getEventListeners(abort.signal, 'abort').length === 0,
      );
      void ended; // whether it was sent before the abort is chance
    });

    it('by a signal that was given before: nothing is sent', async () => {
      let calls = 0;
      server.handler = () => calls++;
      const reason = new Error('too late');
      await assert.rejects(call({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
      assert.equal(calls, 0);
    });

    it('leaves nothing on a signal that lives long', async () => {
      const { signal } = new AbortController();
      for (let round = 0; round < 20; round++) await call({ signal, timeoutMs: 5_000 });
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });

    it('while it waits in line', async () => {
      const narrow = new GrpcClient({ socketPath: server.socketPath, limitCalls: 1 });
      try {
        const arrived = deferred<http2.ServerHttp2Stream>();
        server.handler = (stream) => arrived.resolve(stream);
        const first = narrow.call(PATH, Buffer.alloc(0));
        const stream = await arrived.promise;
        await assert.rejects(
          within('an end', narrow.call(PATH, Buffer.alloc(0), { timeoutMs: 30 })),
          fails('ERR_EDGECORE_RUNTIME_TIMEOUT'),
        );
        server.handler = (other) => answer(other, Buffer.from('slow'));
        assert.equal(
          text(await within('an end', narrow.call(PATH, Buffer.alloc(0), { slow: true }))),
          'slow',
        );
        answer(stream, Buffer.from('first'));
        assert.equal(text(await first), 'first');
      } finally {
        narrow.close();
      }
    });

    it('by closing the client', async () => {
      const arrived = deferred();
      server.handler = () => arrived.resolve();
      const calling = call();
      await arrived.promise;
      client.close();
      await assert.rejects(calling, fails('ERR_EDGECORE_RUNTIME_UNREACHABLE'));
      client.close();
      await assert.rejects(call(), fails('ERR_EDGECORE_RUNTIME_UNREACHABLE', /was closed/));
    });

    it('by closing it before it has connected', async () => {
      const calling = call();
      client.close();
      await assert.rejects(calling, fails('ERR_EDGECORE_RUNTIME_UNREACHABLE'));
    });
  });
});
