import assert from 'node:assert/strict';
import { within } from '@hawser/seams/testing';
import type { StoreFixture } from './object-store-compliance.ts';
import { configMap, configMaps, keyOf, take } from './store-samples.ts';

/** Closing. */
export function describeLifecycle(fixture: StoreFixture): void {
  it('finishes the writes under way when it is closed, and ends the watches after them', async () => {
    const store = await fixture.open();
    const watch = store.watch(configMaps, { fromVersion: 0 });
    const writes = [1, 2, 3].map((n) => store.create(keyOf(`n${n}`), configMap(`n${n}`)));
    const closing = store.close();
    assert.equal((await Promise.all(writes)).length, 3);
    await within('the close', closing);
    assert.equal((await take(watch, 3)).length, 3);
    assert.deepEqual(await watch[Symbol.asyncIterator]().next(), { value: undefined, done: true });
  });

  it('wakes watches that wait when it is closed', async () => {
    const store = await fixture.open();
    const waiting = store.watch(configMaps, { fromVersion: 0 })[Symbol.asyncIterator]().next();
    await store.close();
    assert.deepEqual(await within('the end', waiting), { value: undefined, done: true });
  });

  it('says that it is closed to whoever still uses it; closing again is nothing', async () => {
    const store = await fixture.open();
    const entry = await store.create(keyOf('a'), configMap('a'));
    await store.close();
    await store.close();
    const closed = { code: 'ERR_KUBE_STORE_CLOSED' };
    assert.throws(() => store.get(keyOf('a')), closed);
    assert.throws(() => store.list(configMaps), closed);
    assert.throws(() => store.watch(configMaps, { fromVersion: 0 }), closed);
    await assert.rejects(store.create(keyOf('b'), configMap('b')), closed);
    await assert.rejects(store.update(keyOf('a'), entry.resourceVersion, configMap('a')), closed);
    await assert.rejects(store.delete(keyOf('a'), entry.resourceVersion), closed);
  });
}
