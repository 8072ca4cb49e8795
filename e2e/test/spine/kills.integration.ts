import assert from 'node:assert/strict';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { delay, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { isRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';
const ROUNDS = scaled(5, 300);
const CONFIG_MAPS = Array.from({ length: 10 }, (_, index) => `cm-${index}`);
/** Pods at a time; they come and go, and with each their statuses travel up. */
const PODS = 12;
/** Pods in the API, those that are to end too, beyond which no more are made: an edge that is killed again and again ends none. */
const MOST_PODS = 100;
/** Longest wait before the next kill, milliseconds: some come in the middle of a start. */
const LONGEST_MS = 900;

// Everything that was acknowledged is there whoever was killed, at whatever moment.
describe('processes that are killed under load', function () {
  this.timeout(scaled(120_000, 1_800_000));
  let site: ClusterSite;
  let edge: SiteEdge;
  let random: Random;

  before(async () => {
    // Pods come and go faster than on any node: neither the guard against mass removals nor the limit of writes is
    // what this is about.
    const writes = { perNodePerSecond: 300, perNodeBurst: 1000 };
    site = await ClusterSite.open({ hub: { massRemovalDelaySeconds: 1, writes, logLevel: 'error' } });
    edge = await site.edge(NODE);
    await site.objects.createAll(CONFIG_MAPS.map((name) => configMap(name, 'first')));
  });

  after(() => site.close());

  it('lose nothing that was acknowledged, and agree at the end', async () => {
    const seed = Number(process.env['HAWSER_SEED'] ?? Date.now() % 1_000_000);
    console.log(`      HAWSER_SEED=${seed}`);
    random = seededRandom(seed);
    const stopping = new AbortController();
    const load = writeUntil(stopping.signal);
    for (let round = 0; round < ROUNDS; round++) {
      await delay(random.next() * LONGEST_MS);
      if (random.next() < 0.5) {
        await site.killHub();
        await site.startHub();
      } else {
        await edge.kill();
        await edge.start();
      }
    }
    stopping.abort();
    await load;
    await edge.untilInSync(60_000);
    await sameView(site, edge, 60_000);
    await statusesAgree();
    const { store } = await edge.admin.status();
    assert.deepEqual(store.messages, []);
  });

  /** Changes configMaps, makes pods and removes them, in an order that the seed decides. */
  async function writeUntil(signal: AbortSignal): Promise<void> {
    let made = 0;
    const there: string[] = [];
    while (!signal.aborted) {
      const name = CONFIG_MAPS[Math.floor(random.next() * CONFIG_MAPS.length)] ?? '';
      await site.objects.setText([name], `change ${made} ${random.next()}`);
      if (await isCrowded()) {
        await delay(200);
      } else if (there.length < PODS) {
        const pod = `pod-${made++}`;
        await site.objects.create(boundPod(pod, NODE, [name]));
        there.push(pod);
      } else {
        const [oldest = ''] = there.splice(0, 1);
        await site.objects.remove(RESOURCES.pods, [oldest], random.next() < 0.3);
      }
      await delay(20);
    }
  }

  async function isCrowded(): Promise<boolean> {
    return (await site.objects.list(RESOURCES.pods)).length > MOST_PODS;
  }

  /** The API says of each pod what the edge does: those that are to run, run; those that were to go are gone. */
  async function statusesAgree(): Promise<void> {
    let pods: readonly KubeObject[] = [];
    await eventually(
      'statuses in the API are those of the edge',
      async () => {
        pods = await site.objects.list(RESOURCES.pods);
        const { node, outbox } = await edge.admin.status();
        return (
          outbox.waiting === 0 &&
          pods.every((pod) => pod.metadata.deletionTimestamp === undefined && isRunning(pod)) &&
          node.pods['sync'] === pods.length &&
          node.pods['terminating'] === 0
        );
      },
      { deadlineMs: 60_000, intervalMs: 100 },
    );
    assert.ok(pods.length > 0);
    await sameView(site, edge);
  }
});
