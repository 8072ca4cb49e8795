import assert from 'node:assert/strict';
import { HttpApiClient, MemoryStore, type KubeObject } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { deferred, seededRandom } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import type { ScopeView } from '@hawser/sync';
import { DEVICE_MODELS, DEVICES } from '../../src/cache/bound-devices.ts';
import type { ClusterCache, ClusterCacheOptions } from '../../src/cache/cluster-cache.ts';
import { ApiVersionReader } from '../../src/cluster/api-version-reader.ts';
import { ChaosClient } from './chaos-client.ts';
import { definition, device } from './device-objects.ts';
import { configMap, node, pod, startClusterSite, type ClusterSite } from './cluster-site.ts';

const DEADLINE = { deadlineMs: 10_000 };

// Guard 3 of docs/sync.md, as far as it is the cache's: what it does when the API server went back.
describe('ClusterCache, when the cluster has another life', function () {
  this.timeout(30_000);
  let site: ClusterSite;
  /** The state that a backup had, behind a server of its own. */
  let restored: {
    readonly fixture: KubeFixture;
    readonly client: HttpApiClient;
    readonly store: MemoryStore;
  };
  let client: ChaosClient;
  let versions: ApiVersionReader;
  let cache: ClusterCache;
  let rollbacks: string[];
  let view: ScopeView;

  beforeEach(async () => {
    site = await startClusterSite();
    await site.create(node('edge-1'));
    await site.create(configMap('a', { v: 'old' }));
    await site.create(pod('p1', 'edge-1', { configMaps: ['a', 'b'] }));
    const store = new MemoryStore();
    for (const resource of ['namespaces', 'nodes', 'configmaps', 'pods'])
      for (const { key, object } of site.fixture.store.list({ group: '', resource }).entries)
        await store.create(key, object);
    const fixture = await startKubeFixture({ store, namespaces: [] });
    restored = { store, fixture, client: new HttpApiClient({ server: fixture.url }) };
    client = new ChaosClient(site.client, seededRandom(1));
    versions = new ApiVersionReader({ client });
    rollbacks = [];
    for (let round = 0; round < 20; round += 1) await site.create(configMap(`more-${round}`));
    await site.create(configMap('b'));
    await site.create(pod('p2', 'edge-1'));
    const path = '/api/v1/namespaces/default/configmaps/a';
    const present = (await site.client.request({ method: 'GET', path })) as KubeObject;
    await site.update({ ...present, data: { v: 'new' } });
  });

  afterEach(async () => {
    await site.stop();
    versions.close();
    restored.client.close();
    await restored.fixture.stop();
  });

  async function start(options: Partial<ClusterCacheOptions> = {}, size = 5): Promise<void> {
    cache = site.cache({
      ...{ client, versions, random: { next: () => 0.005 } },
      onRollback: (resource) => rollbacks.push(resource),
      ...options,
    });
    await within('synced', cache.waitForSync());
    view = cache.nodeView('edge-1');
    assert.deepEqual([view.size, valueOfA()], [size, 'new']);
  }

  /** The state before answers from now on, without its history; every watch is cut, as when a server is restarted. */
  function restore(): void {
    client.inner = restored.client;
    client.chaos = { ...client.chaos, expiry: 1 };
    site.client.close();
  }

  function valueOfA(): string | undefined {
    const text = Buffer.from(view.get('configmaps/default/a')?.bytes ?? []).toString();
    return /"v":"(\w+)"/.exec(text)?.[1];
  }

  it('says it once, and is not ready; scopes show what they had', async function () {
    await start();
    let told = 0;
    view.listen({ changed: () => (told += 1), ready: () => (told += 1) });
    const lists = listsOf(client);
    restore();
    await eventually('noticed', () => rollbacks.length > 0, DEADLINE);
    assert.deepEqual([cache.ready, view.ready, cache.relisting], [false, false, true]);
    await eventually('others have listed too', () => listsOf(client) >= lists + 4, DEADLINE);
    // Of what happens in the new life nothing is shown either.
    await restored.client.request({
      ...{ method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod('p3', 'edge-1') },
    });
    await assert.rejects(view.catchUp(AbortSignal.timeout(1000)));
    assert.deepEqual([view.size, valueOfA(), told], [5, 'new', 0]);
    assert.equal(rollbacks.length, 1);
    await assert.rejects(cache.waitForSync(AbortSignal.abort(new Error('not yet'))), { message: 'not yet' });
  });

  it('lists all anew when it is told of the new life, which is no news then', async function () {
    await start();
    restore();
    await eventually('noticed', () => rollbacks.length > 0, DEADLINE);
    const ready = deferred();
    view.listen({ changed: () => {}, ready: () => ready.resolve() });
    client.calm();
    cache.relist();
    assert.equal(cache.ready, false);
    await within('listed', cache.waitForSync());
    assert.deepEqual([cache.ready, cache.relisting, view.ready], [true, false, true]);
    assert.deepEqual([view.size, valueOfA()], [3, 'old']);
    await within('scopes say so', ready.promise);
    assert.equal(rollbacks.length, 1);
    await within('as new as the server', view.catchUp(AbortSignal.timeout(5000)));
  });

  it('lists all anew though it had noticed nothing, and forgets what it knew, however new', async function () {
    await start();
    // Another replica was faster, and much was written since: no list looks older than what was there.
    for (let round = 0; round < 40; round += 1)
      await restored.client.request({
        ...{
          method: 'POST',
          path: '/api/v1/namespaces/default/configmaps',
          body: configMap(`then-${round}`),
        },
      });
    client.inner = restored.client;
    assert.equal(cache.ready, true);
    cache.relist();
    assert.equal(cache.ready, false);
    await within('listed', cache.waitForSync());
    assert.deepEqual([view.size, valueOfA()], [3, 'old']);
    assert.deepEqual(rollbacks, []);
  });

  it('notices when it happens once more', async function () {
    await start();
    cache.relist();
    await within('listed', cache.waitForSync());
    restore();
    await eventually('noticed', () => rollbacks.length > 0, DEADLINE);
    assert.equal(cache.ready, false);
  });

  it('is ready only after the last of several lives, whichever way they come', async function () {
    await start();
    const thaw = deferred();
    client.frozen = { until: thaw.promise, paths: /\/secrets$/ };
    cache.relist();
    cache.relist();
    await assert.rejects(cache.waitForSync(AbortSignal.timeout(300)));
    assert.deepEqual([cache.ready, cache.relisting], [false, true]);
    cache.relist();
    client.frozen = undefined;
    thaw.resolve();
    await within('listed', cache.waitForSync());
    assert.deepEqual([view.size, cache.relisting], [5, false]);
  });

  it('does not wait for a resource that the other life does not have', async function () {
    await site.create(definition(DEVICES));
    await site.create(definition(DEVICE_MODELS));
    const devices = {
      method: 'POST',
      path: '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices',
    } as const;
    await eventually('devices are served', () =>
      site.client.request({ ...devices, body: device('d', 'edge-1', 'm') }).then(
        () => true,
        () => false,
      ),
    );
    await start({ presenceIntervalMs: 50 }, 6);
    client.inner = restored.client;
    cache.relist();
    await within('listed', cache.waitForSync());
    assert.deepEqual([view.size, valueOfA()], [3, 'old']);
  });

  it('lists anew by itself where nobody wants to hear of it', async function () {
    await start({ onRollback: undefined } as unknown as Partial<ClusterCacheOptions>);
    restore();
    await eventually('the older state', () => view.size === 3 && cache.ready, DEADLINE);
    assert.equal(valueOfA(), 'old');
  });

  it('lets go of who waits when it is stopped in the middle', async function () {
    await start();
    client.frozen = { until: new Promise(() => {}), paths: /./ };
    cache.relist();
    const letGo = assert.rejects(cache.waitForSync(), { code: 'ERR_CLOUDCORE_CLOSED' });
    await cache.stop();
    await letGo;
    cache.relist();
    assert.equal(cache.ready, false);
  });
});

function listsOf({ calls }: ChaosClient): number {
  return calls.filter((call) => call.includes('sendInitialEvents=true')).length;
}
