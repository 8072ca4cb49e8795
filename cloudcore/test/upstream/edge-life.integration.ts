import assert from 'node:assert/strict';
import {
  defaultTolerationSeconds,
  HttpApiClient,
  MemoryStore,
  namespaceLifecycle,
  ResourceClient,
  RESOURCES,
  type KubeObject,
} from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { packJson, type UpstreamBodies, type UpstreamKind } from '@hawser/sync';
import { Registry } from 'prom-client';
import { ClusterCache } from '../../src/cache/cluster-cache.ts';
import { ApiVersionReader } from '../../src/cluster/api-version-reader.ts';
import { ReportRequests } from '../../src/sessions/report-requests.ts';
import { TolerationsController } from '../../src/tolerations/tolerations-controller.ts';
import { UpstreamRouter } from '../../src/upstream/upstream-router.ts';
import { condition, conditionsByType, nodeBody, uidOf } from './hub-fixture.ts';

const NODE = 'edge-1';
const OTHER = 'edge-2';

describe('what an edge reports, over the caches of a hub', () => {
  let kube: KubeFixture;
  let client: HttpApiClient;
  let pods: ResourceClient;
  let nodes: ResourceClient;
  let cache: ClusterCache;
  let versions: ApiVersionReader;
  let router: UpstreamRouter;
  let tolerations: TolerationsController;
  let requests: ReportRequests;
  let asked: string[];

  beforeEach(async () => {
    const store = new MemoryStore();
    const plugins = [namespaceLifecycle(store), defaultTolerationSeconds()];
    kube = await startKubeFixture({ store, server: { plugins } });
    client = new HttpApiClient({ server: kube.url });
    pods = new ResourceClient(client, RESOURCES.pods);
    nodes = new ResourceClient(client, RESOURCES.nodes);
    asked = [];
    const registry = new Registry();
    const shared = { client, registry, log: silentLogger };
    versions = new ApiVersionReader({ client, clock: systemClock });
    cache = new ClusterCache({ client, versions });
    const certificates = { peerOf: () => undefined, renew: () => Promise.reject(new Error('not here')) };
    router = new UpstreamRouter({ ...shared, view: cache, certificates });
    tolerations = new TolerationsController({ ...shared, view: cache });
    requests = new ReportRequests({ ...shared, view: cache, send: (node) => asked.push(node) });
    tolerations.start();
    cache.start();
    router.start();
    requests.start();
    await cache.waitForSync();
  });

  afterEach(async () => {
    await requests.stop();
    await router.stop();
    await tolerations.stop();
    await cache.stop();
    versions.close();
    client.close();
    await kube.stop();
  });

  async function say<K extends UpstreamKind>(
    node: string,
    kind: K,
    body: UpstreamBodies[K],
  ): Promise<number> {
    return (await router.handle(node, kind, packJson(body), new AbortController().signal)).status;
  }

  async function bind(name: string, nodeName: string): Promise<KubeObject> {
    const spec = { nodeName, containers: [{ name: 'app', image: 'app' }] };
    return pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name }, spec });
  }

  const seconds = async (name: string): Promise<(number | undefined)[]> => {
    const { spec } = (await pods.get('default', name)) as KubeObject & {
      spec: { tolerations: { tolerationSeconds?: number }[] };
    };
    return spec.tolerations.map(({ tolerationSeconds }) => tolerationSeconds);
  };

  it('a node joins, runs a pod that may stay, is marked and heals, and ends the pod', async () => {
    const release = cache.claim(NODE);
    const closed = requests.opened(NODE);
    assert.equal(await say(NODE, 'node', nodeBody()), 0);
    await eventually('the hub sees the Node', () => cache.node(NODE)?.ready === 'True');
    const pod = await bind('web', NODE);
    await eventually('the pod may stay', async () => (await seconds('web')).join() === ',');
    const ref = { namespace: 'default', name: 'web', uid: uidOf(pod) };
    const status = { phase: 'Running', conditions: [condition('Ready', 'True')] };
    assert.equal(await say(NODE, 'pod', { ...ref, status }), 0);
    assert.equal(await say(OTHER, 'pod', { ...ref, status: { phase: 'Failed' } }), 403);
    assert.equal(await say(OTHER, 'pod-gone', ref), 403);

    const unknown = [condition('Ready', 'Unknown', { reason: 'NodeStatusUnknown' })];
    await nodes.patch('', NODE, 'merge', { status: { conditions: unknown } }, { subresource: 'status' });
    await eventually('the edge is asked', () => asked.length > 0);
    assert.equal(await say(NODE, 'node', nodeBody()), 0);
    await eventually('the hub sees it', () => cache.node(NODE)?.ready === 'True');
    assert.deepEqual(asked, [NODE]);

    await pods.delete('default', 'web', { gracePeriodSeconds: 30 });
    await eventually('the hub sees the mark', () => cache.pod('default', 'web')?.deleting === true);
    assert.equal(conditionsByType(await pods.get('default', 'web'))['Ready']?.['status'], 'True');
    assert.equal(await say(NODE, 'pod-gone', ref), 0);
    await assert.rejects(pods.get('default', 'web'), { code: 'ERR_KUBE_NOT_FOUND' });
    closed();
    release();
  });

  it('pods on nodes that are no edge nodes are nobody’s business here', async () => {
    await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'cloud-1' } });
    const release = cache.claim(NODE);
    const before = await bind('in-the-cloud', 'cloud-1');
    await bind('at-the-edge', NODE);
    await eventually(
      'the pod at the edge may stay',
      async () => (await seconds('at-the-edge')).join() === ',',
    );
    const after = await pods.get('default', 'in-the-cloud');
    assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
    assert.deepEqual(await seconds('in-the-cloud'), [300, 300]);
    release();
  });

  it('the policy of a Node decides, and may be changed', async () => {
    const annotations = { 'hawser.dev/tolerations': 'keep' };
    const labels = { 'hawser.dev/edge': '' };
    for (const name of [NODE, OTHER]) {
      const metadata = { name, labels, ...(name === NODE && { annotations }) };
      await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata });
    }
    await eventually(
      'the hub sees both',
      () => cache.node(NODE) !== undefined && cache.node(OTHER) !== undefined,
    );
    await bind('kept', NODE);
    await bind('freed', OTHER);
    await eventually('the other may stay', async () => (await seconds('freed')).join() === ',');
    assert.deepEqual(await seconds('kept'), [300, 300]);
    await nodes.patch('', NODE, 'merge', { metadata: { annotations: { 'hawser.dev/tolerations': null } } });
    await eventually('it may stay', async () => (await seconds('kept')).join() === ',');
  });
});
