import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSocket, type Socket } from 'node:dgram';
import { eventually } from '@hawser/seams/testing';
import { QuicTransport } from '../../src/index.ts';
import { AttackedHub } from '../fuzz/attacked-hub.ts';
import { GoodSession } from '../fuzz/good-session.ts';
import { quicClient } from './raw-quic-peer.ts';

const HALF_OPEN = 150; // more than maxHandshakes

/** A relay that carries what clients say to the hub, and swallows the answers. */
async function oneWayRelay(
  toPort: number,
): Promise<{ port: number; forwarded: () => number; sockets: readonly Socket[] }> {
  const [inside, outside] = [createSocket('udp4'), createSocket('udp4')];
  let forwarded = 0;
  inside.on('message', (datagram) => {
    forwarded += 1;
    outside.send(datagram, toPort, '127.0.0.1');
  });
  inside.bind(0, '127.0.0.1');
  await once(inside, 'listening');
  return { port: inside.address().port, forwarded: () => forwarded, sockets: [inside, outside] };
}

describe('A hub over QUIC, kept waiting', function () {
  this.timeout(30_000);

  it(`lets edges in while ${HALF_OPEN} strangers have begun a handshake and go no further`, async () => {
    const hub = await AttackedHub.open({ create: (options) => new QuicTransport(options) });
    const relay = await oneWayRelay(hub.port);
    const client = quicClient(await hub.edge('stranger'), hub.limits);
    const attempts = Array.from({ length: HALF_OPEN }, () =>
      client.outboundConnection('127.0.0.1', relay.port),
    );
    const outcomes = Promise.allSettled(attempts);
    await eventually('all have begun', () => relay.forwarded() >= HALF_OPEN);

    const startedMs = performance.now();
    const good = await GoodSession.start(hub);
    assert.ok(performance.now() - startedMs < 2500, 'an edge got in at the first attempt');
    await eventually('it works', () => good.echoes > 3);

    await good.stop();
    const stoppingMs = performance.now();
    await hub.close();
    assert.ok(performance.now() - stoppingMs < 2500, 'nor do they keep the hub from stopping');
    client.abort();
    assert.ok((await outcomes).every(({ status }) => status === 'rejected'));
    for (const socket of relay.sockets) socket.close();
  });
});
