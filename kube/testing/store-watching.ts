import assert from 'node:assert/strict';
import { within } from '@hawser/seams/testing';
import type { ObjectStore } from '../src/index.ts';
import type { StoreFixture } from './object-store-compliance.ts';
import { configMap, configMaps, describeEvent, keyOf, secrets, take } from './store-samples.ts';

async function createMany(store: ObjectStore, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) await store.create(keyOf(`n${n}`), configMap(`n${n}`));
}

/** Watches: events, history, bounds. */
export function describeWatching(fixture: StoreFixture): void {
  it('tells what happened after a version, with the state before', async () => {
    const store = await fixture.open();
    const watch = store.watch(configMaps, { fromVersion: 0 });
    const created = await store.create(keyOf('a'), configMap('a'));
    const updated = await store.update(keyOf('a'), created.resourceVersion, configMap('a', { x: '1' }));
    const deleted = await store.delete(keyOf('a'), updated.resourceVersion);
    const events = await within('three events', take(watch, 3));
    assert.deepEqual(events.map(describeEvent), [
      'ADDED default/a@1',
      'MODIFIED default/a@2',
      'DELETED default/a@3',
    ]);
    assert.deepEqual(
      events.map((event) => event.previous?.resourceVersion),
      [undefined, 1, 2],
    );
    assert.equal(events[2]?.entry.resourceVersion, deleted.resourceVersion);
  });

  it('shows an event only when the written state can be read', async () => {
    const store = await fixture.open();
    const watch = store.watch(configMaps, { fromVersion: 0 });
    const writes = Promise.all([1, 2, 3].map((n) => store.create(keyOf(`n${n}`), configMap(`n${n}`))));
    for await (const { entry } of watch) {
      assert.ok(entry.resourceVersion <= store.resourceVersion);
      assert.equal(store.get(entry.key)?.json().toString(), entry.json().toString());
      if (entry.resourceVersion === 3) break;
    }
    await writes;
  });

  it('goes from history to live without a gap or a repetition', async () => {
    const store = await fixture.open();
    await createMany(store, 1, 5);
    const { resourceVersion } = store.list(configMaps);
    await createMany(store, 6, 8);
    const watch = store.watch(configMaps, { fromVersion: resourceVersion });
    await createMany(store, 9, 10);
    const events = await within('five events', take(watch, 5));
    assert.deepEqual(
      events.map(({ entry }) => entry.key.name),
      ['n6', 'n7', 'n8', 'n9', 'n10'],
    );
  });

  it('tells of one resource, and of one namespace if asked', async () => {
    const store = await fixture.open();
    const everywhere = store.watch(configMaps, { fromVersion: 0 });
    const inB = store.watch({ ...configMaps, namespace: 'b' }, { fromVersion: 0 });
    await store.create({ ...secrets, namespace: 'b', name: 's' }, configMap('s', {}, 'b'));
    await store.create(keyOf('x', 'a'), configMap('x', {}, 'a'));
    await store.create(keyOf('y', 'b'), configMap('y', {}, 'b'));
    const late = store.watch({ ...configMaps, namespace: 'b' }, { fromVersion: 0 });
    assert.deepEqual((await take(everywhere, 2)).map(describeEvent), ['ADDED a/x@2', 'ADDED b/y@3']);
    assert.deepEqual((await take(inB, 1)).map(describeEvent), ['ADDED b/y@3']);
    assert.deepEqual((await take(late, 1)).map(describeEvent), ['ADDED b/y@3']);
  });

  it('waits in silence for a version that is not reached yet', async () => {
    const store = await fixture.open();
    const watch = store.watch(configMaps, { fromVersion: 3 });
    assert.equal(watch.deliveredVersion, 3);
    await createMany(store, 1, 4);
    assert.deepEqual((await take(watch, 1)).map(describeEvent), ['ADDED default/n4@4']);
  });

  it('says up to which version it is complete, though the writes were elsewhere', async () => {
    const store = await fixture.open();
    const watch = store.watch(secrets, { fromVersion: 0 });
    assert.equal(watch.deliveredVersion, 0);
    await createMany(store, 1, 3);
    assert.equal(watch.deliveredVersion, 3);
    watch.close();
    await createMany(store, 4, 4);
    assert.equal(watch.deliveredVersion, 3);
  });

  it('refuses to start before the history does', async () => {
    const store = await fixture.open({ historyEvents: 3 });
    await createMany(store, 1, 5);
    assert.equal(store.oldestWatchVersion, 2);
    assert.throws(() => store.watch(configMaps, { fromVersion: 1 }), {
      code: 'ERR_KUBE_EXPIRED',
      message: 'too old resource version: 1 (2)',
    });
    const watch = store.watch(configMaps, { fromVersion: 2 });
    assert.deepEqual(
      (await take(watch, 3)).map(({ entry }) => entry.resourceVersion),
      [3, 4, 5],
    );
  });

  it('keeps the memory of its history bounded', async () => {
    const store = await fixture.open({ historyBytes: 100_000 });
    let entry = await store.create(keyOf('a'), configMap('a'));
    for (let round = 0; round < 40; round += 1) {
      entry = await store.update(
        keyOf('a'),
        entry.resourceVersion,
        configMap('a', { text: 'x'.repeat(10_000) }),
      );
    }
    const kept = store.resourceVersion - store.oldestWatchVersion;
    assert.ok(kept >= 5 && kept <= 10, `${kept} events of 10 kB kept in 100 kB`);
  });

  it('ends a watch whose reader is too slow, and only that one', async () => {
    const store = await fixture.open();
    const slow = store.watch(configMaps, { fromVersion: 0, limitEvents: 4 });
    const patient = store.watch(configMaps, { fromVersion: 0, limitEvents: 5 });
    await createMany(store, 1, 5);
    await assert.rejects(take(slow, 1), { code: 'ERR_KUBE_EXPIRED' });
    assert.deepEqual(await slow[Symbol.asyncIterator]().next(), { value: undefined, done: true });
    assert.equal((await take(patient, 5)).length, 5);
  });

  it('does not count history against a reader that could not read it yet', async () => {
    const store = await fixture.open();
    await createMany(store, 1, 10);
    const watch = store.watch(configMaps, { fromVersion: 0, limitEvents: 2 });
    await createMany(store, 11, 12);
    assert.equal((await take(watch, 12)).length, 12);
    await createMany(store, 13, 15);
    await assert.rejects(take(watch, 1), { code: 'ERR_KUBE_EXPIRED' });
  });

  it('ends at close, for a reader that waits too, and when its reader leaves the loop', async () => {
    const store = await fixture.open();
    const watch = store.watch(configMaps, { fromVersion: 0 });
    const waiting = watch[Symbol.asyncIterator]().next();
    watch.close();
    watch.close();
    assert.deepEqual(await within('the end', waiting), { value: undefined, done: true });
    await createMany(store, 1, 1);
    const left = store.watch(configMaps, { fromVersion: 0 });
    for await (const event of left) {
      assert.equal(event.type, 'ADDED');
      break;
    }
    await createMany(store, 2, 2);
    assert.deepEqual(await left[Symbol.asyncIterator]().next(), { value: undefined, done: true });
  });

  it('answers several reads at once in order', async () => {
    const store = await fixture.open();
    const iterator = store.watch(configMaps, { fromVersion: 0 })[Symbol.asyncIterator]();
    const reads = [iterator.next(), iterator.next(), iterator.next()];
    await createMany(store, 1, 3);
    const events = await within('three reads', Promise.all(reads));
    assert.deepEqual(
      events.map(({ value }) => (value as { entry: { resourceVersion: number } }).entry.resourceVersion),
      [1, 2, 3],
    );
  });
}
