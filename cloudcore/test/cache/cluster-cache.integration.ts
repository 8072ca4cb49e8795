import assert from 'node:assert/strict';
import { eventually, within } from '@hawser/seams/testing';
import type { ClusterCache } from '../../src/cache/cluster-cache.ts';
import { configMap, node, pod, secret, startClusterSite, type ClusterSite } from './cluster-site.ts';

function keys(cache: ClusterCache, name: string): string[] {
  return [...cache.nodeView(name).hashes()].map(([key]) => key).sort();
}

describe('ClusterCache', function () {
  let site: ClusterSite;

  beforeEach(async function () {
    site = await startClusterSite();
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
    const cache = site.cache();
    await within('synced', cache.waitForSync());
    assert.deepEqual(keys(cache, 'edge-1'), [
      'configmaps/default/a',
      'nodes//edge-1',
      'pods/default/p1',
      'secrets/default/s',
    ]);
    assert.deepEqual(keys(cache, 'edge-2'), [
      'configmaps/default/a',
      'configmaps/default/b',
      'nodes//edge-2',
      'pods/default/p2',
    ]);
    assert.deepEqual(keys(cache, 'cloud-1'), []);
    assert.ok(cache.nodeView('edge-1').ready);
    const [one, two] = ['edge-1', 'edge-2'].map((name) => cache.nodeView(name).get('configmaps/default/a'));
    assert.ok(one !== undefined && one === two, 'kept once');
  });

  it('follows what happens', async function () {
    await site.create(node('edge-1'));
    const cache = site.cache();
    await within('synced', cache.waitForSync());
    await site.create(configMap('late'));
    await site.create(pod('p1', 'edge-1', { configMaps: ['late'] }));
    await eventually('the pod and its configMap', () => cache.nodeView('edge-1').size === 3);
    await site.remove('Pod', 'p1');
    await eventually('both gone', () => cache.nodeView('edge-1').size === 1);
  });
});
