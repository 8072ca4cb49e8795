import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import {
  expired,
  MemoryStore,
  type Entry,
  type EntryList,
  type GroupResource,
  type ObjectKey,
  type Scope,
  type StoreWatch,
} from '../../src/index.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { send, watch } from './http.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

/** An entry that has labels, and must not be parsed for them. */
class LabelledEntry implements Entry {
  readonly key: ObjectKey;
  readonly resourceVersion: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly json: () => Buffer;
  parsed = 0;
  readonly #entry: Entry;

  constructor(entry: Entry) {
    this.key = entry.key;
    this.resourceVersion = entry.resourceVersion;
    this.labels = { ...entry.object.metadata.labels, told: 'beside' };
    this.json = () => entry.json();
    this.#entry = entry;
  }

  get object(): Entry['object'] {
    this.parsed += 1;
    return this.#entry.object;
  }
}

/** A store whose resources have versions of their own, and whose watches can be told to begin anew. */
class PartedStore extends MemoryStore {
  readonly versions = new Map<string, number>();
  asked = 0;
  readonly watches: { end(error?: Error): void }[] = [];
  readonly listed: LabelledEntry[] = [];

  versionOf({ resource }: GroupResource): number {
    this.asked += 1;
    return this.versions.get(resource) ?? this.resourceVersion;
  }

  override list(scope: Scope, options?: { atVersion?: number }): EntryList {
    const { entries, resourceVersion } = super.list(scope, options);
    const labelled = entries.map((entry) => new LabelledEntry(entry));
    this.listed.push(...labelled);
    return { entries: labelled, resourceVersion };
  }

  override watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    const made = super.watch(scope, options);
    if (scope.resource === 'configmaps') this.watches.push(made as StoreWatch & { end(error?: Error): void }); // a MemoryStore's watch is an EventWatch
    return made;
  }
}

describe('server: a store of parts', () => {
  let store: PartedStore;
  let fixture: KubeFixture;

  beforeEach(async () => {
    store = new PartedStore();
    fixture = await startKubeFixture({ store });
    for (const name of ['a', 'b'])
      await send(fixture.url, 'POST', MAPS, { body: { metadata: { name, labels: { is: name } } } });
  });

  afterEach(() => fixture.stop());

  it('waits for the version of what is asked for, whatever others have', async () => {
    const version = store.resourceVersion;
    for (const wanted of [version, version + 5]) {
      store.versions.set('configmaps', wanted - 1);
      store.asked = 0;
      let answered = false;
      const list = send(
        fixture.url,
        'GET',
        `${MAPS}?resourceVersion=${wanted}&resourceVersionMatch=NotOlderThan`,
      );
      const get = send(fixture.url, 'GET', `${MAPS}/a?resourceVersion=${wanted}`);
      const both = Promise.all([list, get]).finally(() => (answered = true));
      await eventually('both wait', () => store.asked > 5);
      assert.equal(answered, false);
      store.versions.set('configmaps', wanted);
      assert.deepEqual(
        (await both).map(({ status }) => status),
        [200, 200],
      );
    }
  });

  it('selects by labels and names without parsing objects', async () => {
    const names = async (query: string): Promise<unknown> => {
      store.listed.splice(0);
      const { body } = await send(fixture.url, 'GET', `${MAPS}?${query}`);
      const { items } = body as { items: { metadata: { name: string } }[] };
      return items.map(({ metadata }) => metadata.name);
    };
    assert.deepEqual(await names('labelSelector=told%3Dbeside,is%3Db'), ['b']);
    assert.deepEqual(await names('fieldSelector=metadata.name%3Da'), ['a']);
    assert.deepEqual(await names('fieldSelector=metadata.namespace!%3Ddefault'), []);
    assert.equal(
      store.listed.reduce((sum, { parsed }) => sum + parsed, 0),
      0,
    );
    assert.equal(store.listed.length, 2);
  });

  it('tells a watch that has to begin anew, and says nothing to one that fell behind', async () => {
    const one = await watch(fixture.url, `${MAPS}?watch=1&resourceVersion=${store.resourceVersion}`);
    const other = await watch(fixture.url, `${MAPS}?watch=1&resourceVersion=${store.resourceVersion}`);
    store.watches[0]?.end(expired('list again'));
    await eventually('the watch has ended', () => fixture.server.watchCount === 1);
    await eventually('it was told', () => one.events.length === 1);
    assert.equal(one.events[0]?.type, 'ERROR');
    assert.deepEqual(
      [
        (one.events[0].object as { code?: number }).code,
        (one.events[0].object as { reason?: string }).reason,
      ],
      [410, 'Expired'],
    );
    assert.equal(other.events.length, 0);
    other.close();
  });
});
