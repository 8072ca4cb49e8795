import assert from 'node:assert/strict';
import type { OutboxEntry, OutboxStore } from '../src/edge/outbox-store.ts';

/** Makes stores for {@link describeOutboxStore}, and clears up after them. */
export interface OutboxStoreFixture {
  /** A store that is empty. Called once in a test, before anything else. */
  open(): Promise<OutboxStore>;
  /** Cuts the power, as `ReplicaStoreFixture.reopen` does, and answers the store that comes up afterwards. */
  reopen(): Promise<OutboxStore>;
  /** Makes the disk fail each write (true) or take them again; left out: what a failing disk does is not tested. */
  refuseWrites?(refuse: boolean): void;
  /** Closes every store opened, and removes what they left. Called after each test. */
  clean(): Promise<void>;
}

function entry(key: string, order: number, text = key, keep = true): OutboxEntry {
  return { key, kind: key.split('/')[0] ?? '', order, body: Buffer.from(text), keep };
}

/** What a store has, comparable. */
async function held(store: OutboxStore): Promise<[string, number, string][]> {
  return (await store.load()).map(({ key, order, body }) => [key, order, Buffer.from(body).toString('utf8')]);
}

/**
 * The compliance suite of {@link OutboxStore}: what every implementation must do. Call it at the top level of a mocha
 * test file.
 */
export function describeOutboxStore(name: string, fixture: OutboxStoreFixture): void {
  describe(`${name}: an outbox store`, () => {
    afterEach(() => fixture.clean());
    describeEntries(fixture);
    describeCuts(fixture);
  });
}

function describeEntries(fixture: OutboxStoreFixture): void {
  it('is empty at first', async () => {
    assert.deepEqual(await (await fixture.open()).load(), []);
  });

  it('gives back every field', async () => {
    const store = await fixture.open();
    const event: OutboxEntry = {
      key: 'event/4711',
      kind: 'event',
      order: 2 ** 40,
      body: Uint8Array.of(0, 255, 1),
      keep: false,
    };
    await store.write({ put: [event, entry('node', 1)], remove: [] });
    const [first, second] = await store.load();
    assert.equal(first?.key, 'node');
    assert.equal(first.keep, true);
    assert.ok(second !== undefined);
    assert.deepEqual({ ...second, body: [...second.body] }, { ...event, body: [0, 255, 1] });
  });

  it('loads in the order of entries, not of writing', async () => {
    const store = await fixture.open();
    await store.write({ put: [entry('pod/c', 30), entry('pod/a', 10)], remove: [] });
    await store.write({ put: [entry('pod/b', 20)], remove: [] });
    assert.deepEqual(
      (await store.load()).map(({ key }) => key),
      ['pod/a', 'pod/b', 'pod/c'],
    );
  });

  it('replaces an entry of the same key, and forgets what is removed', async () => {
    const store = await fixture.open();
    await store.write({ put: [entry('pod/a', 1, 'one'), entry('pod/b', 2)], remove: [] });
    await store.write({ put: [entry('pod/a', 3, 'two')], remove: ['pod/b', 'pod/none'] });
    assert.deepEqual(await held(store), [['pod/a', 3, 'two']]);
  });

  it('keeps an entry that one write both removes and puts', async () => {
    const store = await fixture.open();
    await store.write({ put: [entry('pod/a', 1, 'one')], remove: [] });
    await store.write({ put: [entry('pod/a', 2, 'two')], remove: ['pod/a'] });
    assert.deepEqual(await held(store), [['pod/a', 2, 'two']]);
  });

  it('holds many entries, and a large one', async () => {
    const store = await fixture.open();
    const many = Array.from({ length: 2000 }, (_, n) => entry(`event/${n}`, n + 1, 'e', false));
    await store.write({ put: [...many, entry('node', 5000, 'x'.repeat(500_000))], remove: [] });
    const loaded = await store.load();
    assert.equal(loaded.length, 2001);
    assert.equal(loaded.at(-1)?.body.length, 500_000);
    await store.write({ put: [], remove: many.map(({ key }) => key) });
    assert.equal((await store.load()).length, 1);
  });
}

function describeCuts(fixture: OutboxStoreFixture): void {
  it('has after a power cut what it had resolved', async () => {
    const store = await fixture.open();
    await store.write({ put: [entry('pod/a', 1), entry('pod/b', 2)], remove: [] });
    await store.write({ put: [entry('pod/c', 3)], remove: ['pod/a'] });
    const again = await fixture.reopen();
    assert.deepEqual(await held(again), [
      ['pod/b', 2, 'pod/b'],
      ['pod/c', 3, 'pod/c'],
    ]);
  });

  it('has a write under way as a whole or not at all', async () => {
    const store = await fixture.open();
    const old = Array.from({ length: 20 }, (_, n) => entry(`pod/old${n}`, n + 1));
    await store.write({ put: old, remove: [] });
    const fresh = Array.from({ length: 20 }, (_, n) => entry(`pod/new${n}`, n + 100));
    store.write({ put: fresh, remove: old.map(({ key }) => key) }).catch(() => {}); // cut off: either way
    const keys = (await (await fixture.reopen()).load()).map(({ key }) => key);
    assert.equal(keys.length, 20);
    assert.ok(
      keys.every((key) => key.startsWith('pod/new')) || keys.every((key) => key.startsWith('pod/old')),
    );
  });

  it('does nothing of a write that it rejects, and goes on when the disk does', async function () {
    if (fixture.refuseWrites === undefined) this.skip();
    const store = await fixture.open();
    await store.write({ put: [entry('pod/a', 1, 'one')], remove: [] });
    fixture.refuseWrites(true);
    const change = {
      put: [entry('pod/b', 2, 'b'.repeat(300_000)), entry('pod/c', 3, 'c'.repeat(300_000))],
      remove: ['pod/a'],
    };
    await assert.rejects(store.write(change));
    assert.deepEqual(await held(store), [['pod/a', 1, 'one']]);
    fixture.refuseWrites(false);
    await store.write(change);
    assert.deepEqual(
      (await (await fixture.reopen()).load()).map(({ key }) => key),
      ['pod/b', 'pod/c'],
    );
  });
}
