import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { scaled } from '@hawser/seams/testing';
import { MemoryStore } from '../../src/index.ts';
import { configMap, configMaps, keyOf } from '../../testing/store-samples.ts';

const WATCHERS = 1000;
const GROWTH_LIMIT_BYTES = 50 * 2 ** 20;

// mocha starts a process of its own and passes it no flags, so the collector is fetched from inside.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage().rss;
}

describe('MemoryStore: memory', () => {
  const events = scaled(5000, 100_000);
  it(`grows by at most 50 MB after ${events} events to 1,000 watchers`, async function () {
    this.timeout(300_000);
    const store = new MemoryStore();
    let delivered = 0;
    const watching = Array.from({ length: WATCHERS }, async () => {
      for await (const event of store.watch(configMaps, { fromVersion: 0 })) {
        if (event.entry.json().length > 0) delivered += 1;
      }
    });
    let entry = await store.create(keyOf('n'), configMap('n'));
    const update = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        entry = await store.update(entry.key, entry.resourceVersion, configMap('n', { n: String(n) }));
        if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await update(500); // queues, closures and compiled code are there once
    const before = residentBytes();
    await update(events);
    const growth = residentBytes() - before;
    await store.close();
    await Promise.all(watching);
    assert.equal(delivered, WATCHERS * (events + 501));
    assert.ok(growth <= GROWTH_LIMIT_BYTES, `${(growth / 2 ** 20).toFixed(1)} MB`);
  });

  it('lets go of what a reader that never reads would have read', async () => {
    const store = new MemoryStore({ historyEvents: 10 });
    const stuck = Array.from({ length: WATCHERS }, () =>
      store.watch(configMaps, { fromVersion: 0, limitEvents: 50 }),
    );
    const text = 'x'.repeat(20_000);
    let entry = await store.create(keyOf('n'), configMap('n'));
    const before = residentBytes();
    for (let n = 0; n < 2000; n += 1) {
      entry = await store.update(entry.key, entry.resourceVersion, configMap('n', { text: `${text}${n}` }));
    }
    const growth = residentBytes() - before;
    for (const watch of stuck) {
      await assert.rejects(watch[Symbol.asyncIterator]().next(), { code: 'ERR_KUBE_EXPIRED' });
    }
    await store.close();
    assert.ok(growth <= GROWTH_LIMIT_BYTES, `${(growth / 2 ** 20).toFixed(1)} MB`);
  });
});
