import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { FakeClock, eventually } from '@hawser/seams/testing';
import {
  RouteDialer,
  TunnelClient,
  TunnelError,
  type Connection,
  type Route,
  type Transport,
  type TunnelErrorCode,
} from '../src/index.ts';
import { SessionSite, wsUnderTest } from '../testing/index.ts';

const HUB = { host: '192.0.2.1', port: 10_000 };

/** A transport whose dials fail as told. */
function failing(next: () => TunnelError): Transport {
  return {
    name: 'scripted',
    dial: () => Promise.reject(next()),
    listen: () => Promise.reject(new Error('not in this test')),
    close: () => Promise.resolve(),
  };
}

describe('TunnelClient between sessions', () => {
  const highest = { next: () => 1 - Number.EPSILON };

  /** The upper bounds of the first waits when every dial fails in this way. */
  async function waits(count: number, error: (attempt: number) => TunnelError): Promise<number[]> {
    const clock = new FakeClock();
    const seen: number[] = [];
    let attempts = 0;
    const client = new TunnelClient({
      routes: [{ transport: failing(() => error(attempts++)), hub: HUB }],
      hello: () => ({ node: 'edge-1', software: 'test' }),
      onTunnel: () => () => {},
      onDown: (_error, waitMs) => seen.push(Math.round(waitMs)),
      clock,
      random: highest,
    });
    client.start();
    while (seen.length < count) await clock.advance(70_000);
    await client.stop();
    assert.equal(clock.pendingTimers, 0);
    return seen.slice(0, count);
  }

  const fail =
    (code: TunnelErrorCode, retryAfterMs?: number): (() => TunnelError) =>
    () =>
      new TunnelError(code, 'scripted', retryAfterMs === undefined ? {} : { retryAfterMs });

  it('comes back within five seconds while the link is down', async () => {
    assert.deepEqual(await waits(6, fail('ERR_TUNNEL_DIAL')), [1000, 2000, 4000, 5000, 5000, 5000]);
  });

  it('spreads over a minute when the hub closes before TLS', async () => {
    assert.deepEqual(
      await waits(8, fail('ERR_TUNNEL_OVERLOADED')),
      [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000],
    );
  });

  it('spreads out step by step where a hub that was gone comes back to more than it can take', async () => {
    const codes = [...Array<TunnelErrorCode>(6).fill('ERR_TUNNEL_DIAL')];
    const error = (attempt: number): TunnelError => fail(codes[attempt] ?? 'ERR_TUNNEL_OVERLOADED')();
    assert.deepEqual(
      (await waits(12, error)).slice(5),
      [5000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000],
    );
  });

  it('waits up to a minute after a refusal that time alone does not heal', async () => {
    const codes: readonly TunnelErrorCode[] = [
      'ERR_TUNNEL_DIAL',
      'ERR_TUNNEL_DIAL',
      'ERR_TUNNEL_DIAL',
      'ERR_TUNNEL_CERT_REVOKED',
    ];
    const error = (attempt: number): TunnelError => fail(codes[attempt] ?? 'ERR_TUNNEL_CERT_REVOKED')();
    assert.deepEqual(await waits(7, error), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
  });

  it('stays away at least as long as the hub asks, within reason', async () => {
    assert.deepEqual(await waits(2, fail('ERR_TUNNEL_REJECTED', 20_000)), [21_000, 22_000]);
    const [wait = 0] = await waits(1, fail('ERR_TUNNEL_REJECTED', 2 ** 32 - 1));
    assert.ok(wait <= 11 * 60_000, `${wait} ms`);
  });

  it('jitters fully: two clients do not come back together', async () => {
    const clock = new FakeClock();
    const first: number[] = [];
    const clients = Array.from({ length: 200 }, () => {
      return new TunnelClient({
        routes: [{ transport: failing(fail('ERR_TUNNEL_DIAL')), hub: HUB }],
        hello: () => ({ node: 'edge-1', software: 'test' }),
        onTunnel: () => () => {},
        onDown: (_error, waitMs) => first.push(waitMs),
        clock,
      });
    });
    for (const client of clients) client.start();
    await clock.advance(0);
    assert.equal(first.length, 200);
    assert.ok(
      Math.min(...first) < 100 && Math.max(...first) > 900,
      'from none to the whole of the first second',
    );
    await Promise.all(clients.map((client) => client.stop()));
  });
});

describe('RouteDialer', () => {
  const never: Transport = {
    ...failing(() => new TunnelError('ERR_TUNNEL_DIAL', 'unused')),
    dial: (_hub, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error), {
          once: true,
        });
      }),
  };
  const connection = { transport: 'good' } as unknown as Connection;
  const good: Transport = { ...never, name: 'good', dial: () => Promise.resolve(connection) };
  const route = (transport: Transport): Route => ({ transport, hub: HUB });
  const live = new AbortController().signal;

  it('falls back from a silent route in time, and begins with what worked the next time', async () => {
    const dialer = new RouteDialer([route(never), route(good)], 50);
    const startedMs = performance.now();
    assert.equal(await dialer.dial(live), connection);
    assert.ok(performance.now() - startedMs < 1000);
    assert.equal(dialer.preferred.transport, good);
    const againMs = performance.now();
    await dialer.dial(live);
    assert.ok(performance.now() - againMs < 40, 'without waiting for the silent one');
  });

  it('says what became of each route when none works', async () => {
    const bad = failing(() => new TunnelError('ERR_TUNNEL_DIAL', 'no way through'));
    const dialer = new RouteDialer([
      route(bad),
      route(failing(() => new TunnelError('ERR_TUNNEL_OVERLOADED', 'full'))),
    ]);
    await assert.rejects(dialer.dial(live), {
      code: 'ERR_TUNNEL_OVERLOADED',
      message: /no way through; full/,
    });
  });

  it('ends with the signal, on the first route and on the last', async () => {
    const reason = new Error('stopping');
    for (const routes of [[route(never)], [route(never), route(good)]]) {
      const controller = new AbortController();
      const dialing = new RouteDialer(routes, 10_000).dial(controller.signal);
      controller.abort(reason);
      await assert.rejects(dialing, reason);
    }
  });

  it('needs a route', () => assert.throws(() => new RouteDialer([]), TypeError));
});

describe('auto: quic, then ws', function () {
  this.timeout(20_000);

  it('gets a session within the fall-back time where UDP does not pass', async () => {
    const site = await SessionSite.open(wsUnderTest);
    const swallow = createSocket('udp4').bind(0, '127.0.0.1');
    await once(swallow, 'listening');
    const { QuicTransport } = await import('../src/index.ts');
    const credentials = await site.authority.edge('edge-1');
    const quic = new QuicTransport({ credentials: () => credentials, limits: site.limits });
    try {
      const client = await site.client(
        {},
        {
          routes: [
            { transport: quic, hub: { host: '127.0.0.1', port: swallow.address().port } },
            { transport: await site.edgeTransport(), hub: { host: '127.0.0.1', port: site.port } },
          ],
        },
      );
      const startedMs = performance.now();
      client.start();
      await eventually('a session', () => client.state === 'connected', { deadlineMs: 10_000 });
      const afterMs = performance.now() - startedMs;
      assert.ok(afterMs < 4000, `${Math.round(afterMs)} ms`);
      assert.equal(client.tunnel?.transport, 'ws');
    } finally {
      await site.close();
      await quic.close();
      swallow.close();
    }
  });
});
