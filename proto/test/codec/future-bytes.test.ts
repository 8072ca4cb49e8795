import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { FakeClock } from '@hawser/seams/testing';
import { decodeConnectionFrame, decodeFrame, decodeStreamOpen, type Hello } from '../../src/codec/codec.ts';
import { frameMessage, MessageStream, tunnelLimits } from '../../src/index.ts';
import { FrameStream } from '../../src/session/frame-stream.ts';
import { answerHello } from '../../src/session/handshake.ts';
import { closeCodeFromWire, closeCodeToWire, decodeCloseReason } from '../../src/transport/close-reason.ts';
import { nextFrame } from '../../src/transport/identity-exchange.ts';
import { decodeMuxFrames, IGNORABLE_TYPES_FROM } from '../../src/transport/mux/mux-frame.ts';
import { rejectsWith } from '../../testing/index.ts';
import { ScriptedConnection } from '../session/scripted-connection.ts';
import { MemoryStream } from '../stream/memory-stream.ts';
import { golden } from './golden.ts';

const later = golden('future');

/** The bytes of this name; a test that misspells one fails. */
function bytes(name: string): Buffer {
  const found = later.get(name);
  assert.ok(found, `test/golden/future.json has no ${name}`);
  return found;
}

function stream(...messages: readonly Buffer[]): MemoryStream {
  return new MemoryStream(messages.map((message) => frameMessage(message)));
}

function frames(...names: readonly string[]): FrameStream {
  return new FrameStream(stream(...names.map(bytes)), { maxFrameBytes: 1024, peerMaxFrameBytes: 1024 });
}

/** What a hub does with the hello of this name. */
async function greet(
  name: string,
): Promise<{ connection: ScriptedConnection; hello: Hello | undefined; answer: unknown }> {
  const clock = new FakeClock();
  const connection = new ScriptedConnection(clock);
  const session = Object.assign(stream(bytes(name)), { kind: 'session' });
  connection.arriving.push(session);
  const established = await answerHello(
    connection,
    { software: 'test', clusterUid: 'c', incarnation: 'i' },
    {
      limits: tunnelLimits(),
      clock,
      decide: () => Promise.resolve({ accept: { sessionId: 's', epoch: 1 } }),
    },
  );
  const sent = await new MessageStream(new MemoryStream(session.written), 1024).receive();
  return {
    connection,
    hello: established?.hello,
    answer: sent === undefined ? undefined : decodeFrame(sent),
  };
}

/** Bytes that a later release may send: what is marked as optional is passed over, the rest is refused by a clear code. */
describe('Bytes of a later release', () => {
  it('are kept by hand in test/golden/future.json, which only grows', () => {
    assert.ok(later.size >= 24);
  });

  describe('session frames', () => {
    it('with unknown fields are read without them', () => {
      const frame = decodeFrame(bytes('session: hello with unknown fields'));
      assert.ok(frame.body === 'hello');
      const { minVersion, maxVersion, purpose, node } = frame.hello;
      assert.deepEqual(
        { minVersion, maxVersion, purpose, node },
        { minVersion: 1, maxVersion: 2, purpose: 1, node: 'edge-1' },
      );
      assert.deepEqual(Object.keys(frame.hello).sort(), [
        'features',
        'maxVersion',
        'minVersion',
        'node',
        'purpose',
        'requiredFeatures',
      ]);
    });

    it('with an unknown body that is ignorable are passed over', async () => {
      const received = frames(
        'session: unknown body, ignorable',
        'session: ignorable before its body',
        'session: unknown scalar body, ignorable',
        'session: known body, ignorable',
      );
      assert.equal((await received.receive())?.body, 'bulkRequest');
      assert.equal(await received.receive(), undefined);
    });

    it('with an unknown body that is not are refused', async () => {
      await rejectsWith(frames('session: unknown body').receive(), 'ERR_TUNNEL_UNKNOWN_FRAME');
    });

    it('with nothing in them are refused', async () => {
      await rejectsWith(frames('session: nothing').receive(), 'ERR_TUNNEL_UNKNOWN_FRAME');
    });

    it('with two bodies count as the last', async () => {
      // Source: protobuf encoding, "Last One Wins".
      assert.equal((await frames('session: two bodies').receive())?.body, 'bulkRelease');
    });

    it('with numbers that would not be exact are refused', async () => {
      await rejectsWith(frames('session: epoch of 2^53').receive(), 'ERR_TUNNEL_BAD_FRAME');
      await rejectsWith(frames('session: epoch of 2^64-1').receive(), 'ERR_TUNNEL_BAD_FRAME');
    });

    it('have every 64-bit field of the schema checked', () => {
      const schema = readFileSync(
        new URL('../../../schema/hawser/tunnel/v1/session.proto', import.meta.url),
        'utf8',
      );
      const numbers = new Map(
        [...schema.matchAll(/^ {4}(\w+) \w+ = (\d+);$/gm)].map(([, type, field]) => [type, Number(field)]),
      );
      let checked = 0;
      for (const [, message = '', fields = ''] of schema.matchAll(/^message (\w+) \{\n([^}]*)^\}/gm)) {
        for (const [, field] of fields.matchAll(/\buint64 \w+ = (\d+);/g)) {
          const body = numbers.get(message);
          assert.ok(body, `${message} is in no frame`);
          // The field alone in its message: key, then 2^53 or 2^53-1 in eight bytes of varint.
          const of = (varint: string): Buffer =>
            Buffer.concat([Buffer.of((body << 3) | 2, 9, Number(field) << 3), Buffer.from(varint, 'hex')]);
          assert.throws(() => decodeFrame(of('8080808080808010')), RangeError, `${message}: ${field ?? ''}`);
          decodeFrame(of('ffffffffffffff0f'));
          checked += 1;
        }
      }
      assert.equal(checked, 8);
    });
  });

  describe('a hello', () => {
    it('with unknown fields is welcomed, at the version that both speak', async () => {
      const { hello, answer } = await greet('session: hello with unknown fields');
      assert.equal(hello?.node, 'edge-1');
      assert.ok(isFrame(answer, 'welcome'));
      assert.equal(answer.welcome['version'], 1);
    });

    for (const name of [
      'session: hello of an unknown purpose',
      'session: hello without a purpose',
      'session: hello of newer versions only',
    ]) {
      it(`(${name.slice(9)}) is told that the hub is too old for it`, async () => {
        const { connection, hello, answer } = await greet(name);
        assert.equal(hello, undefined);
        assert.ok(isFrame(answer, 'reject'));
        assert.equal(answer.reject['error'], 'ERR_TUNNEL_INCOMPATIBLE');
        assert.equal(answer.reject['code'], closeCodeToWire('incompatible'));
        assert.equal(connection.ended?.code, 'incompatible');
      });
    }
  });

  describe('connection frames', () => {
    const receive = (...names: readonly string[]): ReturnType<typeof nextFrame> =>
      nextFrame(new MessageStream(stream(...names.map(bytes)), 1024));

    it('with unknown fields are read without them', async () => {
      const frame = await receive('connection: ping with unknown fields');
      assert.ok(frame.body === 'ping');
      assert.equal(frame.ping, 1);
    });

    it('with an unknown body are passed over if they may be', async () => {
      const frame = await receive(
        'connection: unknown body, ignorable',
        'connection: ping with unknown fields',
      );
      assert.equal(frame.body, 'ping');
      await rejectsWith(receive('connection: unknown body'), 'ERR_TUNNEL_UNKNOWN_FRAME');
    });

    it('that close with an unknown code close', () => {
      const frame = decodeConnectionFrame(bytes('connection: close with an unknown code and field'));
      assert.ok(frame.body === 'close');
      assert.equal(closeCodeFromWire(frame.close.code), 'normal');
      assert.equal(frame.close.message, 'bye');
    });
  });

  it('at the head of a stream are read without unknown fields', () => {
    assert.equal(decodeStreamOpen(bytes('head: unknown fields')), 'logs');
  });

  it('that close with a code of later read as normal', () => {
    assert.deepEqual(decodeCloseReason(bytes('close: unknown code')), {
      code: 'normal',
      message: 'hi',
      by: 'remote',
    });
    assert.deepEqual(decodeCloseReason(bytes('close: negative code')), {
      code: 'normal',
      message: '',
      by: 'remote',
    });
    assert.deepEqual(decodeCloseReason(bytes('close: unknown fields')), {
      code: 'going-away',
      message: '',
      retryAfterMs: 5000,
      by: 'remote',
    });
  });

  it('that refuse with a code of later have a name for it all the same', () => {
    const frame = decodeFrame(bytes('session: reject with an unknown code'));
    assert.ok(frame.body === 'reject');
    assert.equal(closeCodeFromWire(frame.reject.code), 'normal');
    assert.equal(frame.reject.error, 'ERR_TUNNEL_OF_LATER');
  });

  it('of the multiplexer keep their frames apart', () => {
    const types = [...decodeMuxFrames(bytes('mux: ignorable type before data'))].map(({ type }) => type);
    assert.deepEqual(types, [0x80, 0xff, 2]);
    assert.ok(types.slice(0, 2).every((type) => type >= IGNORABLE_TYPES_FROM));
    const [unknown] = decodeMuxFrames(bytes('mux: type 8'));
    assert.ok(unknown && unknown.type < IGNORABLE_TYPES_FROM);
  });
});

function isFrame<Body extends string>(
  frame: unknown,
  body: Body,
): frame is Readonly<Record<Body, Readonly<Record<string, unknown>>>> {
  return typeof frame === 'object' && frame !== null && 'body' in frame && frame.body === body;
}
