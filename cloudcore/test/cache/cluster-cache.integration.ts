import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';
import { deferred, seededRandom } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { DigestTree, type ScopeView } from '@hawser/sync';
import { Registry } from 'prom-client';
import { DEVICE_MODELS, DEVICES } from '../../src/cache/bound-devices.ts';
import type { ClusterCache } from '../../src/cache/cluster-cache.ts';
import { LABELS } from '../../src/cluster/names.ts';
import { ChaosClient } from './chaos-client.ts';
import { definition, device, model } from './device-objects.ts';
import { configMap, node, pod, secret, startClusterSite, type ClusterSite } from './cluster-site.ts';

function keys(view: ScopeView): string[] {
  return [...view.hashes()].map(([key]) => key).sort();
}

async function synced(cache: ClusterCache): Promise<ClusterCache> {
  await within('synced', cache.waitForSync());
  return cache;
}

describe('ClusterCache', function () {
  let site: ClusterSite;

  beforeEach(async function () {
    site = await startClusterSite({}, { Device: DEVICES, DeviceModel: DEVICE_MODELS });
  });

  afterEach(async function () {
    await site.stop();
  });

  it('gives a node its Node, its pods and what they name, and nothing else', async function () {
    await site.create(node('edge-1'));
    await site.create(node('edge-2'));
    await site.create(node('cloud-1', { edge: false }));
    for (const name of ['a', 'b', 'c']) await site.create(configMap(name));
    for (const name of ['s', 't']) await site.create(secret(name));
    await site.create(pod('p1', 'edge-1', { configMaps: ['a', 'missing'], secrets: ['s'] }));
    await site.create(pod('p2', 'edge-2', { configMaps: ['a', 'b'] }));
    await site.create(pod('p3', 'cloud-1', { configMaps: ['c'], secrets: ['t'] }));
    const registry = new Registry();
    const cache = await synced(site.cache({ registry }));
    const one = cache.nodeView('edge-1');
    const two = cache.nodeView('edge-2');
    assert.deepEqual(keys(one), [
      'configmaps/default/a',
      'nodes//edge-1',
      'pods/default/p1',
      'secrets/default/s',
    ]);
    assert.deepEqual(keys(two), [
      'configmaps/default/a',
      'configmaps/default/b',
      'nodes//edge-2',
      'pods/default/p2',
    ]);
    assert.deepEqual(keys(cache.nodeView('cloud-1')), []);
    assert.ok(one.ready && two.ready);
    assert.equal(one.get('configmaps/default/a'), two.get('configmaps/default/a'), 'kept once');
    assert.equal(one.get('configmaps/default/b'), undefined);
    assert.equal(one, cache.nodeView('edge-1'));
    assert.deepEqual([...one.digest()], [...DigestTree.of(one.hashes()).digest()]);
    const metrics = await registry.metrics();
    for (const line of [
      'hawser_cache_objects{resource="configmaps"} 2',
      'hawser_cache_objects{resource="secrets"} 1',
      'hawser_cache_objects{resource="pods"} 2',
      'hawser_cache_edge_nodes 2',
      'hawser_cache_fetches_pending 0',
    ]) {
      assert.ok(metrics.includes(`${line}\n`), line);
    }
    assert.ok(!metrics.includes('hawser_cache_fetches_total{'), 'the first lists tell everything');
  });

  it('leaves out the status of pods and nodes, so that what an edge reports does not come back', async function () {
    await site.create(node('edge-1'));
    const created = await site.create(pod('p1', 'edge-1'));
    const cache = await synced(site.cache());
    const view = cache.nodeView('edge-1');
    const told: string[] = [];
    view.listen({ changed: (key) => told.push(key), ready() {} });
    const digest = view.digest();
    const path = '/api/v1/namespaces/default/pods/p1/status';
    await site.client.request({ method: 'PUT', path, body: { ...created, status: { phase: 'Running' } } });
    await site.create(pod('p2', 'edge-1'));
    await eventually('the later change', () => told.includes('pods/default/p2'));
    assert.deepEqual(told, ['pods/default/p2']);
    await site.remove('Pod', 'p2');
    await eventually('as before', () => view.size === 2);
    assert.deepEqual(view.digest(), digest);
  });

  it('lets an ended pod hold nothing but itself', async function () {
    await site.create(node('edge-1'));
    await site.create(configMap('a'));
    const created = await site.create(pod('p1', 'edge-1', { configMaps: ['a'] }));
    const view = (await synced(site.cache())).nodeView('edge-1');
    assert.equal(view.size, 3);
    const path = '/api/v1/namespaces/default/pods/p1/status';
    await site.client.request({ method: 'PUT', path, body: { ...created, status: { phase: 'Succeeded' } } });
    await eventually('the configMap is gone', () => view.size === 2);
    assert.deepEqual(keys(view), ['nodes//edge-1', 'pods/default/p1']);
  });

  it('fetches what becomes needed, and is not ready meanwhile', async function () {
    await site.create(node('edge-1'));
    await site.create(configMap('late'));
    const registry = new Registry();
    const client = new ChaosClient(site.client, seededRandom(1));
    const cache = await synced(site.cache({ client, registry }));
    const view = cache.nodeView('edge-1');
    const events: string[] = [];
    view.listen({ changed: (key) => events.push(key), ready: () => events.push('ready') });
    client.chaos = { ...client.chaos, failure: 1 };
    await site.create(pod('p1', 'edge-1', { configMaps: ['late', 'missing'] }));
    await eventually('the pod', () => events.includes('pods/default/p1'));
    assert.equal(view.ready, false);
    assert.equal(view.get('configmaps/default/late'), undefined);
    await eventually('a failed fetch is counted', async () =>
      (await registry.metrics()).includes(
        'hawser_cache_fetches_total{resource="configmaps",outcome="error"}',
      ),
    );
    client.calm();
    await eventually('ready', () => view.ready);
    await eventually('told', () => events.at(-1) === 'ready');
    assert.deepEqual(events, ['pods/default/p1', 'configmaps/default/late', 'ready']);
    assert.equal(view.size, 3);
    await site.create(configMap('missing'));
    await eventually('what was absent comes by the watch', () => view.size === 4);
  });

  it('takes a claimed node for an edge node, with the pods that it has, and lets go of it', async function () {
    await site.create(node('plain', { edge: false }));
    await site.create(configMap('a'));
    await site.create(pod('p1', 'plain', { configMaps: ['a'] }));
    const cache = await synced(site.cache());
    const view = cache.nodeView('plain');
    assert.deepEqual([view.size, view.ready, cache.node('plain')], [0, true, undefined]);
    const releases = [cache.claim('plain'), cache.claim('plain')];
    assert.equal(view.ready, false);
    await eventually('ready', () => view.ready);
    assert.deepEqual(keys(view), ['configmaps/default/a', 'nodes//plain', 'pods/default/p1']);
    assert.ok(cache.node('plain'));
    releases[0]?.();
    releases[0]?.();
    assert.equal(view.size, 3, 'the other session still claims it');
    releases[1]?.();
    assert.equal(view.size, 0);
    assert.equal(cache.pod('default', 'p1'), undefined);
  });

  it('has a claimed node that does not exist be there, empty, and find it when it comes', async function () {
    const cache = await synced(site.cache());
    cache.claim('new');
    const view = cache.nodeView('new');
    await eventually('ready', () => view.ready);
    assert.equal(view.size, 0);
    await site.create(node('new'));
    await eventually('the Node', () => view.size === 1);
    assert.equal(cache.node('new')?.labels[LABELS.edge], '');
  });

  it('keeps the pods of a node whose Node was deleted until they are deleted', async function () {
    await site.create(node('edge-1'));
    await site.create(configMap('a'));
    await site.create(pod('p1', 'edge-1', { configMaps: ['a'] }));
    const cache = await synced(site.cache());
    const view = cache.nodeView('edge-1');
    await site.remove('Node', 'edge-1');
    await eventually('the Node is gone', () => view.get('nodes//edge-1') === undefined);
    assert.deepEqual(keys(view), ['configmaps/default/a', 'pods/default/p1']);
    await site.remove('Pod', 'p1');
    await eventually('all is gone', () => view.size === 0);
    await site.create(pod('p2', 'edge-1'));
    await site.create(node('edge-1'));
    await eventually('it is an edge node again', () => view.size === 2);
  });

  it('tells facts of pods and nodes, and who listens when they change', async function () {
    await site.create(node('edge-1'));
    const created = await site.create({
      ...pod('p1', 'edge-1'),
      spec: { ...(pod('p1', 'edge-1')['spec'] as object), serviceAccountName: 'runner' },
    });
    const cache = await synced(site.cache());
    assert.deepEqual(cache.pod('default', 'p1'), {
      uid: created.metadata.uid,
      nodeName: 'edge-1',
      deleting: false,
      serviceAccountName: 'runner',
    });
    const pods: string[] = [];
    const nodes: string[] = [];
    const stop = cache.onPod((namespace, name) => pods.push(`${namespace}/${name}`));
    cache.onPod(() => {
      throw new Error('a listener that fails harms no other');
    });
    cache.onNode((name) => nodes.push(name));
    assert.deepEqual([pods, nodes], [['default/p1'], ['edge-1']]);
    const path = '/api/v1/namespaces/default/pods/p1';
    await site.client.request({ method: 'DELETE', path, body: { gracePeriodSeconds: 30 } });
    await eventually('deleting', () => cache.pod('default', 'p1')?.deleting === true);
    assert.deepEqual(pods, ['default/p1', 'default/p1']);
    stop();
    await site.remove('Pod', 'p1');
    await eventually('gone', () => cache.pod('default', 'p1') === undefined);
    assert.equal(pods.length, 2);
    const body = { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } };
    const contentType = 'application/merge-patch+json';
    await site.client.request({ method: 'PATCH', path: '/api/v1/nodes/edge-1/status', body, contentType });
    await eventually('ready is unknown', () => cache.node('edge-1')?.ready === 'Unknown');
    assert.deepEqual(nodes, ['edge-1', 'edge-1']);
    // A heartbeat changes no fact.
    const beat = {
      status: {
        conditions: [{ type: 'Ready', status: 'Unknown', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
      },
    };
    await site.client.request({
      method: 'PATCH',
      path: '/api/v1/nodes/edge-1/status',
      body: beat,
      contentType,
    });
    await site.create(node('edge-2'));
    await eventually('the other node', () => nodes.includes('edge-2'));
    assert.deepEqual(nodes, ['edge-1', 'edge-1', 'edge-2']);
  });

  it('gives devices and their models once their definitions are there', async function () {
    await site.create(node('edge-1'));
    const cache = await synced(site.cache({ presenceIntervalMs: 20 }));
    const view = cache.nodeView('edge-1');
    assert.ok(view.ready, 'without definitions there is nothing to wait for');
    await site.create(definition(DEVICES));
    await eventually('served', () =>
      site.create(device('d1', 'edge-1', 'm1')).then(
        () => true,
        () => false,
      ),
    );
    await eventually('the device', () => view.get('devices.devices.kubeedge.io/default/d1') !== undefined);
    assert.ok(view.ready, 'a model cannot exist yet');
    await site.create(definition(DEVICE_MODELS));
    await eventually('served', () =>
      site.create(model('m1')).then(
        () => true,
        () => false,
      ),
    );
    await eventually(
      'its model',
      () => view.get('devicemodels.devices.kubeedge.io/default/m1') !== undefined,
    );
    const present = view.get('devices.devices.kubeedge.io/default/d1');
    assert.ok(present !== undefined);
    const read = (await site.client.request({
      method: 'GET',
      path: '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/d1',
    })) as KubeObject;
    await site.update({ ...read, spec: { nodeName: 'edge-2', deviceModelRef: { name: 'm1' } } });
    await eventually('moved', () => cache.nodeView('edge-2').size === 2);
    assert.deepEqual(keys(view), ['nodes//edge-1']);
    const again = (await site.client.request({
      method: 'GET',
      path: '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/d1',
    })) as KubeObject;
    await site.update({ ...again, spec: { deviceModelRef: { name: 'm1' } } });
    await eventually('unbound', () => cache.nodeView('edge-2').size === 0);
  });

  it('gives configured resources to the nodes that a selector matches', async function () {
    const services = { group: '', version: 'v1', resource: 'services', kind: 'Service', namespaced: true };
    const service = (name: string): KubeObject => ({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' } },
      spec: { clusterIP: 'None', ports: [{ port: 80 }] },
    });
    await site.create(node('edge-1', { labels: { site: 'a' } }));
    await site.create(node('edge-2'));
    await site.create(node('cloud-1', { edge: false, labels: { site: 'a' } }));
    await site.create(service('one'));
    const cache = await synced(site.cache({ resources: [{ ...services, nodeSelector: 'site=a' }] }));
    const [one, two] = [cache.nodeView('edge-1'), cache.nodeView('edge-2')];
    assert.deepEqual([one, two, cache.nodeView('cloud-1')].map(keys), [
      ['nodes//edge-1', 'services/default/one'],
      ['nodes//edge-2'],
      [],
    ]);
    assert.equal(one.size, 2);
    const told: string[] = [];
    two.listen({ changed: (key) => told.push(key), ready() {} });
    const before = two.digest();
    await site.update(node('edge-2', { labels: { site: 'a' } }));
    await eventually('its labels match now', () => two.get('services/default/one') !== undefined);
    assert.notDeepEqual(two.digest(), before);
    await site.create(service('two'));
    await eventually('another one', () => one.size === 3 && two.size === 3);
    await site.remove('Service', 'one');
    await eventually('gone', () => one.size === 2 && two.get('services/default/one') === undefined);
    await eventually('told', () => told.length >= 4);
    assert.deepEqual(
      new Set(told),
      new Set(['nodes//edge-2', 'services/default/one', 'services/default/two']),
    );
    await within('caught up', one.catchUp(AbortSignal.timeout(5000)));
    assert.throws(
      () =>
        site.cache({ resources: [{ ...services, resource: 'secrets', kind: 'Secret', nodeSelector: '' }] }),
      { code: 'ERR_CLOUDCORE_RESOURCE' },
    );
  });

  it('stamps the highest version that it has seen', async function () {
    await site.create(node('edge-1'));
    const cache = await synced(site.cache({ stamp: (version) => Buffer.from(version) }));
    const view = cache.nodeView('edge-1');
    const created = await site.create(pod('p1', 'edge-1'));
    await eventually('the pod', () => view.size === 2);
    assert.equal(Buffer.from(view.stamp()).toString(), created.metadata.resourceVersion);
  });

  it('catches up where a resource is quiet, and not before a frozen watch has brought what there is', async function () {
    await site.create(node('edge-1'));
    await site.create(configMap('a'));
    await site.create(pod('p1', 'edge-1', { configMaps: ['a'] }));
    const client = new ChaosClient(site.client, seededRandom(1));
    const cache = await synced(site.cache({ client }));
    const view = cache.nodeView('edge-1');
    await site.create(secret('unrelated'));
    await within('quiet resources are compared', view.catchUp(AbortSignal.timeout(5000)));
    const thaw = deferred();
    client.frozen = { until: thaw.promise, paths: /\/pods$/ };
    await site.remove('Pod', 'p1');
    let caughtUp = false;
    const waiting = view.catchUp(AbortSignal.timeout(10_000)).then(() => (caughtUp = true));
    await eventually('compared', () => client.calls.filter((call) => call.includes('nodeName')).length >= 3);
    assert.equal(caughtUp, false);
    assert.equal(view.size, 3);
    client.frozen = undefined;
    thaw.resolve();
    await within('caught up', waiting);
    assert.equal(view.size, 1);
    await assert.rejects(view.catchUp(AbortSignal.abort(new Error('no more'))), { message: 'no more' });
  });

  it('lets go of who waits for it when it is stopped', async function () {
    const client = new ChaosClient(site.client, seededRandom(1), { failure: 1, refusal: 1 });
    const cache = site.cache({ client });
    const waiting = cache.waitForSync();
    await assert.rejects(cache.waitForSync(AbortSignal.abort(new Error('enough'))), { message: 'enough' });
    await cache.stop();
    await assert.rejects(waiting, { code: 'ERR_CLOUDCORE_CLOSED' });
    await cache.stop();
    assert.equal(cache.ready, false);
  });
});
