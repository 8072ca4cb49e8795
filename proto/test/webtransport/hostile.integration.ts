import assert from 'node:assert/strict';
import { connect as connectTls } from 'node:tls';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled, within } from '@hawser/seams/testing';
import { frameMessage, WebTransportTransport } from '../../src/index.ts';
import { encodeMuxFrame, FRAME } from '../../src/transport/mux/mux-frame.ts';
import { golden } from '../codec/golden.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { AttackedHub } from '../fuzz/attacked-hub.ts';
import { FUZZ_SEED } from '../fuzz/fuzz.ts';
import { GoodSession } from '../fuzz/good-session.ts';
import { hostileBytes } from '../fuzz/mutate.ts';
import { CAPSULE, capsule, RawClient, streamBytes, varint } from './raw-client.ts';

const MIB = 1024 * 1024;
const CONNECTIONS = scaled(60, 20_000);
const ATTACKERS = 6;
const NODES = 3;

/** What an unknown client does to a hub's port; the hub ends the connection. */
const BY_STRANGERS: Readonly<Record<string, (client: RawClient) => unknown>> = {
  'a close shorter than its code': (client) =>
    client.send(Buffer.concat([capsule(CAPSULE.close, Buffer.of(0, 0)), Buffer.alloc(8)])),
  datagrams: (client) => client.send(capsule(CAPSULE.datagram, Buffer.alloc(1000))),
  'a stream of the hub’s': (client) => client.send(streamBytes(Buffer.of(1), 0)),
  'a second stream': (client) => client.send(streamBytes(Buffer.of(1), 5)),
  'a stream one way': (client) => client.send(streamBytes(Buffer.of(1), 3)),
  'an end of the stream': (client) => client.send(capsule(CAPSULE.streamWithEnd, Buffer.of(1))),
  'a second session': (client) => client.request({}),
  'the end of the session': (client) => client.stream.end(),
  'an introduction that is too long': (client) => client.send(streamBytes(Buffer.from('8080808001', 'hex'))),
  'an introduction of noise': (client) => client.send(streamBytes(frameMessage(Buffer.alloc(50, 0xff)))),
  'frames before an introduction': (client) =>
    client.send(streamBytes(frameMessage(encodeMuxFrame(FRAME.streams, 0, Buffer.of(1))))),
};

/** What a client does that has proven who it is, and how its connection ends. */
const BY_EDGES: Readonly<Record<string, readonly [string, (client: RawClient) => unknown]>> = {
  'a capsule of no business': [
    'protocol-error',
    (client) => client.send(capsule(CAPSULE.drain, Buffer.alloc(0))),
  ],
  'a message without a byte': ['protocol-error', (client) => client.write(Buffer.of(0))],
  'a message of more than 128 KiB': ['limit-exceeded', (client) => client.write(Buffer.of(0x81, 0x80, 0x08))],
  'a ping of 126 bytes': [
    'protocol-error',
    (client) => client.write(frameMessage(Buffer.concat([Buffer.of(0x40), Buffer.alloc(126)]))),
  ],
  'a frame type that is not known': [
    'protocol-error',
    (client) => client.write(frameMessage(Buffer.of(9, 0, 0))),
  ],
  'a second introduction': [
    'protocol-error',
    (client) => client.write(frameMessage(golden('connection-frames').get('hello') ?? Buffer.alloc(0))),
  ],
};

describe('A hub over WebTransport, attacked from all sides', function () {
  this.timeout(scaled(60_000, 3_600_000));
  let hub: AttackedHub;
  let good: GoodSession;

  before(async () => {
    hub = await AttackedHub.open({
      create: (options) => new WebTransportTransport(options),
      limits: { handshakeTimeoutMs: 1000, closeTimeoutMs: 100 },
    });
    good = await GoodSession.start(hub);
  });

  after(async () => {
    await good.stop();
    await hub.close();
  });

  /** The attack has cost its own connection, and nothing else. */
  async function isOver(client: { readonly ended: Promise<unknown> }): Promise<void> {
    await within('the end of the attack', client.ended);
    await hub.settlesAt(1);
    const { echoes } = good;
    await eventually('the good session goes on', () => good.echoes > echoes);
  }

  for (const [name, attack] of Object.entries(BY_STRANGERS)) {
    it(`ends a stranger's connection for ${name}`, async () => {
      const client = await RawClient.connect(hub.port);
      client.send(streamBytes(Buffer.alloc(0)));
      attack(client);
      await isOver(client);
    });
  }

  for (const [name, headers] of Object.entries({
    'another path': { ':path': '/v1/other' },
    'a WebSocket': { ':protocol': 'websocket', 'sec-websocket-protocol': 'webtransport_kDraft1' },
    'a plain request': { ':method': 'GET', ':protocol': undefined },
  })) {
    it(`takes no ${name}`, async () => {
      await isOver(await RawClient.connect(hub.port, headers));
    });
  }

  it('takes no two sessions at once, whichever is lawful', async () => {
    const elsewhere = { ':path': '/v1/other' };
    for (const [first, ...more] of [
      [{}, {}],
      [elsewhere, {}],
      [{}, elsewhere],
      [elsewhere, elsewhere, elsewhere],
    ])
      await isOver(await RawClient.connect(hub.port, first, ...more));
  });

  it('takes no HTTP/1.1, and nobody who says nothing', async () => {
    for (const ALPNProtocols of [['http/1.1'], []]) {
      const tls = connectTls({ port: hub.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols });
      tls.on('error', () => {}); // its end is what counts
      await isOver({ ended: new Promise((resolve) => tls.once('close', resolve)) });
    }
    await isOver(await RawClient.connect(hub.port));
  });

  for (const [name, [reason, attack]] of Object.entries(BY_EDGES)) {
    it(`ends an edge's connection for ${name}: ${reason}`, async () => {
      const closed = await hub.closedFor(reason);
      const failed =
        (await hub.failedWith('ERR_TUNNEL_BAD_FRAME')) + (await hub.failedWith('ERR_TUNNEL_LIMIT'));
      const client = await RawClient.introduced(hub.port, await hub.edge('hostile-0'));
      attack(client);
      await isOver(client);
      const counted =
        (await hub.closedFor(reason)) -
        closed +
        (await hub.failedWith('ERR_TUNNEL_BAD_FRAME')) +
        (await hub.failedWith('ERR_TUNNEL_LIMIT')) -
        failed;
      assert.equal(counted, 1);
    });
  }

  it('answers no flood of pings that nobody reads', async () => {
    const client = await RawClient.introduced(hub.port, await hub.edge('hostile-0'));
    const ping = frameMessage(Buffer.of(0x40, 1, 2, 3));
    const flood = streamBytes(Buffer.concat(Array.from({ length: 10_000 }, () => ping)));
    for (let n = 0; n < 20 && client.isOpen; n++) client.send(flood);
    const { echoes } = good;
    await eventually('the good session goes on', () => good.echoes > echoes + 3);
    client.vanish();
    await isOver(client);
  });

  it(`keeps its other sessions and its memory, over ${CONNECTIONS} hostile connections`, async () => {
    const storm = async (connections: number, seed: number): Promise<void> => {
      const random = seededRandom(seed);
      let left = connections;
      const attackers = Array.from({ length: ATTACKERS }, async () => {
        while (left-- > 0) await attackOnce(hub, seededRandom(randomBelow(random, 2 ** 32)));
      });
      await Promise.all(attackers);
    };
    await storm(CONNECTIONS / 3, FUZZ_SEED + 1); // caches and compiled code have their size after this
    await hub.settlesAt(1);
    collectGarbage();
    const before = process.memoryUsage();

    await storm(CONNECTIONS, FUZZ_SEED);

    await hub.settlesAt(1);
    const { echoes } = good;
    await eventually('the good session goes on', () => good.echoes > echoes + 3);
    collectGarbage();
    const after = process.memoryUsage();
    const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(grownBytes < 8 * MIB, `memory grew by ${grownBytes} bytes`);
    const report = await good.stop();
    assert.ok(report.slowestMs < 3000, `an echo took ${report.slowestMs} ms`);
  });
});

const MESSAGES = [...golden('mux-frames').values(), ...golden('connection-frames').values()].map(
  frameMessage,
);
const CAPSULES = [
  ...MESSAGES.map((message) => streamBytes(message)),
  capsule(CAPSULE.maxData, varint(2 ** 24)),
  capsule(CAPSULE.close, Buffer.from('\0\0\0\x01bye', 'latin1')),
];

/** Noise in the capsules, or within lawful ones, from a stranger or from an edge. */
async function attackOnce(hub: AttackedHub, random: Random): Promise<void> {
  const isEdge = randomBelow(random, 3) > 0;
  const inCapsules = randomBelow(random, 2) === 0;
  const client = await RawClient.connect(hub.port);
  const edge = await hub.edge(`hostile-${randomBelow(random, NODES)}`);
  if (isEdge) await client.introduce(edge).catch(() => {}); // the hub has ended it
  for (let n = 0; n < 20 && client.isOpen; n++) {
    const bytes = hostileBytes(random, inCapsules ? CAPSULES : MESSAGES).subarray(0, 64 * 1024);
    client.send(inCapsules ? bytes : streamBytes(bytes));
  }
  if (randomBelow(random, 2) === 0) client.vanish();
  else setTimeout(() => client.vanish(), 50);
  await client.ended;
}
