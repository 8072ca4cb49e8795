import assert from 'node:assert/strict';
import { randomBelow, seededRandom, systemClock } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import {
  HttpApiClient,
  InformerFactory,
  localListerWatchers,
  MemoryStore,
  RESOURCES,
  StatusError,
  type Informer,
  type ListerWatcher,
  type ListerWatcherScope,
} from '../../src/index.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/index.ts';

const SCOPES: readonly ListerWatcherScope[] = [
  {},
  { namespace: 'default' },
  { labelSelector: 'tier=a' },
  { namespace: 'default', fieldSelector: 'metadata.name=c3' },
];

describe('localListerWatchers', () => {
  let fixture: KubeFixture;
  let client: HttpApiClient;
  let stopping: AbortController;

  beforeEach(async () => {
    fixture = await startKubeFixture({ store: new MemoryStore({ historyEvents: 20 }) });
    client = new HttpApiClient({ server: fixture.url });
    stopping = new AbortController();
  });

  afterEach(async () => {
    stopping.abort(new Error('the test is over'));
    client.close();
    await fixture.stop();
  });

  const makers = (clock = systemClock): ReturnType<typeof localListerWatchers> =>
    localListerWatchers({ store: fixture.store, registry: fixture.registry, clock });

  const local = (scope?: ListerWatcherScope, clock = systemClock): ListerWatcher =>
    makers(clock)(RESOURCES.configmaps, scope);

  const create = (name: string): Promise<unknown> =>
    client.request({
      method: 'POST',
      path: '/api/v1/namespaces/default/configmaps',
      body: { metadata: { name } },
    });

  async function change(random: ReturnType<typeof seededRandom>): Promise<void> {
    const namespace = randomBelow(random, 2) === 0 ? 'default' : 'kube-public';
    const name = `c${randomBelow(random, 6)}`;
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const labels = { tier: randomBelow(random, 2) === 0 ? 'a' : 'b' };
    const body = { metadata: { name, labels }, data: { n: String(random.next()) } };
    const calls = [
      () => client.request({ method: 'POST', path, body }),
      () => client.request({ method: 'PUT', path: `${path}/${name}`, body }),
      () => client.request({ method: 'PUT', path: `${path}/${name}`, body }),
      () => client.request({ method: 'DELETE', path: `${path}/${name}` }),
    ];
    try {
      await calls[randomBelow(random, calls.length)]?.();
    } catch (error) {
      if (!(error instanceof StatusError)) throw error; // there already, or not there
    }
  }

  it('show what the API shows, for every selection, before and after each kind of change', async function () {
    this.timeout(20_000);
    const random = seededRandom(7);
    for (let i = 0; i < 12; i++) await change(random);
    const factories = [new InformerFactory(client), new InformerFactory(makers())];
    const [overHttp = [], overStore = []] = factories.map((factory) =>
      SCOPES.map((scope) => factory.informer(RESOURCES.configmaps, scope)),
    );
    try {
      for (const factory of factories) factory.start();
      await Promise.all(factories.map((factory) => factory.waitForSync()));
      const shown = (informers: readonly Informer[]): unknown[] =>
        informers.map(({ lister }) =>
          lister
            .list()
            .map((entry) => entry.value)
            .sort((a, b) => (a.metadata.uid ?? '').localeCompare(b.metadata.uid ?? '')),
        );
      assert.deepEqual(shown(overStore), shown(overHttp));
      for (let round = 0; round < 10; round++) {
        for (let i = 0; i < 15; i++) await change(random);
        await eventually('both to be up to date', () => {
          const store = fixture.store.list({ group: '', resource: 'configmaps' }).entries;
          const versions = store.map((entry) => String(entry.resourceVersion)).sort();
          return [overHttp[0], overStore[0]].every(
            (informer) =>
              informer?.lister
                .list()
                .map((entry) => entry.resourceVersion)
                .sort()
                .join() === versions.join(),
          );
        });
        await eventually('the selections too', () => {
          try {
            assert.deepEqual(shown(overStore), shown(overHttp));
            return true;
          } catch {
            return false; // the deadline will tell
          }
        });
      }
      assert.ok(shown(overHttp).flat().length > 4, 'the changes left nothing to compare');
    } finally {
      await Promise.all(factories.map((factory) => factory.stop()));
    }
  });

  it("hand out the store's own objects", async () => {
    await create('one');
    const { items, resourceVersion } = await local().list({}, stopping.signal);
    const { entries } = fixture.store.list({ group: '', resource: 'configmaps' });
    assert.equal(entries.length, 1);
    assert.equal(items[0], entries[0]?.object);
    assert.equal(resourceVersion, String(fixture.store.resourceVersion));
  });

  it('end a streaming list with a bookmark at its version, after others had their turn', async () => {
    for (let i = 0; i < 250; i++) await create(`many-${i}`);
    const call = { resourceVersion: '', timeoutSeconds: 60, sendInitialEvents: true };
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      if (!stopping.signal.aborted) setImmediate(turn);
    };
    setImmediate(turn);
    const names = new Set<string>();
    for await (const event of await local().watch(call, stopping.signal)) {
      assert.ok(event.type !== 'ERROR');
      if (event.type === 'BOOKMARK') {
        assert.equal(event.object.metadata.resourceVersion, String(fixture.store.resourceVersion));
        break;
      }
      assert.equal(event.type, 'ADDED');
      names.add(event.object.metadata.name ?? '');
    }
    assert.equal(names.size, 250);
    assert.ok(turns >= 2, `${turns} turns of the event loop`);
  });

  it('end a watch after its time', async () => {
    const clock = new FakeClock();
    const version = String(fixture.store.resourceVersion);
    const stream = await local({}, clock).watch(
      { resourceVersion: version, timeoutSeconds: 300 },
      stopping.signal,
    );
    const reading = (async () => {
      const types: string[] = [];
      for await (const { type } of stream) types.push(type);
      return types;
    })();
    await create('seen');
    await clock.advance(300_000);
    assert.deepEqual(await reading, ['ADDED']);
  });

  it('rethrow the reason of an abort', async () => {
    const reason = new Error('enough');
    const call = { resourceVersion: String(fixture.store.resourceVersion), timeoutSeconds: 300 };
    const stream = await local().watch(call, stopping.signal);
    const first = stream[Symbol.asyncIterator]().next();
    stopping.abort(reason);
    await assert.rejects(first, reason);
    await assert.rejects(local().watch(call, stopping.signal), reason);
    await assert.rejects(local().list({}, stopping.signal), reason);
  });

  it('refuse what the API refuses', async () => {
    for (let i = 0; i < 30; i++) await create(`old-${i}`);
    const old = { resourceVersion: '1', timeoutSeconds: 60 };
    await assert.rejects(local().watch(old, stopping.signal), (error: unknown) => {
      return error instanceof StatusError && error.status.reason === 'Expired';
    });
    const unknown = makers()({ ...RESOURCES.pods, resource: 'podz' });
    await assert.rejects(unknown.list({}, stopping.signal), (error: unknown) => {
      return error instanceof StatusError && error.status.reason === 'NotFound';
    });
    const bad = local({ fieldSelector: 'spec.colour=red' });
    await assert.rejects(bad.list({}, stopping.signal), (error: unknown) => {
      return error instanceof StatusError && error.status.reason === 'BadRequest';
    });
  });
});
