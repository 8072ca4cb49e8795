import assert from 'node:assert/strict';
import { RESOURCES } from '@hawser/kube';
import { eventually, scaled } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';
const PODS = 20;
/** Above what is compared in one go: buckets first (docs/sync.md, "Inventory"). */
const CONFIG_MAPS = scaled(300, 2000);
const CHANGED = 7;
const REMOVED = 4;

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `cm-${index}`);

// What changed while an edge was away travels, and nothing else, whichever replica it comes back to.
describe('delta sync of what changed while away', function () {
  this.timeout(scaled(60_000, 300_000));
  let site: ClusterSite;
  let edge: SiteEdge;
  let round = 0;

  before(async () => {
    site = await ClusterSite.open({ replicas: 2, hub: { logLevel: 'warn' } });
    const all = names(CONFIG_MAPS);
    await site.objects.createAll(all.map((name) => configMap(name, `${name} is new`)));
    const perPod = CONFIG_MAPS / PODS;
    const pods = Array.from({ length: PODS }, (_, index) =>
      boundPod(`pod-${index}`, NODE, all.slice(index * perPod, (index + 1) * perPod)),
    );
    edge = await site.joined(NODE);
    await edge.start();
    await edge.untilInSync();
    await site.objects.createAll(pods);
    await sameView(site, edge, scaled(20_000, 60_000));
    await edge.until(({ outbox }) => outbox.waiting === 0);
  });

  after(() => site.close());

  /** Changes N objects and removes M while the line is cut; answers what travelled until the edge had it. */
  async function whileAway(
    replica: number,
    meanwhile: () => Promise<void> = () => Promise.resolve(),
  ): Promise<{ sent: number; puts: number; removes: number; inventories: number }> {
    round += 1;
    await site.link.cut();
    await edge.until(({ session }) => session.state !== 'up');
    const first = round * (CHANGED + REMOVED);
    const touched = names(CONFIG_MAPS).slice(first, first + CHANGED + REMOVED);
    await site.objects.setText(touched.slice(0, CHANGED), `changed in round ${round}`);
    await site.objects.remove(RESOURCES.configmaps, touched.slice(CHANGED));
    await meanwhile();
    const before = await edge.admin.status();
    const sent = await site.hubMetric('hawser_sync_changes_total', replica);
    const inventories = await site.hubMetric('hawser_sync_inventories_total', replica);
    await site.link.heal();
    await edge.untilInSync();
    await sameView(site, edge);
    const after = await edge.admin.status();
    const counted = (name: string): number =>
      (after.scopes[0]?.counters[name] ?? 0) - (before.scopes[0]?.counters[name] ?? 0);
    return {
      sent: (await site.hubMetric('hawser_sync_changes_total', replica)) - sent,
      inventories: (await site.hubMetric('hawser_sync_inventories_total', replica)) - inventories,
      puts: counted('puts'),
      removes: counted('removes'),
    };
  }

  const exactly = { sent: CHANGED + REMOVED, inventories: 1, puts: CHANGED, removes: REMOVED };

  it('the same replica sends what changed and what was removed', async () => {
    assert.deepEqual(await whileAway(0), exactly);
  });

  it('another replica sends no more than that', async () => {
    assert.deepEqual(
      await whileAway(1, () => {
        site.route(0, 1);
        return Promise.resolve();
      }),
      exactly,
    );
  });

  it('nor does a replica that was killed and started again', async () => {
    assert.deepEqual(
      await whileAway(1, async () => {
        await site.killHub(1);
        await site.startHub(1);
        await hubReady(1);
      }),
      exactly,
    );
  });

  it('nor one that is asked by an edge that was killed and started again', async () => {
    await edge.kill();
    await site.objects.setText(['cm-0'], 'changed while the edge was dead');
    const sent = await site.hubMetric('hawser_sync_changes_total', 1);
    await edge.start();
    await edge.untilInSync();
    await sameView(site, edge);
    assert.equal((await site.hubMetric('hawser_sync_changes_total', 1)) - sent, 1);
    assert.equal((await edge.admin.status()).scopes[0]?.counters['puts'], 1);
  });

  it('what no pod of the node needs any more goes, and its changes do not travel', async () => {
    const last = PODS - 1;
    const own = names(CONFIG_MAPS).slice((last * CONFIG_MAPS) / PODS);
    await site.objects.remove(RESOURCES.pods, [`pod-${last}`]);
    await eventually('the pod and what it needed are gone', async () => {
      const has = await edge.objects();
      return ![...own.map((name) => `configmaps/default/${name}`), `pods/default/pod-${last}`].some((key) =>
        has.has(key),
      );
    });
    await sameView(site, edge);
    const bytes = await site.hubMetric('hawser_sync_object_bytes_total', 1);
    const sent = await site.hubMetric('hawser_sync_changes_total', 1);
    await site.objects.setText(own, 'nobody reads this');
    // Sent after those, and so it would come after them.
    await site.objects.setText(['cm-1'], 'somebody reads this');
    await sameView(site, edge);
    assert.equal((await site.hubMetric('hawser_sync_changes_total', 1)) - sent, 1);
    const more = (await site.hubMetric('hawser_sync_object_bytes_total', 1)) - bytes;
    assert.ok(more < 400, `${more} bytes for one small change`);
  });

  async function hubReady(index: number): Promise<void> {
    await eventually('the hub has listed the cluster', async () => (await site.unready(index)).length === 0, {
      deadlineMs: 20_000,
    });
  }
});
