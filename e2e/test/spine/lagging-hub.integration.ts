import assert from 'node:assert/strict';
import path from 'node:path';
import { eventually } from '@hawser/seams/testing';
import { ApiProxy, type ProxiedRequest } from '../../src/cluster-site/api-proxy.ts';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { allRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';

// Rules 1 and 3 of docs/sync.md, "Guards": a hub that does not know all, or not all yet, takes nothing away.
describe('a hub that knows less than the edge has', function () {
  this.timeout(90_000);
  let site: ClusterSite;
  let edge: SiteEdge;
  let proxy: ApiProxy;
  let kubeconfig: string;

  before(async () => {
    site = await ClusterSite.open({ hub: { logLevel: 'error' } });
    proxy = await ApiProxy.open(site.kubeconfig);
    kubeconfig = path.join(site.dir, 'proxied');
    await proxy.writeKubeconfig(kubeconfig);
    edge = await site.edge(NODE);
    await site.objects.createAll([configMap('cm', 'first')]);
    await site.objects.createAll(['pod-1', 'pod-2', 'pod-3'].map((name) => boundPod(name, NODE, ['cm'])));
    await allRunning(site, ['pod-1', 'pod-2', 'pod-3']);
    await sameView(site, edge);
  });

  after(async () => {
    proxy.release();
    await site.close();
    await proxy.stop();
  });

  it('says nothing while one list does not come', async () => {
    const had = await edge.objects();
    await site.killHub();
    proxy.stall(({ method, url }) => method === 'GET' && url.startsWith('/api/v1/secrets'));
    await site.startHub(0, { kubeconfig });
    await edge.until(({ session }) => session.state === 'up');
    await eventually('the hub waits for the list', () => proxy.stalled > 0);
    const frames = await site.hubMetric('hawser_sync_changes_total');
    await edge.admin.reconnect();
    const { scopes, node } = await edge.until(({ session }) => session.state === 'up');
    assert.equal(scopes[0]?.synced, false);
    assert.equal(node.pods['sync'], 3);
    assert.notDeepEqual(await site.unready(), []);
    proxy.release();
    await edge.untilInSync();
    assert.deepEqual(await edge.objects(), had);
    assert.equal((await site.hubMetric('hawser_sync_changes_total')) - frames, 0);
  });

  it('does not take back what another replica gave, while its watches lag', async () => {
    // The hub that is there sees the API server through the proxy; a second one sees all at once.
    await eventually('the hub is ready', async () => (await site.unready()).length === 0, {
      deadlineMs: 20_000,
    });
    await site.startHub(1);
    site.route(0, 1);
    await edge.admin.reconnect();
    await edge.untilInSync();
    proxy.stall(isWatch);
    await site.objects.setText(['cm'], 'second');
    await site.objects.createAll([boundPod('pod-4', NODE, ['cm'])]);
    await sameView(site, edge);
    const had = await edge.objects();
    assert.ok(had.has('pods/default/pod-4'));
    const changes = await site.hubMetric('hawser_sync_changes_total', 0);
    site.route(0, 0);
    await edge.admin.reconnect();
    await edge.until(({ session }) => session.state === 'up');
    await eventually('its watches wait', () => proxy.stalled > 0);
    assert.deepEqual(await edge.objects(), had);
    assert.equal((await edge.admin.status()).scopes[0]?.synced, false);
    proxy.release();
    await edge.untilInSync(40_000);
    assert.deepEqual(await edge.objects(), had);
    assert.equal((await site.hubMetric('hawser_sync_changes_total', 0)) - changes, 0);
  });
});

function isWatch({ url }: ProxiedRequest): boolean {
  return url.includes('watch=');
}
