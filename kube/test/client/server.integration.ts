import assert from 'node:assert/strict';
import { delay, randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import {
  HttpApiClient,
  type Informer,
  LeaderElector,
  MemoryStore,
  objectInformer,
  reflectorMetrics,
  ResourceClient,
  resourceListerWatcher,
  RESOURCES,
  StatusError,
  type KubeObject,
} from '../../src/index.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/index.ts';
import { Registry } from 'prom-client';
import { CuttingProxy } from './cutting-proxy.ts';

const NAMESPACES = Array.from({ length: 8 }, (_, i) => `ns${i}`);
const WRITERS = 8;
const INFORMERS = 50;

function configMap(namespace: string, name: string, more: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, ...more };
}

describe('the client against the real server', () => {
  let fixture: KubeFixture;
  let proxy: CuttingProxy;
  let proxied: HttpApiClient;
  let direct: HttpApiClient;
  let informers: { stop(): Promise<void> }[];
  let writes: number;

  beforeEach(async () => {
    // A short history, so that disconnects end in 410 now and then.
    fixture = await startKubeFixture({
      store: new MemoryStore({ historyEvents: 30 }),
      namespaces: ['default', 'kube-system', ...NAMESPACES],
      server: { limits: { bookmarkMs: 200, stopMs: 200 } },
    });
    proxy = new CuttingProxy(Number(new URL(fixture.url).port));
    proxied = new HttpApiClient({ server: await proxy.start() });
    direct = new HttpApiClient({ server: fixture.url });
    informers = [];
    writes = 0;
  });

  afterEach(async () => {
    await Promise.all(informers.map((informer) => informer.stop()));
    proxied.close();
    direct.close();
    await proxy.stop();
    await fixture.stop();
  });

  const versions = (
    entries: Iterable<{ namespace: string; name: string; resourceVersion: string }>,
  ): string[] =>
    [...entries].map((entry) => `${entry.namespace}/${entry.name}@${entry.resourceVersion}`).sort();

  function stored(
    select: (labels: Readonly<Record<string, string>>, namespace: string) => boolean,
  ): string[] {
    const { entries } = fixture.store.list({ group: '', resource: 'configmaps' });
    return versions(
      entries
        .filter(({ object, key }) => select(object.metadata.labels ?? {}, key.namespace))
        .map(({ key, resourceVersion }) => ({ ...key, resourceVersion: String(resourceVersion) })),
    );
  }

  /** Random creations, changes, deletions; refusals of the server that come of racing writers are part of it. */
  async function writer(random: Random, signal: AbortSignal): Promise<void> {
    const maps = new ResourceClient(direct, RESOURCES.configmaps);
    while (!signal.aborted) {
      const namespace = NAMESPACES[randomBelow(random, NAMESPACES.length)] ?? '';
      const name = `c${randomBelow(random, 12)}`;
      const labels = { color: random.next() < 0.5 ? 'red' : 'blue' };
      const data = { value: 'x'.repeat(randomBelow(random, 2000)) };
      try {
        if (random.next() < 0.3) await maps.delete(namespace, name);
        else if (random.next() < 0.5)
          await maps.patch(namespace, name, 'merge', { metadata: { labels }, data });
        else await maps.create(configMap(namespace, name, { metadata: { namespace, name, labels }, data }));
        writes += 1;
      } catch (error) {
        if (!(error instanceof StatusError) || ![404, 409].includes(error.status.code)) throw error;
      }
      await delay(random.next() * 8);
    }
  }

  it('8 writers, 50 informers, random cuts: every view ends equal to the store', async function () {
    this.timeout(scaled(30_000, 180_000));
    const random = seededRandom(20_261_121);
    const metrics = reflectorMetrics(new Registry());
    const views: [Informer, (labels: Readonly<Record<string, string>>, namespace: string) => boolean][] = [];
    const wrong: string[] = [];
    for (let i = 0; i < INFORMERS; i++) {
      const namespace = i % 5 === 0 ? undefined : NAMESPACES[i % NAMESPACES.length];
      const color = i % 3 === 0 ? 'red' : undefined;
      const scope = {
        ...(namespace !== undefined && { namespace }),
        ...(color !== undefined && { labelSelector: `color=${color}` }),
      };
      const informer = objectInformer({
        name: 'configmaps',
        listerWatcher: resourceListerWatcher(proxied, RESOURCES.configmaps, scope),
        streamingLists: i % 2 === 0,
        pageSize: 7,
        backoffBaseMs: 50,
        backoffCapMs: 300,
        minWatchSeconds: 2,
        metrics,
      });
      const heard = new Map<string, number>();
      informer.addHandler((old, current) => {
        const { key } = current ?? old ?? { key: '' };
        const version = Number(current?.resourceVersion ?? 0);
        if (current !== undefined && version <= (heard.get(key) ?? 0))
          wrong.push(`${key} back to ${version}`);
        if (current === undefined) heard.delete(key);
        else heard.set(key, version);
      });
      views.push([
        informer,
        (labels, ns) => (namespace ?? ns) === ns && (color === undefined || labels['color'] === color),
      ]);
      informers.push(informer);
      informer.start();
    }
    const over = new AbortController();
    const writers = Array.from({ length: WRITERS }, (_, i) => writer(seededRandom(i + 1), over.signal));
    const sum = async (counter: { get(): Promise<{ values: { value: number }[] }> }): Promise<number> =>
      (await counter.get()).values.reduce((total, { value }) => total + value, 0);
    const untilMs = performance.now() + scaled(2000, 60_000);
    // On a busy machine it takes longer until enough has happened.
    while (
      performance.now() < untilMs ||
      writes < 300 ||
      proxy.cuts < 50 ||
      (await sum(metrics.relists)) === 0
    ) {
      await delay(10);
      proxy.cut((count) => randomBelow(random, count));
    }
    over.abort();
    await Promise.all(writers);
    for (const [informer, select] of views) {
      await eventually('a view equal to the store', () => {
        return JSON.stringify(versions(informer.lister.list())) === JSON.stringify(stored(select));
      });
    }
    assert.deepEqual(wrong, []);
    assert.ok((await sum(metrics.events)) > writes, 'hardly an event');
    await Promise.all(informers.map((informer) => informer.stop()));
    proxied.close();
    await eventually('all connections closed', () => proxy.open === 0);
  });

  it('informers live through a server that restarts with the same state', async () => {
    const { store } = fixture;
    const maps = new ResourceClient(direct, RESOURCES.configmaps);
    await maps.create(configMap('ns0', 'before'));
    const metrics = reflectorMetrics(new Registry());
    const informer = objectInformer({
      name: 'configmaps',
      listerWatcher: resourceListerWatcher(proxied, RESOURCES.configmaps),
      backoffBaseMs: 20,
      backoffCapMs: 100,
      metrics,
    });
    informers.push(informer);
    informer.start();
    await informer.waitForSync();
    await fixture.server.stop();
    await store.create(
      { group: '', resource: 'configmaps', namespace: 'ns0', name: 'meanwhile' },
      configMap('ns0', 'meanwhile'),
    );
    assert.equal(informer.lister.size, 1, 'what was known stays while the server is away');
    const second = await startKubeFixture({ store, namespaces: [], server: { limits: { stopMs: 200 } } });
    try {
      proxy.targetPort = Number(new URL(second.url).port);
      await eventually(
        'what was written meanwhile',
        () => informer.lister.get('ns0', 'meanwhile') !== undefined,
      );
      assert.equal(informer.lister.size, 2);
      assert.equal(
        (await metrics.lists.get()).values.reduce((sum, { value }) => sum + value, 0),
        1,
        'no relist',
      );
    } finally {
      await informer.stop();
      await second.server.stop();
    }
  });

  it('a resource client creates, reads, lists, changes, conflicts and deletes', async () => {
    const maps = new ResourceClient(direct, RESOURCES.configmaps);
    const created = await maps.create(configMap('ns0', 'a', { data: { v: '1' } }));
    assert.match(created.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
    const changed = await maps.update({ ...created, data: { v: '2' } });
    await assert.rejects(maps.update({ ...created, data: { v: '3' } }), { code: 'ERR_KUBE_CONFLICT' });
    const patched = await maps.patch('ns0', 'a', 'merge', { data: { w: 'x' } });
    assert.deepEqual(patched['data'], { v: '2', w: 'x' });
    assert.notEqual(changed.metadata.resourceVersion, patched.metadata.resourceVersion);
    assert.deepEqual(await maps.get('ns0', 'a'), patched);
    for (const name of ['b', 'c']) await maps.create(configMap('ns0', name));
    const page = await maps.list('ns0', { query: { limit: 2 } });
    assert.deepEqual(
      page.items.map(({ metadata }) => metadata.name),
      ['a', 'b'],
    );
    assert.ok(page.metadata.continue);
    const wrong = { preconditions: { uid: 'another' } };
    await assert.rejects(maps.delete('ns0', 'a', wrong), { code: 'ERR_KUBE_CONFLICT' });
    await maps.delete('ns0', 'a');
    await assert.rejects(maps.get('ns0', 'a'), { code: 'ERR_KUBE_NOT_FOUND' });
  });

  it('two candidates elect one leader, and the other follows when it stops', async () => {
    const log: string[] = [];
    const electors = ['a', 'b'].map(
      (identity) =>
        new LeaderElector({
          client: direct,
          namespace: 'kube-system',
          name: 'hawser-test',
          identity,
          leaseMs: 1000,
          renewDeadlineMs: 700,
          retryMs: 100,
          lead: async ({ token, signal }) => {
            log.push(`${identity} begins ${token}`);
            await delay(60_000, { signal }).catch(() => log.push(`${identity} ends`));
          },
        }),
    );
    const [first, second] = electors;
    try {
      first?.start();
      await eventually('the first leader', () => log.length === 1);
      second?.start();
      await eventually('the second to see the first', () => second?.leader === 'a');
      await first?.stop();
      await eventually('the second leader', () => log.length === 3);
      assert.deepEqual(log, ['a begins 0', 'a ends', 'b begins 1']);
    } finally {
      await Promise.all(electors.map((elector) => elector.stop()));
    }
    assert.equal(log.at(-1), 'b ends');
  });
});
