import assert from 'node:assert/strict';
import { ResourceClient, RESOURCES, type KubeObject } from '@hawser/kube';
import { eventually, within } from '@hawser/seams/testing';
import type { ScopeView } from '@hawser/sync';
import { node, pod, startClusterSite, type ClusterSite } from './cluster-site.ts';

function volume(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: `/mnt/${name}` },
    },
  };
}

function claim(name: string, volumeName?: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...(volumeName !== undefined && { volumeName }),
    },
  };
}

describe('volumes that claims are bound to', function () {
  let site: ClusterSite;
  let one: ScopeView;
  let two: ScopeView;

  const named = (view: ScopeView): string[] =>
    [...view.hashes()]
      .map(([key]) => key)
      .filter((key) => key.startsWith('persistentvolume'))
      .sort();

  async function show(view: ScopeView, ...keys: string[]): Promise<void> {
    const wanted = keys.map((key) => `persistentvolume${key}`).sort();
    await eventually(
      `it has ${wanted.join()}`,
      () => view.ready && named(view).join() === wanted.join(),
    ).catch((error: unknown) => {
      assert.deepEqual(named(view), wanted, String(error));
    });
  }

  beforeEach(async function () {
    site = await startClusterSite();
    await site.create(node('edge-1'));
    await site.create(node('edge-2'));
    const cache = site.cache();
    await within('synced', cache.waitForSync());
    one = cache.nodeView('edge-1');
    two = cache.nodeView('edge-2');
    for (const name of ['pv-1', 'pv-2', 'pv-3']) await site.create(volume(name));
  });

  afterEach(() => site.stop());

  it('go to the nodes of the pods that claim them, and to no other', async () => {
    await site.create(claim('a', 'pv-1'));
    await site.create(claim('b', 'pv-2'));
    await site.create(pod('p1', 'edge-1', { claims: ['a'] }));
    await site.create(pod('p2', 'edge-2', { claims: ['b'] }));
    await show(one, 'claims/default/a', 's//pv-1');
    await show(two, 'claims/default/b', 's//pv-2');
    assert.equal(one.get('persistentvolumes//pv-2'), undefined);
  });

  it('leave with the last claim that names them, and that with its last pod', async () => {
    await site.create(claim('a', 'pv-1'));
    await site.create(claim('also', 'pv-1'));
    await site.create(pod('p1', 'edge-1', { claims: ['a'] }));
    await site.create(pod('p2', 'edge-1', { claims: ['a'] }));
    await site.create(pod('p3', 'edge-1', { claims: ['also'] }));
    const all = ['claims/default/a', 'claims/default/also', 's//pv-1'];
    await show(one, ...all);
    await site.remove('Pod', 'p1');
    await eventually('the pod is gone', () => one.get('pods/default/p1') === undefined);
    await show(one, ...all);
    await site.remove('Pod', 'p2');
    await show(one, 'claims/default/also', 's//pv-1');
    await site.remove('Pod', 'p3');
    await show(one);
  });

  it('follow the claim: bound later, to another one, and to one that is not there', async () => {
    const claims = new ResourceClient(site.client, RESOURCES.persistentvolumeclaims);
    const bind = async (volumeName: string): Promise<void> => {
      const { metadata } = await claims.get('default', 'a');
      await site.remove('PersistentVolumeClaim', 'a');
      await site.create({
        ...claim('a', volumeName),
        metadata: { name: 'a', namespace: metadata.namespace ?? '' },
      });
    };
    await site.create(pod('p1', 'edge-1', { claims: ['a'] }));
    await site.create(claim('a'));
    await show(one, 'claims/default/a');
    const unbound = await claims.get('default', 'a');
    await site.update({ ...unbound, spec: { ...(unbound['spec'] as object), volumeName: 'pv-1' } });
    await show(one, 'claims/default/a', 's//pv-1');
    await bind('pv-2');
    await show(one, 'claims/default/a', 's//pv-2');
    await bind('pv-none');
    await show(one, 'claims/default/a');
  });

  it('come when they are made after their claim, change, and go', async () => {
    await site.create(claim('a', 'pv-late'));
    await site.create(pod('p1', 'edge-1', { claims: ['a'] }));
    await show(one, 'claims/default/a');
    const made = await site.create(volume('pv-late'));
    await show(one, 'claims/default/a', 's//pv-late');
    const before = one.get('persistentvolumes//pv-late')?.hash;
    await site.update({ ...made, metadata: { ...made.metadata, labels: { tier: 'fast' } } });
    await eventually('it changes', () => one.get('persistentvolumes//pv-late')?.hash !== before);
    await site.remove('PersistentVolume', 'pv-late', '');
    await show(one, 'claims/default/a');
  });

  it('go with a claim that is taken away, and come again with it', async () => {
    await site.create(claim('a', 'pv-3'));
    await site.create(pod('p1', 'edge-1', { claims: ['a'] }));
    await show(one, 'claims/default/a', 's//pv-3');
    await site.remove('PersistentVolumeClaim', 'a');
    await show(one);
    await site.create(claim('a', 'pv-3'));
    await show(one, 'claims/default/a', 's//pv-3');
  });
});
