import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import type { ObjectStore } from '../src/index.ts';
import type { StoreFixture } from './object-store-compliance.ts';
import { configMap, configMaps, increment, keyOf, valueOf } from './store-samples.ts';

const WRITERS = 8;
const WATCHERS = 50;

/** Many writers and watchers at once. */
export function describeConcurrency(fixture: StoreFixture): void {
  it('lets exactly one of many equal writes win', async () => {
    const store = await fixture.open();
    const creates = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => store.create(keyOf('a'), configMap('a', { n: String(n) }))),
    );
    const [winner, ...others] = creates.filter(({ status }) => status === 'fulfilled');
    assert.ok(winner?.status === 'fulfilled' && others.length === 0);
    assert.equal(store.get(keyOf('a')), winner.value);
    const { resourceVersion } = winner.value;
    const updates = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.update(keyOf('a'), resourceVersion, configMap('a'))),
    );
    assert.equal(updates.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of updates) {
      if (result.status === 'rejected')
        assert.equal((result.reason as { code: string }).code, 'ERR_KUBE_CONFLICT');
    }
  });

  it('loses no update', async () => {
    const store = await fixture.open();
    await store.create(keyOf('counter'), configMap('counter'));
    const rounds = 25;
    const writer = async (): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) await increment(store, keyOf('counter'));
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
    const final = store.get(keyOf('counter'));
    assert.equal(final === undefined ? -1 : valueOf(final.object), WRITERS * rounds);
    assert.equal(store.resourceVersion, 1 + WRITERS * rounds);
  });

  it('keeps list and watch consistent for watchers that come and go while others write', async function () {
    const durationMs = scaled(1500, 60_000);
    this.timeout(durationMs + 30_000);
    const store = await fixture.open({ historyEvents: 5000 });
    const untilMs = performance.now() + durationMs;
    const replicas = Array.from({ length: WATCHERS }, (_, n) => new Replica(store, seededRandom(n + 1)));
    const watching = replicas.map((replica) => replica.run());
    await Promise.all(
      Array.from({ length: WRITERS }, (_, n) => writeUntil(store, seededRandom(1000 + n), untilMs)),
    );
    await eventually(
      'all replicas are complete',
      () => replicas.every((replica) => replica.version >= store.resourceVersion),
      { deadlineMs: 20_000 },
    );
    for (const replica of replicas) replica.stop();
    await Promise.all(watching);
    const truth = stateOf(store);
    for (const replica of replicas) assert.deepEqual(replica.state(), truth);
    assert.ok(replicas.some((replica) => replica.reconnects > 0));
  });
}

function stateOf(store: ObjectStore): Record<string, number> {
  return Object.fromEntries(
    store.list(configMaps).entries.map(({ key, resourceVersion }) => [key.name, resourceVersion]),
  );
}

async function writeUntil(store: ObjectStore, random: Random, untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    const key = keyOf(`n${randomBelow(random, 40)}`);
    const current = store.get(key);
    try {
      if (current === undefined) await store.create(key, configMap(key.name));
      else if (random.next() < 0.2) await store.delete(key, current.resourceVersion);
      else
        await store.update(key, current.resourceVersion, configMap(key.name, { r: String(random.next()) }));
    } catch (error) {
      assert.match(
        String((error as { code?: string }).code),
        /^ERR_KUBE_(CONFLICT|NOT_FOUND|ALREADY_EXISTS)$/,
      );
    }
    if (random.next() < 0.1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Follows a store as a client does: lists, watches, is cut off at random, and goes on from where it was. */
class Replica {
  readonly #store: ObjectStore;
  readonly #random: Random;
  readonly #objects = new Map<string, number>();
  #running = true;
  #close = (): void => {};
  version = 0;
  reconnects = 0;

  constructor(store: ObjectStore, random: Random) {
    this.#store = store;
    this.#random = random;
  }

  async run(): Promise<void> {
    this.#relist();
    while (this.#running) {
      await this.#follow();
      this.reconnects += 1;
    }
  }

  stop(): void {
    this.#running = false;
    this.#close();
  }

  state(): Record<string, number> {
    return Object.fromEntries([...this.#objects].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #relist(): void {
    this.#objects.clear();
    const list = this.#store.list(configMaps);
    for (const { key, resourceVersion } of list.entries) this.#objects.set(key.name, resourceVersion);
    this.version = list.resourceVersion;
  }

  async #follow(): Promise<void> {
    if (this.version < this.#store.oldestWatchVersion) this.#relist();
    const watch = this.#store.watch(configMaps, { fromVersion: this.version });
    this.#close = () => watch.close();
    const cutAfter = 1 + randomBelow(this.#random, 200);
    let seen = 0;
    for await (const { type, entry, previous } of watch) {
      assert.ok(entry.resourceVersion > this.version, 'an event came twice or out of order');
      // The state that an event replaces must be the one that this replica has: nothing was left out.
      assert.equal(this.#objects.get(entry.key.name), previous?.resourceVersion);
      if (type === 'DELETED') this.#objects.delete(entry.key.name);
      else this.#objects.set(entry.key.name, entry.resourceVersion);
      this.version = entry.resourceVersion;
      seen += 1;
      if (seen === cutAfter) return;
    }
  }
}
