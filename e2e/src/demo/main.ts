// The main job so far as it exists, for `npm start`: the embedded control plane; a hub and two edges, one on each
// transport, over a line that is cut, and a hub that is frozen and killed. Everything shown is measured while it
// happens.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { delay } from '@hawser/seams';
import type { Stream, Tunnel } from '@hawser/proto';
import { median } from '../bench/samples.ts';
import { TunnelSite, type SiteEdge, type TransportName } from '../tunnel-site/tunnel-site.ts';
import { demonstrateControlPlane, kubectlLines, type DemoControlPlane } from './control-plane-part.ts';
import { Display } from './display.ts';

const HELP = `npm start [-- OPTIONS]   shows what there is of Hawser at work

The embedded control plane serves a Kubernetes API and schedules a Deployment. A hub runs in a process of its own. Two edges connect to it over a line that this
program can cut: one over WebSocket, one over QUIC, both with certificates of their own.

  --once   end after the demonstration (default when not at a terminal)
  --keep   go on until Ctrl-C (default at a terminal)
  --help   this text
`;

const HEARTBEAT_MS = 2000;
const BULK_BYTES = 32 * 1024 * 1024;
const TRANSPORTS: readonly TransportName[] = ['ws', 'quic'];

interface DemoEdge {
  readonly name: string;
  readonly edge: SiteEdge;
}

async function demonstrate(
  display: Display,
  site: TunnelSite,
  signal: AbortSignal,
): Promise<readonly DemoEdge[]> {
  display.title('Sessions');
  display.line(
    `hub: process ${site.hub.pid}, wss on port ${site.hubPort('ws')}, quic on port ${site.hubPort('quic')}`,
  );
  const edges = await Promise.all(
    TRANSPORTS.map(async (transport) => {
      const name = `edge-${transport}`;
      return { name, edge: await site.edge(transport, name, { says: { heartbeatMs: HEARTBEAT_MS } }) };
    }),
  );
  await allConnected(display, edges, signal);

  display.title('Streams');
  for (const { name, edge } of edges) {
    const tunnel = edge.client.tunnel;
    if (tunnel === undefined) continue;
    display.line(`${name}: ${await echo(tunnel)}`);
    display.line(`${name}: ${await bulk(tunnel)}`);
  }

  display.title('The line is cut, and healed after two seconds');
  const cut = allDown(display, edges, signal);
  await site.link.cut();
  await cut;
  await delay(2000, { signal });
  await site.link.heal();
  await allConnected(display, edges, signal);

  display.title(`The hub freezes (SIGSTOP): three heartbeats of ${HEARTBEAT_MS / 1000} s are the limit`);
  const frozen = allDown(display, edges, signal);
  await site.hub.freeze();
  await frozen;
  site.hub.thaw();
  await allConnected(display, edges, signal);

  display.title('The hub is killed (SIGKILL), and another one starts');
  const killed = allDown(display, edges, signal);
  await site.hub.kill();
  await site.startHub();
  await killed;
  await allConnected(display, edges, signal);
  return edges;
}

async function allConnected(
  display: Display,
  edges: readonly DemoEdge[],
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  await Promise.all(
    edges.map(async ({ name, edge }) => {
      while (edge.client.tunnel === undefined) await delay(5, { signal });
      const { info, peer, transport } = edge.client.tunnel;
      const afterMs = Math.round(performance.now() - startedMs);
      display.done(
        `${name}: session over ${transport} with ${peer.commonName} after ${afterMs} ms (epoch ${info.epoch})`,
      );
    }),
  );
}

async function allDown(display: Display, edges: readonly DemoEdge[], signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  await Promise.all(
    edges.map(async ({ name, edge }) => {
      const tunnel = edge.client.tunnel;
      while (edge.client.tunnel !== undefined) await delay(5, { signal });
      const afterMs = Math.round(performance.now() - startedMs);
      const reason = (await tunnel?.closed)?.code ?? 'gone';
      display.line(`${name}: noticed after ${afterMs} ms (${reason}), trying again with growing pauses`);
    }),
  );
}

async function echo(tunnel: Tunnel): Promise<string> {
  const stream = await tunnel.openStream('echo');
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const startedMs = performance.now();
    await stream.write(Buffer.from('ping'));
    await stream.read();
    times.push(performance.now() - startedMs);
  }
  stream.reset();
  return `${times.length} echoes over the line, median ${median(times).toFixed(2)} ms`;
}

async function bulk(tunnel: Tunnel): Promise<string> {
  const stream = await tunnel.openStream('sink', { priority: 'bulk' });
  const piece = randomBytes(64 * 1024);
  const hash = createHash('sha256');
  const startedMs = performance.now();
  for (let sent = 0; sent < BULK_BYTES; sent += piece.length) {
    hash.update(piece);
    await stream.write(piece);
  }
  await stream.end();
  const answer = JSON.parse((await collect(stream)).toString()) as { bytes: number; sha256: string };
  const seconds = (performance.now() - startedMs) / 1000;
  if (answer.sha256 !== hash.digest('hex'))
    throw new Error(`the bulk stream arrived altered: ${JSON.stringify(answer)}`);
  const megabytes = answer.bytes / 1e6;
  return `${megabytes.toFixed(0)} MB on a bulk connection of its own, ${(megabytes / seconds).toFixed(0)} MB/s, hash equal`;
}

async function collect(stream: Stream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function keepRunning(
  display: Display,
  edges: readonly DemoEdge[],
  controlPlane: DemoControlPlane,
  signal: AbortSignal,
): Promise<void> {
  display.title('Running. Ctrl-C ends it. In another terminal:');
  for (const line of kubectlLines(controlPlane)) display.line(line);
  while (!signal.aborted) {
    display.status(edges.map(({ name, edge }) => `${name}: ${statusOf(edge)}`).join('   '));
    await delay(1000, { signal }).catch(() => {}); // Ctrl-C
  }
}

function statusOf(edge: SiteEdge): string {
  const { tunnel, state } = edge.client;
  if (tunnel === undefined) return state;
  const bytes = tunnel.connections.reduce((sum, { stats }) => sum + stats.bytesSent + stats.bytesReceived, 0);
  return `${state}, round trip ${tunnel.roundTripMs?.toFixed(1) ?? '–'} ms, ${(bytes / 1024).toFixed(0)} KiB`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const keep = values.keep ?? (values.once !== true && process.stdin.isTTY && process.stdout.isTTY);
  const display = new Display();
  const stopping = new AbortController();
  const interrupt = (): void => stopping.abort(new Error('interrupted'));
  // npm passes a terminal's Ctrl-C on, so that it may come twice: it must not end the stopping.
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const dir = await mkdtemp(path.join(tmpdir(), 'hawser-demo-'));
  const site = await TunnelSite.open({ limits: { connectTimeoutMs: 1000 } });
  let controlPlane: DemoControlPlane | undefined;
  try {
    controlPlane = await demonstrateControlPlane(display, dir, stopping.signal);
    const edges = await demonstrate(display, site, stopping.signal);
    if (keep) await keepRunning(display, edges, controlPlane, stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  } finally {
    display.title('Stopping');
    await site.close();
    await controlPlane?.plane.stop();
    await rm(dir, { recursive: true, force: true });
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  display.done('everything stopped');
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\nnpm start -- --help shows the options.\n`,
  );
  process.exitCode = 1;
}
