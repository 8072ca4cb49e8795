import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { frameMessage, QuicTransport } from '../../src/index.ts';
import type { NativeClient } from '../../src/transport/quic/binding.ts';
import { golden } from '../codec/golden.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { connectionFrame, quicClient, RawQuicPeer, streamHead } from '../quic/raw-quic-peer.ts';
import { AttackedHub } from './attacked-hub.ts';
import { FUZZ_SEED } from './fuzz.ts';
import { GoodSession } from './good-session.ts';
import { hostileBytes, randomBytes } from './mutate.ts';

const CONNECTIONS = scaled(300, 6000);
const DATAGRAMS = scaled(20_000, 300_000);
const ATTACKERS = 6;
const MIB = 1024 * 1024;

const heads = [...golden('stream-heads').values(), ...golden('future').values()].map((head) =>
  frameMessage(head),
);
const connectionFrames = [...golden('connection-frames').values(), ...golden('future').values()].map(
  (frame) => frameMessage(frame),
);
const sessionFrames = [...golden('session-frames').values(), ...golden('future').values()].map((frame) =>
  frameMessage(frame),
);

type Attack = (peer: RawQuicPeer, random: Random) => Promise<void>;

/** Streams with hostile heads, some of which are lawful, reset or never finished. */
async function hostileStreams(peer: RawQuicPeer, random: Random): Promise<void> {
  for (let n = 0; n < 200 && peer.isOpen; n++) {
    const lawful = randomBelow(random, 20) > 0;
    const bytes = lawful
      ? streamHead(randomBelow(random, 2) === 0 ? 'echo' : 'gone')
      : hostileBytes(random, heads);
    const stream = await peer.open(bytes.subarray(0, 4096));
    if (randomBelow(random, 3) === 0) stream.resetWrite();
    else if (randomBelow(random, 2) === 0) stream.finishWrite();
    if (randomBelow(random, 2) === 0) stream.stopRead();
  }
}

/** Hostile frames on the connection stream, among lawful ones. */
async function hostileFrames(peer: RawQuicPeer, random: Random): Promise<void> {
  for (let n = 0; n < 300 && peer.isOpen; n++) {
    const lawful = randomBelow(random, 30) > 0;
    await peer.say(
      lawful ? connectionFrame({ ping: n }) : hostileBytes(random, connectionFrames).subarray(0, 4096),
    );
  }
}

/** Hostile frames on the session stream. */
async function hostileSession(peer: RawQuicPeer, random: Random): Promise<void> {
  const session = await peer.hello('hostile-0');
  for (let n = 0; n < 300 && peer.isOpen; n++) {
    const lawful = randomBelow(random, 30) > 0;
    const bytes = lawful ? (sessionFrames[8] ?? Buffer.alloc(0)) : hostileBytes(random, sessionFrames);
    await session.write(bytes.subarray(0, 4096)).catch(() => {}); // the hub has ended it
  }
}

/** Fills windows that nobody reads. */
async function fullWindows(peer: RawQuicPeer): Promise<void> {
  for (let n = 0; n < 20 && peer.isOpen; n++) {
    await peer.open(Buffer.concat([streamHead('hold'), Buffer.alloc(100 * 1024)]));
  }
}

const ATTACKS: readonly Attack[] = [hostileStreams, hostileFrames, hostileSession, fullWindows];

async function attackOnce(hub: AttackedHub, clients: readonly NativeClient[], random: Random): Promise<void> {
  const who = randomBelow(random, clients.length);
  const node = `hostile-${who}`;
  const client = clients[who];
  const attack = ATTACKS[randomBelow(random, ATTACKS.length)];
  assert.ok(client && attack);
  if (randomBelow(random, 4) === 0) {
    const peer = await RawQuicPeer.connect(
      client,
      hub.port,
      hostileBytes(random, connectionFrames).subarray(0, 4096),
    );
    peer.vanish();
    await peer.ended;
    return;
  }
  const peer = await RawQuicPeer.introduced(client, hub.port, await hub.edge(node));
  if (attack !== hostileSession) await peer.hello(node);
  await attack(peer, random).catch(() => {}); // the hub has ended the connection
  peer.vanish();
  await peer.ended;
}

/** Datagrams that are no QUIC, and some that begin like it. */
async function throwDatagrams(port: number, random: Random, count: number): Promise<void> {
  const socket = createSocket('udp4');
  for (let n = 0; n < count; n++) {
    const datagram = Buffer.concat([randomBytes(random, 40), Buffer.alloc(randomBelow(random, 1300))]);
    const form = randomBelow(random, 4);
    if (form < 2 && datagram.length > 6) {
      datagram[0] = form === 0 ? 0xc0 : 0x40; // long header of an Initial; short header
      datagram.writeUInt32BE(1, 1); // QUIC version 1
    }
    await new Promise<void>((resolve) => {
      socket.send(datagram, port, '127.0.0.1', () => resolve()); // an error is the kernel's: the datagram is lost
    });
  }
  await new Promise<void>((resolve) => socket.close(resolve));
}

describe('A hub over QUIC, attacked from all sides', function () {
  this.timeout(scaled(120_000, 3_600_000));

  let hub: AttackedHub;
  let good: GoodSession;
  let clients: readonly NativeClient[];

  before(async () => {
    hub = await AttackedHub.open({ create: (options) => new QuicTransport(options) });
    good = await GoodSession.start(hub);
    const nodes = ['hostile-0', 'hostile-1', 'hostile-2'];
    clients = await Promise.all(nodes.map(async (node) => quicClient(await hub.edge(node), hub.limits)));
  });

  after(async () => {
    await good.stop();
    for (const client of clients) client.abort();
    await hub.close();
  });

  it(`keeps its other sessions and its memory, over ${CONNECTIONS} connections and ${DATAGRAMS} datagrams`, async () => {
    const random = seededRandom(FUZZ_SEED);
    const storm = async (connections: number): Promise<void> => {
      let left = connections;
      const attackers = Array.from({ length: ATTACKERS }, async () => {
        while (left-- > 0) await attackOnce(hub, clients, seededRandom(randomBelow(random, 2 ** 32)));
      });
      await Promise.all(attackers);
    };
    await storm(CONNECTIONS / 5); // caches and compiled code have their size after this
    await hub.settlesAt(1);
    collectGarbage();
    const before = process.memoryUsage();

    await Promise.all([storm(CONNECTIONS), throwDatagrams(hub.port, random, DATAGRAMS)]);

    await hub.settlesAt(1);
    const echoes = good.echoes;
    await eventually('the good session goes on', () => good.echoes > echoes + 3);
    collectGarbage();
    const after = process.memoryUsage();
    const report = await good.stop();
    await hub.settlesAt(0);

    const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(grownBytes < 8 * MIB, `memory grew by ${grownBytes} bytes`);
    assert.ok(after.rss - before.rss < 128 * MIB, `resident memory grew by ${after.rss - before.rss} bytes`);
    assert.ok(report.slowestMs < 3000, `an echo took ${report.slowestMs} ms`);
  });
});
