import assert from 'node:assert/strict';
import { HAWSER_NAMESPACE, OBJECTS } from '@hawser/cloudcore';
import { resourcePath, ResourceClient, RESOURCES, type ApiClient } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { allRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';
const PODS = Array.from({ length: 6 }, (_, index) => `pod-${index}`);

// Rule 2 of docs/sync.md, "Guards": a hub of another cluster has the same authority (a Secret that was copied with a
// set of manifests, an API server whose data was lost).
describe('a hub that speaks for another cluster', function () {
  this.timeout(90_000);
  let home: ClusterSite;
  let other: ClusterSite;
  let edge: SiteEdge;
  let had: ReadonlyMap<string, string>;

  before(async () => {
    const hub = { massRemovalDelaySeconds: 1, logLevel: 'error' } as const;
    [home, other] = await Promise.all([ClusterSite.open({ hub }), ClusterSite.open({ hub, replicas: 0 })]);
    edge = await home.edge(NODE);
    await home.objects.createAll([configMap('cm', 'home')]);
    await home.objects.createAll(PODS.map((name) => boundPod(name, NODE, ['cm'])));
    await allRunning(home, PODS);
    await edge.until(({ outbox }) => outbox.waiting === 0);
    await sameView(home, edge);
    had = await edge.objects();
    await copyAuthority(home.client, other.client);
    await other.startHub();
  });

  after(async () => {
    await home.close();
    await other.close();
  });

  async function keepsEverything(): Promise<void> {
    assert.deepEqual(await edge.objects(), had);
    const { node, scopes, outbox } = await edge.admin.status();
    assert.equal(node.pods['sync'], PODS.length);
    assert.equal(scopes[0]?.synced, false);
    assert.equal(outbox.counters['refused'], 0);
    await assert.rejects(other.objects.get(RESOURCES.nodes, NODE), /not found/);
  }

  it('is held off: the edge keeps all it has, reports nothing there, and says why', async () => {
    home.route(0, other.directAddress());
    home.link.reset();
    const status = await edge.until(({ session }) => session.state === 'held');
    assert.match(status.cluster.held?.why ?? '', /speaks for cluster .* this node belongs to/);
    assert.notEqual(status.cluster.held?.clusterUid, status.cluster.accepted?.clusterUid);
    assert.ok(status.problems.some(({ code }) => code === 'ERR_EDGECORE_OTHER_CLUSTER'));
    assert.match(await edge.admin.metrics(), /^hawser_edge_cluster_held 1$/m);
    await keepsEverything();
  });

  it('also when it has other objects for that node, and after a restart', async () => {
    await other.objects.createAll([boundPod('of-the-other', NODE)]);
    await edge.kill();
    await edge.start();
    await edge.until(({ session }) => session.state === 'held');
    await keepsEverything();
  });

  it('and the edge goes on with its own cluster as if nothing had been', async () => {
    home.route(0, 0);
    await edge.admin.reconnect();
    await edge.untilInSync();
    const { cluster } = await edge.admin.status();
    assert.equal(cluster.held, undefined);
    await keepsEverythingInSync();
  });

  it('until an operator accepts it', async () => {
    home.route(0, other.directAddress());
    await edge.admin.reconnect();
    await edge.until(({ session }) => session.state === 'held');
    const { accepted } = await edge.admin.acceptCluster();
    assert.ok(accepted !== undefined);
    // All of the former cluster goes, which is a mass removal: not without a second look.
    await edge.until(({ session, scopes }) => session.state === 'up' && (scopes[0]?.held ?? 0) > 0);
    await sameView(other, edge);
    assert.ok((await edge.objects()).has('pods/default/of-the-other'));
    await allRunning(other, ['of-the-other']);
    assert.deepEqual((await edge.untilInSync()).cluster.accepted, accepted);
  });

  it('and then the former one is the other', async () => {
    home.route(0, 0);
    home.link.reset();
    await edge.until(({ session }) => session.state === 'held');
    assert.ok((await edge.objects()).has('pods/default/of-the-other'));
  });

  async function keepsEverythingInSync(): Promise<void> {
    await eventually('in sync', () => edge.inSync());
    assert.deepEqual(await edge.objects(), had);
  }
});

async function copyAuthority(from: ApiClient, to: ApiClient): Promise<void> {
  const secret = await new ResourceClient(from, RESOURCES.secrets).get(HAWSER_NAMESPACE, OBJECTS.authority);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HAWSER_NAMESPACE } };
  await to.request({ method: 'POST', path: resourcePath(RESOURCES.namespaces, {}), body: namespace });
  const { name, labels } = secret.metadata;
  const metadata = { name, namespace: HAWSER_NAMESPACE, ...(labels && { labels }) };
  const path = resourcePath(RESOURCES.secrets, { namespace: HAWSER_NAMESPACE });
  await to.request({ method: 'POST', path, body: { ...secret, metadata } });
}
