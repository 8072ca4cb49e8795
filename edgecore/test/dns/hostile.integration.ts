import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryStore } from '@hawser/kube';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { encode } from 'dns-packet';
import { readQuery } from '../../src/dns/query.ts';
import { lifetimeOf, recordsOf } from '../../src/dns/raw-answer.ts';
import { passOn } from '../../src/dns/reply.ts';
import { fillCluster } from './cluster-objects.ts';
import { lines, queryBytes, read, sendUdp, TcpTalk } from './dns-client.ts';
import { startDns, type DnsSite } from './dns-site.ts';
import { address, GivenUpstream, startOfAuthority } from './given-upstream.ts';

const NAMES = [
  'kubernetes.default.svc.cluster.local',
  '_https._tcp.headless.default.svc.cluster.local',
  'headless.default.svc.cluster.local',
  'foo.default.svc.cluster.local',
  'www.example.com',
  '1.0.3.10.in-addr.arpa',
  '10-1-2-3.default.pod.cluster.local',
];
const TYPES = ['A', 'AAAA', 'SRV', 'PTR', 'TXT', 'CNAME', 'SOA', 'NS', 'AXFR'] as const;

/** A query that was changed in a few places, cut, made longer, or is made of nothing but chance. */
function hostile(random: Random): Buffer {
  const pick = <T>(items: readonly T[]): T => items[randomBelow(random, items.length)] as T; // never empty
  if (random.next() < 0.1) return bytesOf(random, randomBelow(random, 600));
  const edns = random.next() < 0.5 ? { udpBytes: randomBelow(random, 65_536) } : {};
  let bytes = queryBytes({ name: pick(NAMES), type: pick(TYPES), id: randomBelow(random, 65_536), ...edns });
  for (let changes = randomBelow(random, 6); changes > 0; changes -= 1) {
    bytes[randomBelow(random, bytes.length)] = pick([0, 1, 0x3f, 0x40, 0xc0, 0xff, randomBelow(random, 256)]);
  }
  if (random.next() < 0.2) bytes = bytes.subarray(0, randomBelow(random, bytes.length));
  if (random.next() < 0.2) bytes = Buffer.concat([bytes, bytesOf(random, randomBelow(random, 1400))]);
  return bytes;
}

function bytesOf(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => randomBelow(random, 256)));
}

describe('hostile packets', function () {
  this.timeout(scaled(30_000, 600_000));

  let site: DnsSite;
  let upstream: GivenUpstream;

  beforeEach(async () => {
    upstream = new GivenUpstream(() => ({ answers: [address('www.example.com', '192.0.2.1')] }));
    const upstreamPort = await upstream.open();
    const store = new MemoryStore();
    await fillCluster(store);
    site = await startDns({ store, upstreamPort });
  });
  afterEach(async () => {
    await site.server.stop();
    await upstream.close();
  });

  /** Packets may have been lost: whoever asks, asks again. */
  async function isWell(): Promise<void> {
    for (const [name, data] of [
      ['kubernetes.default.svc.cluster.local', '10.3.0.1'],
      ['www.example.com', '192.0.2.1'],
    ] as const) {
      await eventually(`${name} is found`, async () => {
        const reply = await sendUdp(site.at, queryBytes({ name, type: 'A' }), 200).catch(() => undefined);
        return reply !== undefined && lines(read(reply).answers).join().endsWith(` A ${data}`);
      });
    }
  }

  it('over UDP do no harm, and what is answered is an answer', async () => {
    const random = seededRandom(20_261_122);
    const socket = createSocket('udp4');
    let answers = 0;
    socket.on('message', (message) => {
      answers += 1;
      assert.ok(message.length >= 12 && message.length <= 1232, String(message.length));
      assert.ok((message.readUInt16BE(2) & 0x8000) !== 0);
    });
    const total = scaled(3000, 1_000_000);
    for (let sent = 0; sent < total; sent += 1) {
      const bytes = hostile(random);
      if (sent % 20 === 0) await nextTurn();
      await new Promise<void>((resolve) => {
        socket.send(bytes, site.at.port, site.at.host, () => resolve());
      });
    }
    await isWell();
    await eventually('much of it was answered', () => answers > total / 4);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    await isWell();
  });

  it('over TCP do no harm', async () => {
    const random = seededRandom(7);
    for (let count = 0; count < scaled(100, 20_000); count += 1) {
      const talk = await TcpTalk.open(site.at);
      const bytes = hostile(random);
      if (random.next() < 0.5) talk.send(bytes);
      else talk.raw(bytes);
      talk.send(queryBytes({ name: 'cluster.local', type: 'SOA' }));
      // An answer, an end, or nothing: it waits for the rest of what was begun.
      await talk.next(20).catch(() => {});
      talk.close();
    }
    await isWell();
  });

  it('that point at themselves take no time', () => {
    // Additional records whose names are pointers to pointers: whoever follows them does it for long.
    const pointers = Array.from({ length: 1900 }, (_, index) => Buffer.of(0xc0 | (index >> 8), index & 0xff));
    const query = queryBytes({ name: 'a', type: 'A' });
    query.writeUInt16BE(4, 10);
    const startedMs = performance.now();
    for (let index = 0; index < 1000; index += 1) readQuery(Buffer.concat([query, ...pointers]));
    assert.ok(performance.now() - startedMs < 2000);
  });

  it('of a server that is asked do no harm', () => {
    const random = seededRandom(99);
    const query =
      readQuery(queryBytes({ name: 'www.example.com', type: 'A', udpBytes: 1232 })) ?? assert.fail();
    const whole = encode({
      ...{ type: 'response', id: 1, flags: 0x0180, questions: [{ type: 'A', name: 'www.example.com' }] },
      answers: [
        { type: 'CNAME', name: 'www.example.com', ttl: 5, data: 'a.example.com' },
        address('a.example.com', '192.0.2.1'),
        { type: 'SRV', name: 'a.example.com', ttl: 1, data: { port: 1, target: 'b.example.com' } },
        { type: 'TXT', name: 'a.example.com', ttl: 1, data: ['x', 'y'] },
      ],
      authorities: [startOfAuthority('example.com', 5)],
    });
    for (let count = 0; count < scaled(4000, 1_000_000); count += 1) {
      let bytes = Buffer.from(whole);
      for (let changes = 1 + randomBelow(random, 8); changes > 0; changes -= 1) {
        bytes[randomBelow(random, bytes.length)] = randomBelow(random, 256);
      }
      if (random.next() < 0.3) bytes = bytes.subarray(0, 12 + randomBelow(random, bytes.length - 12));
      const { ttl } = lifetimeOf(bytes);
      assert.ok(ttl >= 0 && ttl <= 300);
      for (const record of recordsOf(bytes) ?? []) assert.ok(record.name.length <= 253);
      const reply = passOn(query, bytes, 'udp');
      assert.equal(reply.readUInt16BE(0), query.id);
      assert.ok(reply.length <= 1232);
    }
    assert.equal(read(passOn(query, whole, 'udp')).answers?.length, 4);
  });
});
