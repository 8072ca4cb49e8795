import assert from 'node:assert/strict';
import { RESOURCES } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { sameView } from './same-view.ts';
import { allRunning } from './pod-phases.ts';

const NODE = 'edge-1';
const PODS = Array.from({ length: 11 }, (_, index) => `pod-${index}`);
const CUT_MS = scaled(10_000, 60_000);
/** Writes that come late would come within this time. */
const AFTERMATH_MS = 2000;

// An edge that cannot reach its hub for a while, or not at all: it goes on, and what it costs to be back is little.
describe('an edge without a hub', function () {
  this.timeout(120_000);
  let site: ClusterSite;
  let edge: SiteEdge;

  before(async () => {
    // A node is given up later than the cut lasts: what the node lifecycle writes is not what is counted here.
    site = await ClusterSite.open({
      controlPlane: { nodeTimes: { graceMs: 300_000 } },
      hub: { logLevel: 'warn' },
    });
    edge = await site.edge(NODE);
    await site.objects.createAll([configMap('cm', 'text')]);
    await site.objects.createAll(PODS.map((name) => boundPod(name, NODE, ['cm'])));
    await allRunning(site, PODS);
    await edge.until(({ outbox }) => outbox.waiting === 0);
    await sameView(site, edge);
  });

  after(() => site.close());

  it('comes back from a silent cut within 5 s, with one write and no object sent', async () => {
    const { epoch } = (await edge.admin.status()).session;
    const objectBytes = await site.hubMetric('hawser_sync_object_bytes_total');
    const changes = await site.hubMetric('hawser_sync_changes_total');
    await site.link.blackHole();
    await delay(CUT_MS);
    assert.notEqual((await edge.admin.status()).session.state, 'up', 'the cut was not noticed');
    const [writes, leases] = [await site.writes(isNoLease), await site.writes(isLease)];
    await site.link.heal();
    const healedMs = performance.now();
    await edge.until(({ session }) => session.epoch > epoch, 15_000);
    await edge.untilInSync();
    const tookMs = performance.now() - healedMs;
    await delay(AFTERMATH_MS);
    assert.ok(tookMs <= 5000, `in sync ${Math.round(tookMs)} ms after healing`);
    assert.equal((await site.hubMetric('hawser_sync_object_bytes_total')) - objectBytes, 0, 'object bytes');
    assert.equal((await site.hubMetric('hawser_sync_changes_total')) - changes, 0, 'changes');
    assert.equal((await site.writes(isNoLease)) - writes, 0, await whatWasWritten(writes));
    // That of the session, and one of those that come every 10 s.
    const leaseWrites = (await site.writes(isLease)) - leases;
    assert.ok(leaseWrites === 1 || leaseWrites === 2, `${leaseWrites} writes of the lease`);
  });

  it('runs its pods when it is started without one, and says so when it is found again', async () => {
    const before = await podStatuses();
    await edge.stop();
    await site.link.cut();
    await edge.start();
    const status = await edge.until(({ node }) => node.pods['sync'] === PODS.length);
    assert.equal(status.node.ready, true);
    assert.notEqual(status.session.state, 'up');
    assert.equal(status.scopes[0]?.synced, false);
    assert.equal((await edge.admin.objects('pods')).items.length, PODS.length);
    const changes = await site.hubMetric('hawser_sync_changes_total');
    await site.link.heal();
    await edge.untilInSync();
    await edge.until(({ outbox }) => outbox.waiting === 0);
    await sameView(site, edge);
    assert.equal((await site.hubMetric('hawser_sync_changes_total')) - changes, 0);
    // Containers went on running, and what is said of them is what was said before.
    assert.deepEqual(await podStatuses(), before);
  });

  it('ends, without one, no pod that was removed meanwhile; with one it does', async () => {
    await site.link.cut();
    await site.objects.remove(RESOURCES.pods, ['pod-0'], true);
    await edge.until(({ session }) => session.state !== 'up');
    assert.equal((await edge.admin.status()).node.pods['sync'], PODS.length);
    await site.link.heal();
    await edge.until(({ node }) => node.pods['sync'] === PODS.length - 1);
    await eventually('nothing of it is left', async () => !(await edge.objects()).has('pods/default/pod-0'));
  });

  async function podStatuses(): Promise<ReadonlyMap<string | undefined, unknown>> {
    const pods = await site.objects.list(RESOURCES.pods);
    return new Map(pods.map((pod) => [pod.metadata.uid, pod['status']]));
  }

  async function whatWasWritten(before: number): Promise<string> {
    const all = (await site.requests()).filter((request) => isNoLease(request));
    return `since ${before}: ${all.map(({ verb, resource, count }) => `${verb} ${resource} ${count}`).join(', ')}`;
  }
});

function isLease({ resource }: { resource: string }): boolean {
  return resource === 'leases';
}

function isNoLease({ resource }: { resource: string }): boolean {
  return resource !== 'leases';
}
