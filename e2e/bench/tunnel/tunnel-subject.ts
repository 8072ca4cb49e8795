import { eventually } from '@hawser/seams/testing';
import type { Stream, Tunnel } from '@hawser/proto';
import type { Bench, SiteEdge, TransportName, TunnelSite } from '../../src/index.ts';
import type { Subject } from './bare-ws-client.ts';

const PIECE = Buffer.alloc(64 * 1024, 1);

/** An edge's session, as a bench wants it: connected, past the link unless told otherwise. */
export async function connectEdge(
  bench: Bench,
  site: TunnelSite,
  transport: TransportName,
  options: Parameters<TunnelSite['edge']>[2] = { direct: true },
): Promise<{ edge: SiteEdge; tunnel: Tunnel }> {
  const edge = await site.edge(transport, `bench-${transport}`, options);
  bench.onEnd(() => edge.stop());
  await eventually('a session', () => edge.client.state === 'connected', { deadlineMs: 20_000 });
  const { tunnel } = edge.client;
  if (tunnel === undefined) throw new Error('connected, and no session');
  return { edge, tunnel };
}

/** A tunnel's streams, measured as {@link bareWebSocket} is. */
export async function tunnelSubject(tunnel: Tunnel): Promise<Subject> {
  const echo = await tunnel.openStream('echo');
  const small = Buffer.alloc(64);
  return {
    async transfer(bytes) {
      const stream = await tunnel.openStream('count', { priority: 'bulk' });
      const startedMs = performance.now();
      for (let sent = 0; sent < bytes; sent += PIECE.length) await stream.write(PIECE);
      await stream.end();
      await drain(stream);
      return bytes / 1000 / (performance.now() - startedMs);
    },
    async roundTrip() {
      const startedMs = performance.now();
      await echo.write(small);
      for (let bytes = 0; bytes < small.length;) bytes += (await echo.read())?.length ?? small.length;
      return performance.now() - startedMs;
    },
  };
}

async function drain(stream: Stream): Promise<void> {
  while ((await stream.read()) !== undefined);
}
