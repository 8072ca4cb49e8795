import assert from 'node:assert/strict';
import { within } from '@hawser/seams/testing';
import { WsTransport, type CloseCode } from '../../src/index.ts';
import { encodeCredit, encodeMuxFrame, FRAME } from '../../src/transport/mux/mux-frame.ts';
import { golden } from '../codec/golden.ts';
import { AttackedHub } from '../fuzz/attacked-hub.ts';
import { GoodSession } from '../fuzz/good-session.ts';
import { dataFrame, openFrame, RawPeer, SESSION } from './raw-peer.ts';

/** One way to break the protocol. */
interface Violation {
  readonly name: string;
  readonly expect: CloseCode;
  /** Sends it; the session is up. */
  readonly commit: (peer: RawPeer) => void | Promise<void>;
  /** The WebSocket's own code where the WebSocket finds it; otherwise the hub's CLOSE carries the code. */
  readonly wsCode?: number;
}

const KIB = 1024;
const protocolError = (name: string, ...frames: readonly Buffer[]): Violation => ({
  name,
  expect: 'protocol-error',
  commit: (peer) => peer.send(...frames),
});
const limitExceeded = (name: string, ...frames: readonly Buffer[]): Violation => ({
  ...protocolError(name, ...frames),
  expect: 'limit-exceeded',
});
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const sessionBytes = (text: string): Buffer => dataFrame(SESSION, hex(text));
const hold = openFrame(3, 'hold');

const VIOLATIONS: readonly Violation[] = [
  protocolError('data on a stream that was never opened', dataFrame(99, Buffer.from('x'))),
  protocolError('data on stream 0', dataFrame(0, Buffer.from('x'))),
  protocolError('data on a stream that only the hub may open', dataFrame(2, Buffer.from('x'))),
  protocolError(
    'window for a stream that was never opened',
    encodeMuxFrame(FRAME.window, 99, encodeCredit(1)),
  ),
  protocolError('reset of a stream that was never opened', encodeMuxFrame(FRAME.reset, 99)),
  protocolError('a stream with an id of the hub', openFrame(2, 'hold')),
  protocolError('a stream with id 0', openFrame(0, 'hold')),
  protocolError('a stream opened twice', hold, hold),
  protocolError('ids that go back', openFrame(9, 'hold'), openFrame(7, 'hold')),
  protocolError('a stream without a kind', encodeMuxFrame(FRAME.open, 3)),
  protocolError('a kind with spaces', openFrame(3, 'a b')),
  protocolError('a head that is not protobuf', encodeMuxFrame(FRAME.open, 3, hex('0aff'))),
  protocolError('an end after the end', hold, encodeMuxFrame(FRAME.end, 3), encodeMuxFrame(FRAME.end, 3)),
  protocolError('a window of nothing', hold, encodeMuxFrame(FRAME.window, 3, hex('00'))),
  protocolError('a window without a number', hold, encodeMuxFrame(FRAME.window, 3)),
  protocolError('a window with more than a number', hold, encodeMuxFrame(FRAME.window, 3, hex('0101'))),
  protocolError('an overlong number', hex('0281000158')),
  protocolError('a frame type that is not known', golden('future').get('mux: type 8') ?? Buffer.alloc(0)),
  protocolError('a message that ends within a frame', hex('020105aabb')),
  protocolError('a CLOSE that is not protobuf', encodeMuxFrame(FRAME.close, 0, hex('12ff'))),
  { name: 'an empty message', expect: 'protocol-error', commit: (peer) => peer.send() },
  { name: 'a text message', expect: 'protocol-error', commit: (peer) => peer.socket.send('hello') },
  limitExceeded('a byte more than the window', hold, dataFrame(3, Buffer.alloc(64 * KIB))),
  limitExceeded('data after the end', hold, encodeMuxFrame(FRAME.end, 3), dataFrame(3, Buffer.from('x'))),
  limitExceeded(
    'more streams than there is credit for',
    ...Array.from({ length: 129 }, (_, i) => openFrame(3 + 2 * i, 'hold')),
  ),
  limitExceeded('a window beyond 2 GiB', hold, encodeMuxFrame(FRAME.window, 3, encodeCredit(2 ** 31 - 1))),
  limitExceeded('stream credit beyond reason', encodeMuxFrame(FRAME.streams, 0, encodeCredit(2 ** 20))),
  protocolError('a second hello', sessionBytes('020a00')),
  protocolError('a session frame of the hub', sessionBytes('021200')),
  protocolError('a session frame that is not protobuf', sessionBytes('02ffff')),
  protocolError('a session frame with nothing in it', sessionBytes('00')),
  protocolError('a session frame that is not known', sessionBytes('03fa7f00')),
  protocolError('a session frame with a number that is not exact', sessionBytes('0b4209108080808080808010')),
  protocolError('an endless length', sessionBytes('ffffffffffff')),
  limitExceeded('a session frame above maxFrameBytes', sessionBytes('8180800280')),
  {
    name: 'a message of more than 128 KiB',
    expect: 'limit-exceeded',
    commit: (peer) => peer.send(encodeMuxFrame(0x80, 0, Buffer.alloc(128 * KIB))),
    wsCode: 1009,
  },
  {
    name: 'a message in hundreds of fragments',
    expect: 'limit-exceeded',
    commit: (peer) => {
      for (let i = 0; i < 200; i++) peer.socket.send(Buffer.of(0x80), { fin: false });
    },
    wsCode: 1008,
  },
  {
    name: 'a message that trickles in by bytes',
    expect: 'limit-exceeded',
    commit: async (peer) => {
      peer.sendRaw(hex('82fe7fff00000000')); // 32,767 bytes are announced, with a mask of zeros
      for (let i = 0; i < 2000 && peer.isOpen; i++) {
        peer.sendRaw(Buffer.of(1));
        await new Promise((resolve) => setImmediate(resolve)); // a TLS record each
      }
    },
    wsCode: 1008,
  },
  {
    name: 'a WebSocket frame with reserved bits',
    expect: 'protocol-error',
    commit: (peer) => peer.sendRaw(hex('f28000000000')),
    wsCode: 1002,
  },
  {
    name: 'a WebSocket frame without a mask',
    expect: 'protocol-error',
    commit: (peer) => peer.sendRaw(hex('8201ff')),
    wsCode: 1002,
  },
  {
    name: 'a WebSocket frame of 2^63 bytes',
    expect: 'limit-exceeded',
    commit: (peer) => peer.sendRaw(hex('82ff7fffffffffffffff00000000')),
    wsCode: 1009,
  },
];

describe('A hub over WebSocket, given a violation', function () {
  this.timeout(30_000);
  let hub: AttackedHub;
  let good: GoodSession;

  before(async () => {
    hub = await AttackedHub.open({
      create: (options) => new WsTransport(options),
      limits: { streamWindowBytes: 64 * KIB - 1 },
    });
    good = await GoodSession.start(hub);
  });

  after(async () => {
    try {
      const { echoes, slowestMs } = await good.stop();
      assert.ok(echoes > VIOLATIONS.length, `${echoes} echoes`);
      assert.ok(slowestMs < 3000, `an echo took ${slowestMs} ms`);
    } finally {
      await hub.close();
    }
  });

  for (const { name, expect, commit, wsCode } of VIOLATIONS) {
    it(`${name} → ${expect}`, async () => {
      const peer = await RawPeer.connect(hub.port, await hub.edge('hostile'));
      peer.hello('hostile');
      await hub.settlesAt(2);
      const before = await hub.closedFor(expect);
      await commit(peer);
      const end = await within('the end', peer.ended);
      if (wsCode === undefined) {
        assert.ok(end.reason, 'the hub says why');
        assert.equal(end.reason.code, expect, end.reason.message);
        assert.match(
          end.reason.message,
          /^ERR_TUNNEL_/,
          'the message has the code that docs/errors.md explains',
        );
      } else {
        // Whether the hub's last words arrive depends on what is still under way when it closes.
        assert.ok([wsCode, 1006].includes(end.wsCode), `WebSocket code ${end.wsCode}`);
      }
      await hub.settlesAt(1);
      assert.equal((await hub.closedFor(expect)) - before, 1, 'the metric counts it under the reason');
    });
  }

  it('before the hello → the same, counted as a handshake that failed', async () => {
    for (const [bytes, code] of [
      [dataFrame(99, Buffer.from('x')), 'ERR_TUNNEL_BAD_FRAME'],
      [openFrame(1, 'hold'), 'ERR_TUNNEL_BAD_FRAME'],
      [Buffer.concat([openFrame(1, 'session'), sessionBytes('021200')]), 'ERR_TUNNEL_BAD_FRAME'],
      [Buffer.concat([openFrame(1, 'session'), sessionBytes('03fa7f00')]), 'ERR_TUNNEL_UNKNOWN_FRAME'],
      [Buffer.concat([openFrame(1, 'session'), sessionBytes('818004')]), 'ERR_TUNNEL_LIMIT'],
    ] as const) {
      const before = await hub.failedWith(code);
      const peer = await RawPeer.connect(hub.port, await hub.edge('hostile'));
      peer.send(bytes);
      const { reason } = await within('the end', peer.ended);
      assert.equal(reason?.code, code === 'ERR_TUNNEL_LIMIT' ? 'limit-exceeded' : 'protocol-error');
      assert.match(reason.message, new RegExp(`^${code}`));
      assert.equal((await hub.failedWith(code)) - before, 1);
    }
    await hub.settlesAt(1);
  });

  it('of the end of the session stream → normal', async () => {
    const peer = await RawPeer.connect(hub.port, await hub.edge('hostile'));
    peer.hello('hostile');
    await hub.settlesAt(2);
    peer.send(encodeMuxFrame(FRAME.end, SESSION));
    assert.equal((await within('the end', peer.ended)).reason?.code, 'normal');
    await hub.settlesAt(1);
  });
});
