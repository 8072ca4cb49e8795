import assert from 'node:assert/strict';
import { delay } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import type { CloseReason } from '../../src/index.ts';
import type { TestAuthority } from '../test-pki.ts';
import { drain, openPair, rejectsWith, Site, type TransportUnderTest } from './harness.ts';

const BYE: CloseReason = { code: 'going-away', message: 'until tomorrow — ünïcode', retryAfterMs: 1234 };

/** Beginning and end: dial, ping, close, destroy, admission, and every order of stopping. */
export function lifecycleContract(underTest: TransportUnderTest, authority: () => TestAuthority): void {
  let site: Site;

  afterEach(() => site.close());

  it('measures a round trip, also for several who ask at once', async () => {
    site = await Site.open(underTest, authority());
    const { edge, hub } = await site.connect();
    const times = await within('pongs', Promise.all([edge.ping(), edge.ping(), hub.ping()]));
    for (const ms of times) assert.ok(ms > 0 && ms < 1000, `${ms} ms`);
    assert.ok((await edge.ping()) > 0);
  });

  for (const side of ['edge', 'hub'] as const) {
    it(`ends in good order from the ${side}: the other side learns why`, async () => {
      site = await Site.open(underTest, authority());
      const ends = await site.connect();
      const [near, far] = side === 'edge' ? [ends.edge, ends.hub] : [ends.hub, ends.edge];
      const streams = await openPair(near, far);
      const blocked = streams.near.write(Buffer.alloc(4 * 1024 * 1024));
      const reading = drain(streams.far).catch(() => 'freed');
      const accepting = near.acceptStream();
      const closing = near.close(BYE);
      await rejectsWith(blocked, 'ERR_TUNNEL_CLOSED');
      assert.equal(await within('reader freed', reading), 'freed');
      assert.equal(await accepting, undefined);
      assert.deepEqual(await within('far closed', far.closed), { ...BYE, by: 'remote' });
      assert.deepEqual(await near.closed, { ...BYE, by: 'local' });
      await within('close', closing);
      await rejectsWith(near.openStream('late'), 'ERR_TUNNEL_CLOSED');
      await rejectsWith(far.openStream('late'), 'ERR_TUNNEL_CLOSED');
      await rejectsWith(near.ping(), 'ERR_TUNNEL_CLOSED');
      assert.equal(await far.acceptStream(), undefined);
      await eventually('its place is free', () => site.gate.connections === 0);
    });
  }

  it('can be closed again and again, from both sides at once', async () => {
    site = await Site.open(underTest, authority());
    const { edge, hub } = await site.connect();
    await within(
      'all closes',
      Promise.all([edge.close(BYE), hub.close(BYE), edge.close(BYE), hub.close(BYE)]),
    );
    await edge.close(BYE);
    edge.destroy(BYE);
    hub.destroy(BYE);
  });

  it('can be destroyed at once, and the other side notices', async () => {
    site = await Site.open(underTest, authority());
    const { edge, hub } = await site.connect();
    const stream = await edge.openStream('x');
    const reading = stream.read();
    const pinging = hub.ping().catch(() => 0);
    edge.destroy({ code: 'heartbeat-timeout', message: 'silence' });
    assert.equal((await edge.closed).code, 'heartbeat-timeout');
    await rejectsWith(reading, 'ERR_TUNNEL_HEARTBEAT_TIMEOUT');
    assert.equal((await within('hub closed', hub.closed)).code, 'connection-lost');
    await pinging;
  });

  it('closes in time though the peer does not read', async () => {
    site = await Site.open(underTest, authority(), { limits: { closeTimeoutMs: 300 } });
    const { edge, hub } = await site.connect();
    const streams = await Promise.all(Array.from({ length: 20 }, () => edge.openStream('flood')));
    const writes = streams.map((stream) => stream.write(Buffer.alloc(2 * 1024 * 1024)).catch(() => 'failed'));
    await delay(50);
    await within('close', edge.close(BYE), 3000);
    await Promise.all(writes);
    await within('hub closed', hub.closed);
  });

  it('dial fails clearly when nobody listens', async () => {
    site = await Site.open(underTest, authority(), { limits: { connectTimeoutMs: 500 } });
    const transport = await site.edgeTransport();
    await rejectsWith(transport.dial({ host: '127.0.0.1', port: 9 }), 'ERR_TUNNEL_DIAL');
    await rejectsWith(transport.dial({ host: 'no-such-host.invalid', port: 9 }), 'ERR_TUNNEL_DIAL');
  });

  it('dial can be given up, before and during', async () => {
    site = await Site.open(underTest, authority());
    const reason = new Error('given up');
    const transport = await site.edgeTransport();
    await assert.rejects(transport.dial(site.address, { signal: AbortSignal.abort(reason) }), reason);
    for (const afterMs of [0, 1, 3, 6, 10, 15]) {
      const controller = new AbortController();
      const dialing = transport.dial(site.address, { signal: controller.signal }).then(
        (connection) => connection.destroy(BYE),
        (error: unknown) => assert.equal(error, reason),
      );
      await delay(afterMs);
      controller.abort(reason);
      await within('the dial', dialing);
    }
    await eventually('no place is held', () => site.gate.connections === 0);
  });

  it('a hub with too many handshakes turns dialers away, and takes them later', async () => {
    site = await Site.open(underTest, authority(), { limits: { maxConnections: 2 } });
    const transport = await site.edgeTransport();
    const first = await site.connect(transport);
    const second = await site.connect(transport);
    await rejectsWith(transport.dial(site.address), 'ERR_TUNNEL_OVERLOADED');
    assert.equal(site.gate.refused.get('connections'), 1);
    await first.edge.close(BYE);
    await second.hub.close(BYE);
    await eventually('the places are free', () => site.gate.connections === 0);
    const third = await site.connect(transport);
    assert.ok((await third.edge.ping()) > 0);
  });

  it('a listener that closes leaves its connections, and turns new dialers away', async () => {
    site = await Site.open(underTest, authority(), { limits: { connectTimeoutMs: 500 } });
    const transport = await site.edgeTransport();
    const { edge, hub } = await site.connect(transport);
    const closing = site.listener.close();
    await rejectsWith(transport.dial(site.address), 'ERR_TUNNEL_DIAL', 'ERR_TUNNEL_OVERLOADED');
    assert.ok((await edge.ping()) > 0);
    await hub.close(BYE);
    await within('the listener', closing);
  });

  it('a port that is taken is named in the error', async () => {
    site = await Site.open(underTest, authority());
    const again = site.hubTransport.listen({
      ...site.address,
      gate: site.gate,
      onConnection: () => Promise.resolve(),
    });
    await rejectsWith(again, 'ERR_TUNNEL_DIAL');
    await again.catch((error: unknown) => assert.match(String(error), new RegExp(String(site.address.port))));
  });

  it('an error of the hub in taking a connection ends that one only', async () => {
    let failures = 1;
    const onConnection = (): Promise<void> =>
      failures-- > 0 ? Promise.reject(new Error('no room')) : Promise.resolve();
    site = await Site.open(underTest, authority(), { onConnection });
    const transport = await site.edgeTransport();
    const unlucky = await transport.dial(site.address);
    await within('its end', unlucky.closed);
    const { edge } = await site.connect(transport);
    assert.ok((await edge.ping()) > 0);
    assert.match(String(site.handshakeErrors[0]), /no room/);
    await eventually('one place is held', () => site.gate.connections === 1);
  });

  for (const order of permutations(['edge', 'hub', 'listener', 'transport'] as const)) {
    it(`stops in the order ${order.join(', ')}`, async () => {
      site = await Site.open(underTest, authority(), { limits: { closeTimeoutMs: 200 } });
      const transport = await site.edgeTransport();
      const { edge, hub } = await site.connect(transport);
      const { near, far } = await openPair(edge, hub);
      await near.write(Buffer.from('some bytes'));
      const pending = [far.read(), near.read(), edge.acceptStream(), hub.acceptStream(), hub.ping()];
      for (const promise of pending) promise.catch(() => 'freed');
      const steps: Record<(typeof order)[number], () => Promise<void>> = {
        edge: () => edge.close(BYE),
        hub: () => hub.close(BYE),
        listener: () => site.listener.close(),
        transport: () => transport.close(),
      };
      const stopping: Promise<void>[] = [];
      for (const step of order) {
        stopping.push(steps[step]());
        await delay(1);
      }
      await within('every step', Promise.all(stopping), 8000);
      await within('both ends', Promise.all([edge.closed, hub.closed]));
      await within('everything that waited', Promise.allSettled(pending));
      assert.equal(site.gate.connections, 0);
    });
  }
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
