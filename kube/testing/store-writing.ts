import assert from 'node:assert/strict';
import type { KubeObject } from '../src/index.ts';
import type { StoreFixture } from './object-store-compliance.ts';
import { configMap, configMaps, keyOf } from './store-samples.ts';

/** Create, update, delete; versions; what an entry is. */
export function describeWriting(fixture: StoreFixture): void {
  it('gives each write a version higher than all before, and shows it in the object', async () => {
    const store = await fixture.open();
    assert.equal(store.resourceVersion, 0);
    const created = await store.create(keyOf('a'), configMap('a'));
    const other = await store.create(keyOf('b'), configMap('b'));
    const updated = await store.update(keyOf('a'), created.resourceVersion, configMap('a', { x: '1' }));
    const deleted = await store.delete(keyOf('b'), other.resourceVersion);
    const versions = [created, other, updated, deleted].map((entry) => entry.resourceVersion);
    assert.deepEqual(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
    );
    assert.ok((versions[0] ?? 0) > 0);
    assert.equal(store.resourceVersion, deleted.resourceVersion);
    assert.equal(updated.object.metadata.resourceVersion, String(updated.resourceVersion));
    assert.deepEqual(store.get(keyOf('a'))?.object['data'], { x: '1' });
    assert.equal(store.get(keyOf('b')), undefined);
  });

  it('overwrites a resourceVersion that the writer left in the object', async () => {
    const store = await fixture.open();
    const object = { ...configMap('a'), metadata: { name: 'a', resourceVersion: '999' } };
    const entry = await store.create(keyOf('a'), object);
    assert.equal(entry.object.metadata.resourceVersion, String(entry.resourceVersion));
  });

  it('refuses to create what exists', async () => {
    const store = await fixture.open();
    await store.create(keyOf('a'), configMap('a'));
    await assert.rejects(store.create(keyOf('a'), configMap('a')), {
      code: 'ERR_KUBE_ALREADY_EXISTS',
      message: 'configmaps "a" already exists',
    });
    assert.equal(store.resourceVersion, 1);
  });

  it('refuses to update or delete what is not there', async () => {
    const store = await fixture.open();
    const missing = { code: 'ERR_KUBE_NOT_FOUND', message: 'configmaps "a" not found' };
    await assert.rejects(store.update(keyOf('a'), 1, configMap('a')), missing);
    await assert.rejects(store.delete(keyOf('a'), 1), missing);
  });

  it('refuses to update or delete another version than expected', async () => {
    const store = await fixture.open();
    const first = await store.create(keyOf('a'), configMap('a'));
    const second = await store.update(keyOf('a'), first.resourceVersion, configMap('a', { x: '1' }));
    for (const stale of [first.resourceVersion, second.resourceVersion + 1, 0]) {
      await assert.rejects(store.update(keyOf('a'), stale, configMap('a')), { code: 'ERR_KUBE_CONFLICT' });
      await assert.rejects(store.delete(keyOf('a'), stale), { code: 'ERR_KUBE_CONFLICT' });
    }
    assert.equal(store.get(keyOf('a'))?.resourceVersion, second.resourceVersion);
  });

  it('refuses to make another object of it by changing the uid', async () => {
    const store = await fixture.open();
    const first = await store.create(keyOf('a'), configMap('a'));
    const imposter = { ...configMap('a'), metadata: { name: 'a', uid: 'other' } };
    await assert.rejects(store.update(keyOf('a'), first.resourceVersion, imposter), {
      code: 'ERR_KUBE_CONFLICT',
      message: /Precondition failed: UID in precondition: other, UID in object meta: uid-a$/,
    });
  });

  it('tells the last state in a deletion: the stored one, or the one given', async () => {
    const store = await fixture.open();
    const a = await store.create(keyOf('a'), configMap('a', { x: '1' }));
    const b = await store.create(keyOf('b'), configMap('b'));
    const goneA = await store.delete(keyOf('a'), a.resourceVersion);
    const goneB = await store.delete(keyOf('b'), b.resourceVersion, configMap('b', { last: 'words' }));
    assert.deepEqual(goneA.object['data'], { x: '1' });
    assert.equal(goneA.object.metadata.resourceVersion, String(goneA.resourceVersion));
    assert.deepEqual(goneB.object['data'], { last: 'words' });
  });

  it('can create an object again after its deletion, with a higher version', async () => {
    const store = await fixture.open();
    const first = await store.create(keyOf('a'), configMap('a'));
    const gone = await store.delete(keyOf('a'), first.resourceVersion);
    const second = await store.create(keyOf('a'), configMap('a'));
    assert.ok(second.resourceVersion > gone.resourceVersion);
    await assert.rejects(store.update(keyOf('a'), first.resourceVersion, configMap('a')), {
      code: 'ERR_KUBE_CONFLICT',
    });
  });

  it('keeps resources of the same name in different groups apart', async () => {
    const store = await fixture.open();
    const inApps = { group: 'apps', resource: 'configmaps', namespace: 'default', name: 'a' };
    await store.create(keyOf('a'), configMap('a', { from: 'core' }));
    await store.create(inApps, configMap('a', { from: 'apps' }));
    assert.deepEqual(store.get(keyOf('a'))?.object['data'], { from: 'core' });
    assert.deepEqual(store.get(inApps)?.object['data'], { from: 'apps' });
    assert.equal(store.list(configMaps).entries.length, 1);
  });

  it('hands out objects that nobody can change, and leaves the writer its own', async () => {
    const store = await fixture.open();
    const mine = { ...configMap('a'), list: [{ deep: 1 }] };
    const entry = await store.create(keyOf('a'), mine);
    const list = entry.object['list'] as { deep: number }[];
    for (const part of [
      entry.object,
      entry.object.metadata,
      entry.object['data'],
      list,
      list[0],
      entry.key,
    ]) {
      assert.ok(Object.isFrozen(part));
    }
    const [first] = mine.list;
    if (first !== undefined) first.deep = 2;
    assert.equal(list[0]?.deep, 1);
  });

  it('serialises an entry once, for all readers', async () => {
    const store = await fixture.open();
    const object = configMap('a', { text: 'größer than 0 € 😀 \u2028' });
    const written = await store.create(keyOf('a'), { ...object, absent: undefined });
    const read = store.get(keyOf('a'));
    assert.ok(read !== undefined);
    assert.equal(written.json(), read.json());
    assert.equal(read.json(), store.list(configMaps).entries[0]?.json());
    assert.deepEqual(JSON.parse(read.json().toString('utf8')), read.object);
    assert.equal('absent' in read.object, false);
  });

  it('refuses what is no JSON, and takes no version for it', async () => {
    const store = await fixture.open();
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const bad of [10n, Number.NaN, () => {}, new Date(0), cycle, Symbol('s')]) {
      const object: KubeObject = { ...configMap('a'), bad };
      await assert.rejects(store.create(keyOf('a'), object), { code: 'ERR_KUBE_BAD_REQUEST' });
    }
    assert.equal(store.resourceVersion, 0);
    assert.equal(store.get(keyOf('a')), undefined);
  });
}
