import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { connect } from 'node:net';
import path from 'node:path';
import { deferred } from '@hawser/seams';
import { eventually, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { GrpcClient } from '../../src/cri/grpc-client.ts';
import { frameOf } from '../../src/cri/grpc-frames.ts';
import { GrpcStream } from '../../src/cri/grpc-stream.ts';
import { grpcStatusOf } from '../../src/cri/grpc-status.ts';
import { begin, end, FakeServer, refuse } from './fake-server.ts';

const PATH = '/test.Service/Watch';

describe('GrpcClient.stream', () => {
  let temp: TempDir;
  let server: FakeServer;
  let client: GrpcClient;

  beforeEach(async () => {
    temp = await makeTempDir();
    server = new FakeServer(path.join(temp.path, 's.sock'), () => {});
    await server.start();
    client = new GrpcClient({ socketPath: server.socketPath });
  });
  afterEach(async () => {
    client.close();
    await server.stop();
    await temp.remove();
  });

  const send = (stream: http2.ServerHttp2Stream, message: string): boolean =>
    stream.write(frameOf(Buffer.from(message)));

  async function collect(options: Parameters<GrpcClient['stream']>[2] = {}): Promise<string[]> {
    const messages: string[] = [];
    for await (const data of client.stream(PATH, Buffer.alloc(0), options))
      messages.push(Buffer.from(data).toString());
    return messages;
  }

  it('brings each message, and ends when the server ends', async () => {
    server.handler = (stream) => {
      begin(stream);
      for (const message of ['a', '', 'c']) send(stream, message);
      end(stream, 0);
    };
    assert.deepEqual(await within('an end', collect()), ['a', '', 'c']);
  });

  it('brings what came before an error, then the error', async () => {
    server.handler = (stream) => {
      begin(stream);
      send(stream, 'a');
      end(stream, 13, 'broken');
    };
    const messages: string[] = [];
    await assert.rejects(async () => {
      for await (const data of client.stream(PATH, Buffer.alloc(0)))
        messages.push(Buffer.from(data).toString());
    }, /broken/);
    assert.deepEqual(messages, ['a']);
  });

  it('says what is not there', async () => {
    server.handler = (stream) => refuse(stream, 12, 'unknown service');
    await assert.rejects(within('an end', collect()), (error) => grpcStatusOf(error) === 12);
  });

  it('ends with the server', async () => {
    const arrived = deferred();
    server.handler = (stream) => {
      begin(stream);
      send(stream, 'a');
      arrived.resolve();
    };
    const collecting = collect();
    await arrived.promise;
    await server.stop();
    await assert.rejects(within('an end', collecting), { code: 'ERR_EDGECORE_RUNTIME_UNREACHABLE' });
  });

  it('is cancelled by a signal, with its reason', async () => {
    const ended = deferred<number>();
    server.handler = (stream) => {
      begin(stream);
      send(stream, 'a');
      stream.once('close', () => ended.resolve(stream.rstCode));
    };
    const abort = new AbortController();
    const reason = new Error('enough');
    const seen: string[] = [];
    await assert.rejects(
      async () => {
        for await (const data of client.stream(PATH, Buffer.alloc(0), { signal: abort.signal })) {
          seen.push(Buffer.from(data).toString());
          setImmediate(() => abort.abort(reason));
        }
      },
      (error) => error === reason,
    );
    assert.deepEqual(seen, ['a']);
    assert.equal(await within('an end', ended.promise), http2.constants.NGHTTP2_CANCEL);
  });

  it('is cancelled by leaving the loop', async () => {
    const ended = deferred<number>();
    server.handler = (stream) => {
      begin(stream);
      for (let count = 0; count < 100; count++) send(stream, 'a');
      stream.once('close', () => ended.resolve(stream.rstCode));
    };
    for await (const data of client.stream(PATH, Buffer.alloc(0))) {
      assert.equal(Buffer.from(data).toString(), 'a');
      break;
    }
    assert.equal(await within('an end', ended.promise), http2.constants.NGHTTP2_CANCEL);
  });

  it('holds a server back that sends faster than it is read, and loses nothing', async () => {
    const message = 'x'.repeat(10_000);
    let sent = 0;
    const TOTAL = 2_000; // 20 MB: far more than what may be on its way
    server.handler = (stream) => {
      begin(stream);
      const more = (): void => {
        while (sent < TOTAL) {
          sent += 1;
          if (!send(stream, message)) {
            stream.once('drain', more);
            return;
          }
        }
        end(stream, 0);
      };
      more();
    };
    const stream = client.stream(PATH, Buffer.alloc(0), { limitWaiting: 16 });
    assert.equal((await stream.next()).value?.length, message.length);
    let before = -1;
    await eventually(
      'the server is held back',
      () => {
        const still = sent === before;
        before = sent;
        return still;
      },
      { intervalMs: 30 },
    );
    assert.ok(sent < 500, `${sent} messages were sent`);
    let count = 1;
    for await (const data of stream) {
      assert.equal(data.length, message.length);
      count += 1;
    }
    assert.equal(count, TOTAL);
  });
});

describe('GrpcStream', () => {
  let temp: TempDir;
  let server: FakeServer;
  let session: http2.ClientHttp2Session;

  beforeEach(async () => {
    temp = await makeTempDir();
    server = new FakeServer(path.join(temp.path, 's.sock'), () => {});
    await server.start();
    session = http2.connect('http://localhost', { createConnection: () => connect(server.socketPath) });
  });
  afterEach(async () => {
    session.destroy();
    await server.stop();
    await temp.remove();
  });

  // Node frees a stream that it works on, see the comment in GrpcStream: whether memory is damaged cannot be seen.
  for (const [when, cancels] of [
    ['an event', (cancel: () => void) => cancel()],
    ['a promise after an event', (cancel: () => void) => void Promise.resolve().then(cancel)],
    ['a tick after an event', (cancel: () => void) => process.nextTick(cancel)],
  ] as const)
    it(`resets a stream in a turn of its own, cancelled from ${when}`, async () => {
      const ended = deferred<number>();
      server.handler = (stream) => {
        begin(stream);
        stream.write(frameOf(Buffer.from('a')));
        stream.once('close', () => ended.resolve(stream.rstCode));
      };
      let inTurn = false;
      const resets: string[] = [];
      const request = session.request.bind(session);
      session.request = (...args) => {
        const stream = request(...args);
        const close = stream.close.bind(stream);
        stream.close = (code) => {
          resets.push(inTurn ? 'in the turn of the event' : 'later');
          close(code);
        };
        return stream;
      };
      const stream: GrpcStream = new GrpcStream(
        session,
        { path: PATH, request: Buffer.alloc(0), limitBytes: 100 },
        {
          message: () => {
            inTurn = true;
            setImmediate(() => (inTurn = false));
            cancels(() => stream.cancel());
          },
          end: () => {},
        },
      );
      assert.equal(await within('a reset', ended.promise), http2.constants.NGHTTP2_CANCEL);
      assert.deepEqual(resets, ['later']);
    });
});
