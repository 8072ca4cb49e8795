import assert from 'node:assert/strict';
import { eventually, within } from '@hawser/seams/testing';
import {
  frameMessage,
  QuicTransport,
  type CloseCode,
  type Credentials,
  type TunnelErrorCode,
} from '../../src/index.ts';
import type { NativeClient } from '../../src/transport/quic/binding.ts';
import { golden } from '../codec/golden.ts';
import { AttackedHub } from '../fuzz/attacked-hub.ts';
import { GoodSession } from '../fuzz/good-session.ts';
import { connectionFrame, quicClient, RawQuicPeer, streamHead } from './raw-quic-peer.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const later = (name: string): Buffer => frameMessage(golden('future').get(name) ?? Buffer.alloc(0));
const TOO_LONG = frameMessage(Buffer.alloc(20_000));

/** Sent before the peer introduced itself. */
const STRANGERS: readonly (readonly [name: string, bytes: Buffer, code: TunnelErrorCode])[] = [
  ['garbage', hex('05ffffffffff'), 'ERR_TUNNEL_BAD_FRAME'],
  ['a ping', connectionFrame({ ping: 1 }), 'ERR_TUNNEL_BAD_FRAME'],
  ['an unknown frame', later('connection: unknown body'), 'ERR_TUNNEL_UNKNOWN_FRAME'],
  ['an endless length', hex('ffffffffffff'), 'ERR_TUNNEL_BAD_FRAME'],
  ['a frame that is too long', TOO_LONG, 'ERR_TUNNEL_LIMIT'],
  ['no certificate', connectionFrame({ hello: {} }), 'ERR_TUNNEL_CERT_MISSING'],
  [
    'a certificate that is none',
    connectionFrame({ hello: { certificates: [hex('3003020101')] } }),
    'ERR_TUNNEL_CERT_MALFORMED',
  ],
];

/** Sent in a session. */
const VIOLATIONS: readonly (readonly [
  name: string,
  expect: CloseCode,
  commit: (peer: RawQuicPeer) => Promise<unknown>,
])[] = [
  ['garbage on the connection stream', 'protocol-error', (peer) => peer.say(hex('05ffffffffff'))],
  ['a second introduction', 'protocol-error', (peer) => peer.say(connectionFrame({ hello: {} }))],
  [
    'an unknown frame on the connection stream',
    'protocol-error',
    (peer) => peer.say(later('connection: unknown body')),
  ],
  ['a frame on the connection stream that is too long', 'limit-exceeded', (peer) => peer.say(TOO_LONG)],
  ['a head that is not protobuf', 'protocol-error', (peer) => peer.open(hex('020aff'))],
  ['a head without a kind', 'protocol-error', (peer) => peer.open(hex('00'))],
  ['a kind with spaces', 'protocol-error', (peer) => peer.open(streamHead('a b'))],
  ['a head that is too long', 'limit-exceeded', (peer) => peer.open(streamHead('k'.repeat(200)))],
  ['an endless head', 'protocol-error', (peer) => peer.open(hex('ffffffffffff'))],
  [
    'a stream that ends within its head',
    'protocol-error',
    async (peer) => (await peer.open(hex('060a'))).finishWrite(),
  ],
  [
    'an acceptance after the introduction',
    'protocol-error',
    (peer) => peer.say(connectionFrame({ accepted: {} })),
  ],
];

describe('A hub over QUIC, given a violation', function () {
  this.timeout(30_000);
  let hub: AttackedHub;
  let good: GoodSession;
  let credentials: Credentials;
  let client: NativeClient;

  before(async () => {
    hub = await AttackedHub.open({ create: (options) => new QuicTransport(options) });
    good = await GoodSession.start(hub);
    credentials = await hub.edge('hostile');
    client = quicClient(credentials, hub.limits);
  });

  after(async () => {
    try {
      const { echoes, slowestMs } = await good.stop();
      assert.ok(echoes > 20, `${echoes} echoes`);
      assert.ok(slowestMs < 3000, `an echo took ${slowestMs} ms`);
    } finally {
      client.abort();
      await hub.close();
    }
  });

  for (const [name, bytes, code] of STRANGERS) {
    it(`from a stranger: ${name} → ${code}`, async () => {
      const failedBefore = await hub.failedWith(code);
      const peer = await RawQuicPeer.connect(client, hub.port, bytes);
      await within('the end', peer.ended);
      await hub.settlesAt(1);
      assert.equal((await hub.failedWith(code)) - failedBefore, 1);
      if (code.startsWith('ERR_TUNNEL_CERT_')) assert.deepEqual(peer.heard, ['refused']);
    });
  }

  for (const [name, expect, commit] of VIOLATIONS) {
    it(`in a session: ${name} → ${expect}`, async () => {
      const peer = await RawQuicPeer.introduced(client, hub.port, credentials);
      await peer.hello('hostile');
      await hub.settlesAt(2);
      const closedBefore = await hub.closedFor(expect);
      await commit(peer);
      const reason = await within('the end', peer.ended);
      assert.ok(reason, 'the hub says why');
      assert.equal(reason.code, expect, reason.message);
      assert.match(reason.message, /^ERR_TUNNEL_/);
      await hub.settlesAt(1);
      assert.equal((await hub.closedFor(expect)) - closedBefore, 1);
    });
  }

  it('leaves a session alone that resets streams before their heads, or sends heads byte by byte', async () => {
    const peer = await RawQuicPeer.introduced(client, hub.port, credentials);
    await peer.hello('hostile');
    await hub.settlesAt(2);
    for (let i = 0; i < 50; i++) (await peer.open(hex('06'))).resetWrite();
    const head = streamHead('echo');
    const slow = await peer.open(head.subarray(0, 1));
    for (const byte of head.subarray(1)) await slow.write(Buffer.of(byte));
    await slow.write(Buffer.from('hello'));
    slow.finishWrite();
    assert.equal(Buffer.from((await slow.read(100)) ?? []).toString(), 'hello');
    await peer.say(later('connection: unknown body, ignorable'));
    await peer.say(connectionFrame({ ping: 7 }));
    await eventually('the ping is answered', () => peer.heard.includes('pong'));
    peer.vanish();
    await hub.settlesAt(1);
  });

  it('ends a session whose connection stream ends', async () => {
    const peer = await RawQuicPeer.introduced(client, hub.port, credentials);
    await peer.hello('hostile');
    await hub.settlesAt(2);
    peer.fallSilent();
    await within('the end', peer.ended);
    await hub.settlesAt(1);
  });
});
