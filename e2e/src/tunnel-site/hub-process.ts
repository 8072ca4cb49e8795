// A hub in a process of its own: `node hub-process.js {json of HubSettings}`, started with startNode.
import { parseArgs } from 'node:util';
import {
  QuicTransport,
  tunnelLimits,
  TunnelServer,
  WebTransportTransport,
  WsTransport,
  type Tunnel,
  type TunnelLimits,
} from '@hawser/proto';
import { announceReady, sendToParent } from '../processes/in-child.ts';
import { processUsage } from '../processes/process-usage.ts';
import { readIdentityFiles } from './identities.ts';
import { serveStreams } from './stream-services.ts';
import type { TransportName } from './tunnel-site.ts';

/** Settings of a hub process. */
export interface HubSettings {
  /** Folder that SiteIdentities wrote. */
  readonly identities: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Ports to bind, 0 or absent: any. */
  readonly wsPort?: number;
  readonly quicPort?: number;
  readonly webTransportPort?: number;
  /** Default: ws and quic. */
  readonly transports?: readonly TransportName[];
  readonly limits?: Partial<TunnelLimits>;
}

/** What a hub process says when it is ready: its ports by transport. */
export interface HubReady {
  readonly ports: Readonly<Record<string, number>>;
}

/** What a parent may ask: the answer is a message with the same `ask`. */
export interface HubQuestion {
  readonly ask: 'usage' | 'sessions' | 'fan-out';
  /** For fan-out: frames to send to each session, and their body's size in bytes. */
  readonly frames?: number;
  readonly bytes?: number;
}

async function main(settings: HubSettings): Promise<void> {
  const limits = tunnelLimits(settings.limits ?? {});
  const credentials = await readIdentityFiles(settings.identities, 'hub');
  const transports = { ws: WsTransport, quic: QuicTransport, webtransport: WebTransportTransport };
  const wanted = { ws: settings.wsPort, quic: settings.quicPort, webtransport: settings.webTransportPort };
  const server = new TunnelServer({
    welcome: { software: 'hub/e2e', clusterUid: 'e2e', incarnation: '1' },
    limits,
    onTunnel: (tunnel) => {
      void serveStreams(tunnel);
      return async (frame) => {
        // Every upstream is acknowledged, which makes a round trip of frames.
        if (frame.body === 'upstream')
          await tunnel.send({ upstreamAck: { sequence: frame.upstream.sequence } });
      };
    },
  });
  const ports: Record<string, number> = {};
  for (const name of settings.transports ?? (['ws', 'quic'] as const)) {
    const transport = new transports[name]({ credentials: () => credentials, limits });
    const at = { host: settings.host ?? '127.0.0.1', port: wanted[name] ?? 0 };
    ports[name] = (await server.listen(transport, at)).port;
  }
  process.on('message', (question: HubQuestion) => void answer(question, server));
  process.once('SIGTERM', () => {
    void server.stop().then(() => process.exit(0));
  });
  announceReady({ ports } satisfies HubReady);
}

async function answer(question: HubQuestion, server: TunnelServer): Promise<void> {
  switch (question.ask) {
    case 'usage':
      globalThis.gc?.();
      sendToParent({ ask: 'usage', ...(await processUsage(process.pid)), heap: process.memoryUsage() });
      return;
    case 'sessions':
      sendToParent({ ask: 'sessions', nodes: server.sessions.all().map((tunnel) => tunnel.info.node) });
      return;
    case 'fan-out': {
      const elapsedMs = await fanOut(server.sessions.all(), question.frames ?? 1, question.bytes ?? 0);
      sendToParent({ ask: 'fan-out', elapsedMs });
    }
  }
}

/** The same frames to every session, encoded once each. */
async function fanOut(tunnels: readonly Tunnel[], frames: number, bytes: number): Promise<number> {
  const { frameBytes } = await import('@hawser/proto');
  const body = Buffer.alloc(bytes, 0x61);
  const startedMs = performance.now();
  for (let sequence = 0; sequence < frames; sequence++) {
    const encoded = frameBytes({ delta: { scope: 1, sequence, body } });
    await Promise.all(tunnels.map((tunnel) => tunnel.sendBytes(encoded)));
  }
  return performance.now() - startedMs;
}

const { positionals } = parseArgs({ allowPositionals: true });
await main(JSON.parse(positionals[0] ?? '{}') as HubSettings);
