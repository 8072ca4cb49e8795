import assert from 'node:assert/strict';
import { ANNOTATIONS, NODE_LEASE_NAMESPACE } from '@hawser/cloudcore';
import { RESOURCES } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { boundPod } from '../../src/cluster-site/site-objects.ts';
import { identityOf, RawEdge } from './raw-edge.ts';

const NODE = 'edge-1';

// A session at one replica, and a newer one at another: docs/architecture.md and the design of leases.
describe('a session that another replica takes over', function () {
  this.timeout(90_000);
  let site: ClusterSite;
  let old: RawEdge;
  let newer: RawEdge;

  before(async () => {
    site = await ClusterSite.open({ replicas: 2, hub: { logLevel: 'error' } });
  });

  after(async () => {
    await Promise.all([old.stop(), newer.stop()]);
    await site.close();
  });

  async function holder(): Promise<{ replica: string | undefined; epoch: number }> {
    const { metadata } = await site.objects.get(RESOURCES.leases, NODE, NODE_LEASE_NAMESPACE);
    const annotations = metadata.annotations ?? {};
    return {
      replica: annotations[ANNOTATIONS.replica],
      epoch: Number(annotations[ANNOTATIONS.sessionEpoch]),
    };
  }

  it('ends as replaced, the newer one holding the lease alone', async () => {
    const credentials = await identityOf(await site.joined(NODE));
    old = new RawEdge(NODE, credentials, site.directAddress(0));
    const first = await old.session();
    assert.deepEqual(await holder(), { replica: 'hub-0', epoch: first.info.epoch });
    const ended = old.end();
    newer = new RawEdge(NODE, credentials, site.directAddress(1));
    const second = await newer.session();
    assert.ok(second.info.epoch > first.info.epoch);
    assert.deepEqual(await holder(), { replica: 'hub-1', epoch: second.info.epoch });
    assert.equal((await ended).code, 'replaced');
    // Who was replaced stays away for a while: the two do not take turns.
    assert.equal(newer.tunnel, second);
    assert.equal(newer.failures.length, 0);
    assert.deepEqual(await holder(), { replica: 'hub-1', epoch: second.info.epoch });
  });

  it('and what a node says is written by the newer one', async () => {
    await old.stop();
    await newer.upstream('node', { labels: {}, annotations: {}, taints: [], status: {} });
    const pod = await site.objects.create(boundPod('pod', NODE));
    const { uid = '' } = pod.metadata;
    const said = { namespace: 'default', name: 'pod', uid, status: { phase: 'Running' } };
    await eventually('the status is taken', async () => (await newer.upstream('pod', said)).status === 0);
    const written = await site.objects.get(RESOURCES.pods, 'pod');
    assert.equal((written['status'] as { phase?: string }).phase, 'Running');
  });
});
