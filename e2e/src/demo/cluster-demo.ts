import { revokeNode } from '@hawser/cloudcore';
import type { ContainerdSite } from '@hawser/edgecore/testing';
import { delay } from '@hawser/seams';
import type { ClusterSite } from '../cluster-site/cluster-site.ts';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import { edgeConfigFor } from '../pods-site/pods-site.ts';
import { kubectl } from './kubectl.ts';
import {
  cutPower,
  killContainer,
  lookInside,
  nothingRebuilt,
  runningContainers,
  untilInFile,
} from './pods-demo.ts';
import type { Display } from './display.ts';
import { waitUntil } from './wait.ts';
import {
  isNodeReady,
  makeWorkload,
  RECIPES,
  REPLICAS,
  runningPods,
  SETTINGS,
  settingsText,
} from './workload.ts';

/** What the parts of the demonstration share. */
export interface Demo {
  readonly site: ClusterSite;
  /** Absent: no containers can be run here. */
  readonly containerd: ContainerdSite | undefined;
  readonly display: Display;
  readonly signal: AbortSignal;
}

/** Acknowledgements and the status that a change leads to have passed by then. */
const SETTLE_MS = 400;
const CUT_MS = 1000;

/** Shows the way of a node from its join to its end, part by part; answers the node that is still there. */
export async function demonstrate(demo: Demo): Promise<SiteEdge> {
  const edge = await join(demo);
  const other = await joinOverQuic(demo);
  await run(demo, edge);
  await change(demo, edge);
  await cut(demo, edge);
  await restartAlone(demo, edge);
  await revoke(demo, other);
  await killHub(demo, edge);
  return edge;
}

async function join({ site, containerd, display, signal }: Demo): Promise<SiteEdge> {
  display.title('A node joins');
  const token = await site.token({ node: 'edge-1' });
  display.line(
    `join token for edge-1: ${token.slice(0, 8)}….${'•'.repeat(6)} (its first part pins the authority)`,
  );
  const own = { node: { labels: { kitchen: 'yes' } } };
  const config = containerd === undefined ? own : edgeConfigFor(containerd, own);
  const edge = await site.unjoined('edge-1', { config });
  const startedMs = performance.now();
  await site.join(edge, token);
  display.done(`joined after ${since(startedMs)}: a key made here, a certificate from the hub`);
  const edgeStartedMs = performance.now();
  await edge.start();
  await waitUntil('edge-1 is Ready', signal, () => isNodeReady(site, 'edge-1'));
  display.done(
    `edgecore, process ${edge.process.pid}: Node registered and Ready ${since(edgeStartedMs)} after its start`,
  );
  return edge;
}

async function joinOverQuic({ site, display, signal }: Demo): Promise<SiteEdge> {
  const startedMs = performance.now();
  const edge = await site.edge('edge-2', { transport: 'quic' });
  await waitUntil('edge-2 is Ready', signal, () => isNodeReady(site, 'edge-2'));
  display.done(
    `edge-2, over QUIC: joined, started and Ready after ${since(startedMs)}; it runs no containers`,
  );
  await kubectl({ site, display }, ['get', 'nodes']);
  return edge;
}

async function run(demo: Demo, edge: SiteEdge): Promise<void> {
  const { site, containerd, display, signal } = demo;
  display.title(`A Deployment of ${REPLICAS} pods that read ${RECIPES.length + 1} ConfigMaps`);
  const startedMs = performance.now();
  await makeWorkload(site);
  await waitUntil('the pods run', signal, async () => (await runningPods(site)) === REPLICAS);
  display.done(`applied → scheduled → at the edge → reported as Running, after ${since(startedMs)}`);
  await kubectl({ site, display }, ['get', 'pods', '-o', 'wide']);
  if (containerd !== undefined) await lookInside(demo);
  await untilQuiet(edge, signal);
}

async function change(demo: Demo, edge: SiteEdge): Promise<void> {
  const { site, containerd, display, signal } = demo;
  display.title('One line of a ConfigMap changes');
  const key = `configmaps/default/${SETTINGS}`;
  const before = await edge.admin.object(key);
  const passed = bytesPassed(site);
  const startedMs = performance.now();
  await site.objects.setText([SETTINGS], settingsText(20));
  const hasChanged = async (): Promise<boolean> => (await edge.admin.object(key)).hash !== before.hash;
  await waitUntil('the change is at the edge', signal, hasChanged);
  const durable = since(startedMs);
  if (containerd !== undefined) await untilInFile(demo, edge, settingsText(20), startedMs);
  await delay(SETTLE_MS, { signal });
  display.done(`durable at the edge after ${durable}, the write to the API included`);
  display.done(`${passed()} bytes passed the line, both ways; the object has ${before.sizeBytes}`);
}

async function cut(demo: Demo, edge: SiteEdge): Promise<void> {
  const { site, containerd, display, signal } = demo;
  display.title('The line is cut, things change, and it is healed');
  await site.link.cut();
  const noticedMs = await waitUntil('the edge notices', signal, async () => !(await edge.inSync()));
  display.line(`noticed after ${noticedMs} ms; the node works on alone`);
  await site.objects.setText(RECIPES.slice(0, 3), 'flour, water, salt and time');
  await site.objects.setText(RECIPES.slice(0, 3), 'flour, water, salt and more time');
  if (containerd !== undefined) await killContainer(demo, containerd, edge);
  await delay(CUT_MS, { signal });
  const sent = await site.hubMetric('hawser_sync_changes_total');
  const passed = bytesPassed(site);
  await site.link.heal();
  const healedMs = await waitUntil('the edge is in sync', signal, () => edge.inSync());
  await untilQuiet(edge, signal);
  const changes = (await site.hubMetric('hawser_sync_changes_total')) - sent;
  display.done(`in sync ${healedMs} ms after the line was healed`);
  const objects = (await edge.objects()).size;
  display.done(`3 ConfigMaps were written twice: ${changes} changes travelled, of ${objects} objects`);
  display.done(`${passed()} bytes passed the line, TLS handshake included`);
}

async function restartAlone(demo: Demo, edge: SiteEdge): Promise<void> {
  const { site, containerd, display, signal } = demo;
  display.title('The edge loses its power, and starts again without a cloud');
  await untilQuiet(edge, signal);
  await site.link.cut();
  await edge.kill();
  if (containerd !== undefined) await cutPower(demo, containerd);
  const startedMs = performance.now();
  await edge.start();
  const { node } = await edge.until(({ node: { pods } }) => pods['sync'] === REPLICAS);
  const objects = (await edge.objects()).size;
  display.done(
    `${node.pods['sync'] ?? 0} pods and ${objects} objects from its disk, ${since(startedMs)} after its start`,
  );
  const { session } = await edge.admin.status();
  display.line(
    `its session: ${session.state}${session.lastError === undefined ? '' : ` (${session.lastError.code})`}`,
  );
  const alone = containerd === undefined ? undefined : await runningContainers(demo, edge, startedMs);
  await site.link.heal();
  const healedMs = await waitUntil('the edge is in sync', signal, () => edge.inSync());
  display.done(`the line is healed: in sync after ${healedMs} ms`);
  if (alone !== undefined) await nothingRebuilt(demo, edge, alone);
}

async function revoke({ site, display, signal }: Demo, edge: SiteEdge): Promise<void> {
  display.title(`${edge.node} is revoked`);
  await edge.untilInSync();
  const startedMs = performance.now();
  await revokeNode(site.client, edge.node);
  await waitUntil('its session has ended', signal, async () => {
    const { session } = await edge.admin.status();
    return session.state !== 'up' && session.lastError !== undefined;
  });
  const { session, node } = await edge.admin.status();
  display.done(`its session ended after ${since(startedMs)}: ${session.lastError?.message ?? ''}`);
  display.line(`${node.name} goes on with what it has, and is refused from now on`);
}

async function killHub({ site, display, signal }: Demo, edge: SiteEdge): Promise<void> {
  display.title('The hub is killed (SIGKILL), and another one starts');
  await site.killHub();
  await waitUntil('the edge notices', signal, async () => !(await edge.inSync()));
  const startedMs = performance.now();
  await site.startHub();
  await waitUntil('the edge is in sync', signal, () => edge.inSync());
  const changes = await site.hubMetric('hawser_sync_changes_total');
  display.done(`in sync ${since(startedMs)} after its start; ${changes} objects travelled`);
}

/** Counts what passes the line of edges over WebSocket from now on, both ways, bytes of TCP. */
function bytesPassed({ link }: ClusterSite): () => number {
  const now = (): number => link.stats.up.tcp.payloadBytes + link.stats.down.tcp.payloadBytes;
  const before = now();
  return () => now() - before;
}

async function untilQuiet(edge: SiteEdge, signal: AbortSignal): Promise<void> {
  await waitUntil('nothing is to be reported', signal, async () => {
    const { outbox } = await edge.admin.status();
    return outbox.waiting === 0 && (await edge.inSync());
  });
  await delay(SETTLE_MS, { signal });
}

function since(startedMs: number): string {
  return `${Math.round(performance.now() - startedMs)} ms`;
}
