import assert from 'node:assert/strict';
import type { EntryList, ObjectStore } from '../src/index.ts';
import type { StoreFixture } from './object-store-compliance.ts';
import { configMap, configMaps, keyOf, secrets } from './store-samples.ts';

function names({ entries }: EntryList): string[] {
  return entries.map(({ key }) => `${key.namespace}/${key.name}`);
}

async function fill(store: ObjectStore, places: readonly (readonly [string, string])[]): Promise<void> {
  for (const [namespace, name] of places) {
    await store.create(keyOf(name, namespace), configMap(name, {}, namespace));
  }
}

/** Lists at the newest and at older versions. */
export function describeListing(fixture: StoreFixture): void {
  it('lists in order of namespace and name, all or one namespace', async () => {
    const store = await fixture.open();
    await fill(store, [
      ['b', 'z'],
      ['a', 'm'],
      ['ab', 'a'],
      ['a', 'b'],
      ['b', 'a'],
      ['a-c', 'a'],
    ]);
    await store.create({ ...secrets, namespace: 'a', name: 's' }, configMap('s', {}, 'a'));
    assert.deepEqual(names(store.list(configMaps)), ['a/b', 'a/m', 'a-c/a', 'ab/a', 'b/a', 'b/z']);
    assert.deepEqual(names(store.list({ ...configMaps, namespace: 'a' })), ['a/b', 'a/m']);
    assert.deepEqual(names(store.list({ ...configMaps, namespace: 'c' })), []);
    assert.deepEqual(names(store.list({ group: 'x', resource: 'y' })), []);
    assert.equal(store.list({ ...configMaps, namespace: 'a' }).resourceVersion, store.resourceVersion);
  });

  it('gives a list that later writes do not change', async () => {
    const store = await fixture.open();
    await fill(store, [['a', 'a']]);
    const before = store.list(configMaps);
    await fill(store, [['a', 'b']]);
    assert.deepEqual(names(before), ['a/a']);
    assert.equal(before.resourceVersion, 1);
  });

  it('lists the state at any version that the history reaches back to', async () => {
    const store = await fixture.open();
    const states = new Map<number, string[]>([[0, []]]);
    const note = (): void => {
      states.set(
        store.resourceVersion,
        store.list(configMaps).entries.map((entry) => entry.json().toString()),
      );
    };
    for (let round = 0; round < 40; round += 1) {
      const key = keyOf(`n${round % 7}`, `ns${round % 2}`);
      const current = store.get(key);
      const object = configMap(key.name, { round: String(round) }, key.namespace);
      if (current === undefined) await store.create(key, object);
      else if (round % 3 === 0) await store.delete(key, current.resourceVersion);
      else await store.update(key, current.resourceVersion, object);
      note();
    }
    for (const [version, state] of states) {
      const list = store.list(configMaps, { atVersion: version });
      assert.equal(list.resourceVersion, version);
      assert.deepEqual(
        list.entries.map((entry) => entry.json().toString()),
        state,
        `at ${version}`,
      );
      const inNamespace = store.list({ ...configMaps, namespace: 'ns1' }, { atVersion: version });
      assert.deepEqual(
        names(inNamespace),
        names(list).filter((name) => name.startsWith('ns1/')),
      );
    }
  });

  it('says Expired for a version that is compacted, and Timeout for one that is not reached', async () => {
    const store = await fixture.open({ historyEvents: 2 });
    await fill(store, [
      ['a', '1'],
      ['a', '2'],
      ['a', '3'],
    ]);
    assert.equal(store.oldestWatchVersion, 1);
    assert.deepEqual(names(store.list(configMaps, { atVersion: 1 })), ['a/1']);
    assert.throws(() => store.list(configMaps, { atVersion: 0 }), { code: 'ERR_KUBE_EXPIRED' });
    assert.throws(() => store.list(configMaps, { atVersion: 4 }), {
      code: 'ERR_KUBE_TIMEOUT',
      message: 'Timeout: Too large resource version: 4, current: 3',
    });
  });
}
