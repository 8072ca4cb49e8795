import { revokeNode } from '@hawser/cloudcore';
import { delay } from '@hawser/seams';
import { POOL_NAME, NAMESPACE, type Demo } from './demo.ts';
import type { DemoEdge } from './demo-edge.ts';
import { kubectl } from './kubectl.ts';
import {
  cutPower,
  killContainer,
  lookInside,
  nothingRebuilt,
  runningContainers,
  untilInFile,
} from './pod-steps.ts';
import { untilLed } from './pool-steps.ts';
import { since, waitUntil } from './wait.ts';
import { counted } from './words.ts';
import {
  areNodesReady,
  makeWorkload,
  RECIPES,
  REPLICAS,
  runningPods,
  SETTINGS,
  settingsText,
} from './workload.ts';

/** Acknowledgements and the status that a change leads to have passed by then. */
const SETTLE_MS = 400;
const CUT_MS = 1000;

/** The first edge joins with a token of its own, the others with one of the pool. */
export async function join(demo: Demo): Promise<undefined> {
  const { site, objects, edges, first, journal, signal } = demo;
  journal.title('A node joins');
  const token = await site.token({ node: first.node, pool: POOL_NAME });
  journal.line(
    `join token for ${first.node}: ${token.slice(0, 8)}….•••••• (its first part pins the authority)`,
  );
  const startedMs = performance.now();
  await first.join(token);
  journal.done(`joined after ${since(startedMs)}: a key made here, a certificate from the hub`);
  const edgeStartedMs = performance.now();
  await first.edge.start();
  await waitUntil(`${first.node} is Ready`, signal, () => areNodesReady(objects, [first.node]));
  journal.done(
    `edgecore, process ${first.edge.process.pid}: Node registered and Ready ${since(edgeStartedMs)} after its start`,
  );
  await joinOthers(demo, edges.slice(1));
  await kubectl(demo, ['get', 'nodes']);
}

async function joinOthers(demo: Demo, others: readonly DemoEdge[]): Promise<void> {
  if (others.length === 0) return;
  const { site, objects, journal, signal } = demo;
  const startedMs = performance.now();
  const token = await site.token({ pool: POOL_NAME, uses: others.length });
  await Promise.all(
    others.map(async (other) => {
      await other.join(token);
      await other.edge.start();
    }),
  );
  const names = others.map(({ node }) => node);
  await waitUntil('the other edges are Ready', signal, () => areNodesReady(objects, names));
  const taken = await Promise.all(others.map((other) => other.connectedBy()));
  const ways = [...new Set(taken)].join(' and ');
  journal.done(
    `${counted(names.length, 'more edge')} of the pool ${POOL_NAME}, over ${ways}: joined, started and Ready after ${since(startedMs)}`,
  );
}

/** A Deployment's pods run at the first edge. */
export async function run(demo: Demo): Promise<undefined> {
  const { site, objects, containers, device, edges, first, journal, signal } = demo;
  journal.title(`A Deployment of ${REPLICAS} pods that read ${RECIPES.length + 1} ConfigMaps`);
  const startedMs = performance.now();
  await makeWorkload(objects, site.dir);
  if (device !== undefined) await device.create(site.client, first.node);
  await waitUntil('the pods run', signal, async () => (await runningPods(objects)) === REPLICAS);
  journal.done(`applied → scheduled → at the edge → reported as Running, after ${since(startedMs)}`);
  journal.done(
    `${counted(edges.length, 'node')} ${edges.length === 1 ? 'is' : 'are'} Ready and ${REPLICAS} pods Running ${(performance.now() / 1000).toFixed(1)} s after the start of this program`,
  );
  await kubectl(demo, ['get', 'pods', '-o', 'wide']);
  if (containers !== undefined) await lookInside(demo);
  await untilQuiet(first, signal);
}

/** One line of a ConfigMap changes. */
export async function change(demo: Demo): Promise<undefined> {
  const { objects, containers, first, journal, signal } = demo;
  journal.title('One line of a ConfigMap changes');
  const { admin } = first.edge;
  const key = `configmaps/${NAMESPACE}/${SETTINGS}`;
  const before = await admin.object(key);
  const passed = first.bytesPassed();
  const startedMs = performance.now();
  await objects.setText([SETTINGS], settingsText(20));
  const hasChanged = async (): Promise<boolean> => (await admin.object(key)).hash !== before.hash;
  await waitUntil('the change is at the edge', signal, hasChanged);
  const durable = since(startedMs);
  if (containers !== undefined) await untilInFile(demo, settingsText(20), startedMs);
  await delay(SETTLE_MS, { signal });
  journal.done(`durable at the edge after ${durable}, the write to the API included`);
  journal.done(`${passed()} bytes passed the line, both ways; the object has ${before.sizeBytes}`);
}

/** The line is cut, things change, and it is healed. */
export async function cut(demo: Demo): Promise<undefined> {
  const { site, objects, containers, first, journal, signal } = demo;
  const { edge, link } = first;
  journal.title('The line is cut, things change, and it is healed');
  await tellHowNoticed(demo);
  await link.cut();
  const noticedMs = await waitUntil('the edge notices', signal, async () => !(await edge.inSync()));
  journal.line(`noticed after ${noticedMs} ms; the node works on alone`);
  await objects.setText(RECIPES.slice(0, 3), 'flour, water, salt and time');
  await objects.setText(RECIPES.slice(0, 3), 'flour, water, salt and more time');
  if (containers !== undefined) await killContainer(demo, containers);
  await delay(CUT_MS, { signal });
  const sent = await site.hubMetric('hawser_sync_changes_total');
  const passed = first.bytesPassed();
  await link.heal();
  const healedMs = await waitUntil('the edge is in sync', signal, () => edge.inSync());
  await untilQuiet(first, signal);
  const changes = (await site.hubMetric('hawser_sync_changes_total')) - sent;
  journal.done(`in sync ${healedMs} ms after the line was healed`);
  const count = (await edge.objects()).size;
  journal.done(`3 ConfigMaps were written twice: ${changes} changes travelled, of ${count} objects`);
  journal.done(`${passed()} bytes passed the line, TLS handshake included`);
}

/** The edge loses its power, and starts again without a cloud. */
export async function restartAlone(demo: Demo): Promise<undefined> {
  const { containers, first, journal, signal } = demo;
  const { edge, link } = first;
  journal.title('The edge loses its power, and starts again without a cloud');
  await untilQuiet(first, signal);
  await link.cut();
  await first.losePower();
  if (containers !== undefined) await cutPower(demo, containers);
  const startedMs = performance.now();
  await edge.start();
  const { node } = await edge.until(({ node: { pods } }) => pods['sync'] === REPLICAS);
  const count = (await edge.objects()).size;
  journal.done(
    `${node.pods['sync'] ?? 0} pods and ${count} objects from its disk, ${since(startedMs)} after its start`,
  );
  const { session } = await edge.admin.status();
  journal.line(
    `its session: ${session.state}${session.lastError === undefined ? '' : ` (${session.lastError.code})`}`,
  );
  const alone = containers === undefined ? undefined : await runningContainers(demo, containers, startedMs);
  await link.heal();
  const healedMs = await waitUntil('the edge is in sync', signal, () => edge.inSync());
  journal.done(`the line is healed: in sync after ${healedMs} ms`);
  if (containers !== undefined && alone !== undefined) await nothingRebuilt(demo, containers, alone);
}

/** The last edge is revoked, refused, and joins again with a new token. */
export async function revoke({ site, edges, first, journal, signal }: Demo): Promise<string | undefined> {
  const last = edges.at(-1);
  if (last === undefined || last === first) return 'there is one edge only, and it runs the pods';
  journal.title(`${last.node} is revoked, and joins again`);
  const { edge } = last;
  await edge.untilInSync();
  const startedMs = performance.now();
  await revokeNode(site.client, last.node);
  await waitUntil('its session has ended', signal, async () => {
    const { session } = await edge.admin.status();
    return session.state !== 'up' && session.lastError !== undefined;
  });
  const { session, node } = await edge.admin.status();
  journal.done(`its session ended after ${since(startedMs)}: ${session.lastError?.message ?? ''}`);
  journal.line(`${node.name} goes on with what it has, and is refused`);
  await edge.stop();
  await last.join(await site.token({ node: last.node, pool: POOL_NAME, replace: true }), true);
  const backMs = performance.now();
  await edge.start();
  await waitUntil('it is in sync', signal, () => edge.inSync());
  journal.done(
    `with a token that was made since, and a new key, it is in again: in sync ${since(backMs)} after its start`,
  );
  return undefined;
}

/** The hub is killed, and another one starts. */
export async function killHub(demo: Demo): Promise<undefined> {
  const { site, edges, first, journal, signal } = demo;
  journal.title('The hub is killed (SIGKILL), and another one starts');
  const before = await untilLed(demo, edges);
  await tellHowNoticed(demo);
  await site.killHub();
  // As the machine of a dead hub does, the lines refuse connections, instead of taking and then ending them.
  await Promise.all(edges.map(({ link }) => link.cut()));
  await waitUntil('the edge notices', signal, async () => !(await first.edge.inSync()));
  const startedMs = performance.now();
  await site.startHub();
  await Promise.all(edges.map(({ link }) => link.heal()));
  for (const { node, edge } of edges)
    await waitUntil(`${node} is in sync`, signal, () => edge.inSync(), { everyMs: 20 });
  const synced = since(startedMs);
  const elections = (await untilLed(demo, edges)).epoch - before.epoch;
  const changes = await site.hubMetric('hawser_sync_changes_total');
  const why = elections === 0 ? '' : ` to tell who leads the pool, after ${counted(elections, 'election')}`;
  journal.done(`all edges in sync ${synced} after its start; ${changes} objects travelled${why}`);
}

/** Says why an edge over QUIC takes its time to know of a cut. */
async function tellHowNoticed({ first, journal }: Demo): Promise<void> {
  if ((await first.connectedBy()) !== 'quic') return;
  journal.line('over QUIC nothing tells of a cut: three signs of life have to be missing first, some 6 s');
}

async function untilQuiet({ edge }: DemoEdge, signal: AbortSignal): Promise<void> {
  await waitUntil('nothing is to be reported', signal, async () => {
    const { outbox } = await edge.admin.status();
    return outbox.waiting === 0 && (await edge.inSync());
  });
  await delay(SETTLE_MS, { signal });
}
