import assert from 'node:assert/strict';
import { RESOURCES } from '@hawser/kube';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod } from '../../src/cluster-site/site-objects.ts';
import { allRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';
const PODS = Array.from({ length: 20 }, (_, index) => `pod-${index}`);
const MOST = PODS.slice(0, 16);
const DELAY_SECONDS = 4;

// Rule 4 of docs/sync.md, "Guards".
describe('the removal of most of what an edge has', function () {
  this.timeout(60_000);
  let site: ClusterSite;
  let edge: SiteEdge;

  before(async () => {
    site = await ClusterSite.open({ hub: { massRemovalDelaySeconds: DELAY_SECONDS, logLevel: 'error' } });
    edge = await site.edge(NODE);
    await site.objects.createAll(PODS.map((name) => boundPod(name, NODE)));
    await allRunning(site, PODS);
    await sameView(site, edge);
  });

  after(() => site.close());

  it('is held back, said, and carried out once the hub has looked again', async () => {
    // Online, it may see them marked for deletion first, and then they do not count.
    await site.link.cut();
    await site.objects.remove(RESOURCES.pods, MOST, true);
    await site.link.heal();
    const removedMs = performance.now();
    const held = await edge.until(({ scopes }) => (scopes[0]?.held ?? 0) > 0);
    assert.equal(held.scopes[0]?.synced, false);
    assert.ok(held.problems.some(({ code }) => code === 'ERR_EDGECORE_REMOVALS_HELD'));
    // What is held runs on.
    assert.equal(held.scopes[0].held, MOST.length);
    assert.equal(held.node.pods['sync'], PODS.length);
    await sameView(site, edge);
    const tookMs = performance.now() - removedMs;
    assert.ok(tookMs >= DELAY_SECONDS * 1000, `confirmed after ${Math.round(tookMs)} ms`);
    const after = await edge.untilInSync();
    assert.equal(after.scopes[0]?.held, 0);
    assert.deepEqual(after.problems, []);
    await edge.until(({ node }) => node.pods['sync'] === PODS.length - MOST.length);
    assert.ok((await site.hubMetric('hawser_sync_confirmations_total')) >= 1);
  });

  it('is not carried out by a new session, nor by a restart, without a second look', async () => {
    await site.objects.createAll(MOST.map((name) => boundPod(name, NODE)));
    await allRunning(site, MOST);
    await sameView(site, edge);
    await site.link.cut();
    await site.objects.remove(RESOURCES.pods, MOST, true);
    await site.killHub();
    await edge.kill();
    await edge.start();
    await site.startHub(0, { massRemovalDelaySeconds: 3600 });
    await site.link.heal();
    await edge.until(({ scopes }) => scopes[0]?.held === MOST.length);
    await edge.admin.reconnect();
    await edge.until(({ session, scopes }) => session.state === 'up' && scopes[0]?.held === MOST.length);
    assert.equal((await edge.admin.status()).node.pods['sync'], PODS.length);
  });

  it('is forgotten for what is wanted again', async () => {
    // Pods of the same names, other uids: what was held is replaced, and the rest is no mass any more.
    await site.objects.createAll(MOST.map((name) => boundPod(name, NODE)));
    await allRunning(site, MOST);
    await edge.until(({ scopes }) => scopes[0]?.held === 0);
    await sameView(site, edge);
  });
});
