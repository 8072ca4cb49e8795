import assert from 'node:assert/strict';
import { eventually, within } from '@hawser/seams/testing';
import { Registry as MetricsRegistry } from 'prom-client';
import { startKubeFixture, type KubeFixture, type KubeFixtureOptions } from '../../testing/kube-fixture.ts';
import { meta, send, watch, type Watching } from './http.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

describe('server: watches', () => {
  let fixture: KubeFixture;
  let metrics: MetricsRegistry;
  let open: Watching[];

  async function start(limits: NonNullable<KubeFixtureOptions['server']>['limits'] = {}): Promise<void> {
    fixture = await startKubeFixture({ server: { metrics, limits } });
  }

  async function follow(query: string, options: Parameters<typeof watch>[2] = {}): Promise<Watching> {
    const watching = await watch(fixture.url, `${MAPS}?watch=1&${query}`, options);
    open.push(watching);
    return watching;
  }

  const create = (name: string, more: object = {}): Promise<unknown> =>
    send(fixture.url, 'POST', MAPS, { body: { metadata: { name }, ...more } });

  const metric = async (name: string, labels: Record<string, string>): Promise<number> => {
    const values = (await metrics.getSingleMetric(name)?.get())?.values ?? [];
    const match = values.find((value) =>
      Object.entries(labels).every(([key, label]) => value.labels[key] === label),
    );
    return match?.value ?? 0;
  };

  beforeEach(() => {
    metrics = new MetricsRegistry();
    open = [];
  });

  afterEach(async () => {
    for (const watching of open) watching.close();
    await fixture.stop();
  });

  it('ends every watch and connection when it stops', async () => {
    await start();
    const watching = await Promise.all(Array.from({ length: 20 }, () => follow('')));
    await create('a');
    await eventually('all see it', () => watching.every(({ events }) => events.length === 1));
    assert.equal(await metric('hawser_kube_server_watches', { resource: 'configmaps' }), 20);
    await within('the server stops', fixture.server.stop());
    await within('the watches end', Promise.all(watching.map(({ ended }) => ended)));
    assert.equal(fixture.server.watchCount, 0);
    assert.equal(await metric('hawser_kube_server_watches', { resource: 'configmaps' }), 0);
    assert.equal(await metric('hawser_kube_server_watches_ended_total', { reason: 'stopped' }), 20);
  });

  it('ends a watcher that does not read, and nobody else', async () => {
    await start({ stalledMs: 100, watchEvents: 50 });
    const reader = await follow('');
    const hanging = await follow('', { read: false });
    hanging.response.pause();
    const data = { data: { a: 'x'.repeat(200_000) } };
    for (let index = 0; index < 60; index += 1) await create(`c${index}`, data);
    await eventually('the hanging watch is over', () => fixture.server.watchCount === 1, {
      deadlineMs: 8000,
    });
    await eventually('the reader has seen all', () => reader.events.length === 60);
    assert.equal(await metric('hawser_kube_server_watches_ended_total', { reason: 'slow' }), 1);
  });

  it('answers 429 beyond the number of watches it allows', async () => {
    await start({ maxWatches: 2 });
    const first = await follow('');
    await follow('');
    const refused = await send(fixture.url, 'GET', `${MAPS}?watch=1`);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '1');
    first.close();
    await eventually('a place is free', () => fixture.server.watchCount === 1);
    assert.equal((await follow('')).status, 200);
  });

  it('forgets a watch whose client left', async () => {
    await start();
    const watching = await follow('');
    assert.equal(fixture.server.watchCount, 1);
    watching.close();
    await eventually('it is forgotten', () => fixture.server.watchCount === 0);
    assert.equal(await metric('hawser_kube_server_watches_ended_total', { reason: 'client' }), 1);
  });

  it('sends bookmarks of what does not concern the watcher', async () => {
    await start({ bookmarkMs: 30 });
    const watching = await follow('allowWatchBookmarks=true&labelSelector=none');
    await create('a');
    await eventually('a bookmark', () => watching.events.length > 0);
    const [bookmark] = watching.events;
    assert.equal(bookmark?.type, 'BOOKMARK');
    assert.deepEqual(bookmark.object, {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(fixture.store.resourceVersion) },
    });
  });

  it('misses nothing and repeats nothing between a list and its watch, whatever is written meanwhile', async () => {
    await start();
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let index = 0; index < 25; index += 1) {
        await create(`w${writer}-${index}`);
        if (index % 3 === 0) await send(fixture.url, 'DELETE', `${MAPS}/w${writer}-${index}`);
        if (index % 5 === 1) {
          await send(fixture.url, 'PATCH', `${MAPS}/w${writer}-${index}`, {
            body: { data: { a: 'b' } },
            headers: { 'content-type': 'application/merge-patch+json' },
          });
        }
      }
    });
    const followers: { state: Map<string, string>; watching: Watching }[] = [];
    for (let round = 0; round < 5; round += 1) {
      const list = await send(fixture.url, 'GET', MAPS);
      const version = String(meta(list.body)['resourceVersion']);
      const items = list.body['items'] as { metadata: { name: string; resourceVersion: string } }[];
      const state = new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
      followers.push({ state, watching: await follow(`resourceVersion=${version}`) });
    }
    await Promise.all(writers);
    await create('last');
    for (const { state, watching } of followers) {
      await eventually('the last event', () =>
        watching.events.some(({ object }) => meta(object)['name'] === 'last'),
      );
      let newest = 0;
      for (const { type, object } of watching.events) {
        const { name, resourceVersion } = meta(object) as { name: string; resourceVersion: string };
        assert.ok(Number(resourceVersion) > newest, 'in order');
        newest = Number(resourceVersion);
        assert.equal(state.has(name), type !== 'ADDED', `${type} of ${name}`);
        if (type === 'DELETED') state.delete(name);
        else state.set(name, resourceVersion);
      }
      const now = fixture.store.list({ group: '', resource: 'configmaps', namespace: 'default' }).entries;
      assert.deepEqual(
        [...state].sort(),
        now.map(({ key, resourceVersion }) => [key.name, String(resourceVersion)]).sort(),
      );
    }
  });

  it('streams the list first when asked to', async () => {
    await start();
    await create('a');
    await create('b');
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const watching = await follow(query);
    await create('c');
    await eventually('four events', () => watching.events.length === 4);
    assert.deepEqual(
      watching.events.map(({ type, object }) => [type, meta(object)['name']]),
      [
        ['ADDED', 'a'],
        ['ADDED', 'b'],
        ['BOOKMARK', undefined],
        ['ADDED', 'c'],
      ],
    );
  });
});
