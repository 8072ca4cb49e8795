import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { acceptCluster, HAWSER_NAMESPACE, OBJECTS } from '@hawser/cloudcore';
import { RESOURCES } from '@hawser/kube';
import { eventually, makeTempDir, soaking, type TempDir } from '@hawser/seams/testing';
import { ApiProxy } from '../../src/cluster-site/api-proxy.ts';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { allRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODES = ['edge-1', 'edge-2'];
/** Nodes, pods, and the five kinds that pods name: a hub lists more only where it is served. */
const RESOURCES_LISTED = 7;
/** More than a hub writes while it starts: the restored state is older than what the edges were given. */
const LATER = Array.from({ length: 60 }, (_, index) => `later-${index}`);

// Rule 3 of docs/sync.md, "Guards": a backup is restored, and the API server is older than what its edges have.
describe('an API server that was restored to an older state', function () {
  this.timeout(120_000);
  let site: ClusterSite;
  let edges: SiteEdge[];
  /** Between the API server and the second replica. */
  let proxy: ApiProxy;
  let temp: TempDir;
  let dataDir: string;
  let port: number;

  before(async () => {
    temp = await makeTempDir();
    dataDir = path.join(temp.path, 'data');
    site = await ClusterSite.open({
      controlPlane: { dataDir, controllers: true },
      hub: { massRemovalDelaySeconds: 1, logLevel: 'error' },
    });
    proxy = await ApiProxy.open(site.kubeconfig);
    const kubeconfig = path.join(site.dir, 'proxied');
    await proxy.writeKubeconfig(kubeconfig);
    await site.startHub(1, { kubeconfig });
    port = Number(new URL((site.controlPlane.ready as { url: string }).url).port);
    edges = await Promise.all(NODES.map((node) => site.edge(node)));
    await site.objects.createAll(NODES.map((node) => boundPod(`early-${node}`, node)));
    await allRunning(
      site,
      NODES.map((node) => `early-${node}`),
    );
  });

  after(async () => {
    proxy.release();
    await site.close();
    await proxy.stop();
    await temp.remove();
  });

  async function backUp(): Promise<string> {
    const copy = path.join(temp.path, `backup-${performance.now()}`);
    await site.stopControlPlane();
    await cp(dataDir, copy, { recursive: true });
    await site.startControlPlane({ port });
    return copy;
  }

  async function restore(copy: string): Promise<void> {
    await site.stopControlPlane();
    await rm(dataDir, { recursive: true });
    await cp(copy, dataDir, { recursive: true });
    await site.startControlPlane({ port });
  }

  /** Gives the edges something that the backup does not have. */
  async function goOn(prefix: string): Promise<void> {
    await site.objects.createAll(LATER.map((name) => configMap(`${prefix}-${name}`, 'later')));
    const pods = NODES.map((node) => boundPod(`${prefix}-${node}`, node, [`${prefix}-${LATER[0] ?? ''}`]));
    await site.objects.createAll(pods);
    await allRunning(
      site,
      NODES.map((node) => `${prefix}-${node}`),
      40_000,
    );
    for (const edge of edges) await sameView(site, edge, 40_000);
  }

  async function heldAndWhole(had: readonly ReadonlyMap<string, string>[]): Promise<void> {
    for (const [index, edge] of edges.entries()) {
      const { cluster } = await edge.until(({ session }) => session.state === 'held', 60_000);
      assert.match(cluster.held?.why ?? '', /went back to an older one/);
      assert.equal(cluster.held?.clusterUid, cluster.accepted?.clusterUid);
      assert.deepEqual(await edge.objects(), had[index]);
    }
  }

  /** Incarnations, the present one first. */
  async function lives(): Promise<readonly string[]> {
    const configMap = await site.objects.get(RESOURCES.configmaps, OBJECTS.cluster, HAWSER_NAMESPACE);
    const { incarnation = '', previous = '' } = configMap['data'] as Readonly<Record<string, string>>;
    return [incarnation, ...previous.split('\n').filter((life) => life !== '')];
  }

  async function bothReady(): Promise<void> {
    for (const index of [0, 1])
      await eventually('the hub is ready', async () => (await site.unready(index)).length === 0, {
        deadlineMs: 40_000,
      });
  }

  async function allAccepted(): Promise<void> {
    await acceptCluster({ client: site.client });
    for (const edge of edges) {
      await edge.until(({ session }) => session.state === 'up', 60_000);
      await sameView(site, edge, 40_000);
      await edge.untilInSync();
    }
  }

  it('is noticed by what an edge was given, though the hub remembers nothing', async () => {
    const copy = await backUp();
    await goOn('first');
    const had = await Promise.all(edges.map((edge) => edge.objects()));
    await bothReady();
    // The second replica knows as much as the edges, and hears of nothing for now.
    proxy.stall(() => true);
    await site.killHub();
    await restore(copy);
    await site.startHub();
    await heldAndWhole(had);
    assert.equal((await lives()).length, 2);
  });

  it('and an operator in the cloud lets all edges go on', async () => {
    await allAccepted();
    for (const edge of edges) assert.ok(!(await edge.objects()).has(`pods/default/first-${edge.node}`));
  });

  it('once: a replica that notices later knows of no other life, and serves this one', async () => {
    const [before] = await lives();
    const changed = (): Promise<number> => site.hubMetric('hawser_reflector_relists_total', 1);
    assert.equal(await changed(), 0);
    proxy.release();
    await eventually('it lists all anew', async () => (await changed()) >= RESOURCES_LISTED, {
      deadlineMs: 40_000,
    });
    await bothReady();
    site.route(0, 1);
    site.link.reset();
    await eventually(
      'the other replica has them',
      async () => (await site.hubMetric('hawser_tunnel_connections', 1)) >= NODES.length,
      { deadlineMs: 40_000 },
    );
    for (const edge of edges) {
      await edge.until(({ session }) => session.state === 'up', 40_000);
      await edge.untilInSync();
      await sameView(site, edge, 40_000);
    }
    assert.deepEqual((await lives())[0], before);
    assert.equal((await lives()).length, 2);
  });

  // Two more restarts of the control plane: for the long run. What notices it has unit tests.
  if (soaking) {
    it('is noticed by two hubs that go on, and declared once', async () => {
      const copy = await backUp();
      await goOn('second');
      const had = await Promise.all(edges.map((edge) => edge.objects()));
      await bothReady();
      await restore(copy);
      await heldAndWhole(had);
      await bothReady();
      await allAccepted();
      assert.equal((await lives()).length, 3);
    });
  }
});
