import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { delay } from '@hawser/seams';
import { eventually, scaled, within } from '@hawser/seams/testing';
import type { CloseReason, Stream, Tunnel } from '@hawser/proto';
import { TunnelSite, type SiteEdge, type TransportName, type TunnelSiteOptions } from '../src/index.ts';

const HEARTBEAT_MS = 2000;
const TRANSPORTS: readonly TransportName[] = ['ws', 'quic'];

// What a network and a peer can do to a tunnel: the part of the transports' contract that needs a hub in a process
// of its own and a line that can be cut. One edge on each transport, over the same line at the same time.
describe('tunnel faults', function () {
  this.timeout(90_000);
  let site: TunnelSite;
  let edges: SiteEdge[];

  async function open(options: TunnelSiteOptions = {}): Promise<Tunnel[]> {
    site = await TunnelSite.open({ ...options, limits: { connectTimeoutMs: 1000 } });
    edges = await Promise.all(TRANSPORTS.map((transport) => site.edge(transport, `edge-${transport}`)));
    return all(connected);
  }

  /** Does something with both edges at once; a failure names the transport. */
  function all<T>(work: (edge: SiteEdge, index: number) => Promise<T>): Promise<T[]> {
    return Promise.all(
      edges.map(async (edge, index) => {
        try {
          return await work(edge, index);
        } catch (error) {
          throw new Error(`over ${edge.transport.name}: ${String(error)}`, { cause: error });
        }
      }),
    );
  }

  async function connected(edge: SiteEdge): Promise<Tunnel> {
    await eventually('a session', () => edge.client.state === 'connected', { deadlineMs: 20_000 });
    assert.ok(edge.client.tunnel);
    return edge.client.tunnel;
  }

  function ends(tunnels: Tunnel[]): Promise<{ reason: CloseReason; afterMs: number }[]> {
    const startedMs = performance.now();
    return all(async (_edge, index) => {
      const tunnel = tunnels[index];
      assert.ok(tunnel);
      const reason = await within('the end of the session', tunnel.closed, 4 * HEARTBEAT_MS);
      return { reason, afterMs: performance.now() - startedMs };
    });
  }

  afterEach(() => site.close());

  it('a frozen hub is noticed within three heartbeats, and found again when it goes on', async () => {
    const tunnels = await open();
    await site.hub.freeze();
    for (const { reason, afterMs } of await ends(tunnels)) {
      assert.equal(reason.code, 'heartbeat-timeout');
      assert.ok(afterMs <= 3 * HEARTBEAT_MS, `noticed after ${Math.round(afterMs)} ms`);
    }
    site.hub.thaw();
    await all(async (edge, index) => {
      assert.ok((await connected(edge)).info.epoch > (tunnels[index]?.info.epoch ?? 0));
    });
  });

  it('a peer that falls silent is noticed by the hub within three heartbeats', async () => {
    await open();
    await site.link.blackHole();
    const startedMs = performance.now();
    await eventually(
      'the hub to forget the sessions',
      async () => (await site.ask<{ nodes: string[] }>({ ask: 'sessions' })).nodes.length === 0,
      { deadlineMs: 4 * HEARTBEAT_MS, intervalMs: 50 },
    );
    const afterMs = performance.now() - startedMs;
    assert.ok(afterMs <= 3 * HEARTBEAT_MS + 200, `noticed after ${Math.round(afterMs)} ms`);
    await site.link.heal();
  });

  it('a killed hub is noticed within three heartbeats, and the next one is used', async () => {
    const tunnels = await open();
    const ending = ends(tunnels);
    await site.hub.kill();
    await delay(1000);
    await site.startHub();
    for (const { afterMs } of await ending) {
      assert.ok(afterMs <= 3 * HEARTBEAT_MS, `noticed after ${Math.round(afterMs)} ms`);
    }
    await all(async (edge, index) => {
      const { epoch } = (await connected(edge)).info;
      assert.ok(epoch > (tunnels[index]?.info.epoch ?? 0), 'the epoch grows over restarts of the hub');
    });
  });

  it('a cut line ends the session and what waits in it, and a healed one is used at once', async () => {
    const tunnels = await open();
    const readings = tunnels.map(async (tunnel) => (await tunnel.openStream('echo')).read());
    for (const reading of readings) reading.catch(() => {}); // looked at below
    await delay(100);
    await site.link.cut();
    await ends(tunnels);
    for (const reading of readings)
      await assert.rejects(within('the reader', reading), { name: 'TunnelError' });
    await delay(1000);
    await site.link.heal();
    const startedMs = performance.now();
    await all(connected);
    const afterMs = performance.now() - startedMs;
    assert.ok(afterMs < 9000, `back after ${Math.round(afterMs)} ms`);
  });

  for (const direction of ['up', 'down'] as const) {
    it(`a line that is silent ${direction}wards only is noticed`, async () => {
      const tunnels = await open();
      await site.link.blackHole(direction);
      for (const { reason } of await ends(tunnels)) {
        assert.ok(['heartbeat-timeout', 'connection-lost'].includes(reason.code), reason.code);
      }
      await site.link.heal();
      await all(connected);
    });
  }

  it('a short silence is survived without losing a byte', async () => {
    const tunnels = await open();
    const sent = randomBytes(2_000_000);
    const echoes = all(async (_edge, index) => {
      const stream = await tunnels[index]?.openStream('echo');
      assert.ok(stream);
      const writing = stream.write(sent).then(() => stream.end());
      assert.ok((await within('the echo', collect(stream), 30_000)).equals(sent));
      await writing;
    });
    for (let i = 0; i < 3; i++) {
      await delay(50);
      await site.link.blackHole();
      await delay(300);
      await site.link.heal();
    }
    await echoes;
    assert.deepEqual(
      edges.map((edge) => edge.client.tunnel),
      tunnels,
      'the sessions are the same',
    );
  });

  it('an edge that is busy is not taken for dead', async () => {
    const link = { bitsPerSecond: 20e6, queueLimitBytes: 64 * 1024, delayMs: 20 };
    const tunnels = await open({ link });
    await all(async (_edge, index) => {
      const source = await tunnels[index]?.openStream('source', { priority: 'bulk' });
      assert.ok(source);
      const startedMs = performance.now();
      let bytes = 0;
      while (performance.now() - startedMs < 3.5 * HEARTBEAT_MS) bytes += (await source.read())?.length ?? 0;
      assert.ok(bytes > 500_000, `${bytes} bytes`);
      source.reset();
    });
    assert.deepEqual(
      edges.map((edge) => edge.client.tunnel),
      tunnels,
    );
  });

  it(`survives ${scaled(6, 5000)} cuts and resets in a row, and serves after each`, async () => {
    let tunnels = await open();
    for (let round = 0; round < scaled(6, 5000); round++) {
      if (round % 3 === 0) site.link.reset();
      else await site.link.cut({ how: round % 3 === 1 ? 'reset' : 'close' });
      // QUIC has no connection that a reset could break: it would have to be silent for three heartbeats.
      tunnels.at(-1)?.destroy({ code: 'connection-lost', message: 'test' });
      await ends(tunnels);
      await delay(20 * (round % 5));
      await site.link.heal();
      tunnels = await all(connected);
      for (const tunnel of tunnels) {
        const stream = await tunnel.openStream('echo');
        await stream.write(Buffer.from(`round ${round}`));
        await stream.end();
        assert.equal((await within('the echo', collect(stream))).toString(), `round ${round}`);
      }
    }
  });
});

async function collect(stream: Stream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
