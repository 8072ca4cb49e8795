import assert from 'node:assert/strict';
import type { Content } from '../src/content/content.ts';
import type { ReplicaChange, ReplicaStore } from '../src/edge/replica-store.ts';
import { sampleContent } from './content-samples.ts';

/** Makes stores for {@link describeReplicaStore}, and clears up after them. */
export interface ReplicaStoreFixture {
  /** A store that is empty. Called once in a test, before anything else. */
  open(): Promise<ReplicaStore>;
  /**
   * Cuts the power under the store, at this very moment and whatever is under way, and answers the one that comes up
   * afterwards. The old store is not used any more; what it still promised may be rejected, or never settle. Left out
   * where the store is in memory only: then what survives is not tested.
   */
  reopen?(): Promise<ReplicaStore>;
  /** Makes the disk fail each write (true) or take them again; left out: what a failing disk does is not tested. */
  refuseWrites?(refuse: boolean): void;
  /** Closes every store opened, and removes what they left. Called after each test. */
  clean(): Promise<void>;
}

type DurableFixture = ReplicaStoreFixture & Required<Pick<ReplicaStoreFixture, 'reopen'>>;

function survivesPowerCuts(fixture: ReplicaStoreFixture): fixture is DurableFixture {
  return fixture.reopen !== undefined;
}

const SCOPE = 'node/edge-1';

/**
 * The compliance suite of {@link ReplicaStore}: what every implementation must do. Call it at the top level of a mocha
 * test file.
 */
export function describeReplicaStore(name: string, fixture: ReplicaStoreFixture): void {
  describe(`${name}: a replica store`, () => {
    afterEach(() => fixture.clean());
    describeContents(fixture);
    describeListening(fixture);
    if (survivesPowerCuts(fixture)) describePowerCuts(fixture);
    describeFailures(fixture);
  });
}

/** What is in a scope: keys to texts, read back through every way there is. */
async function textsOf(store: ReplicaStore, scope = SCOPE): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [key, entry] of store.entries(scope)) {
    const bytes = await store.read(scope, key);
    assert.ok(bytes !== undefined, `${key} is listed and cannot be read`);
    const text = Buffer.from(bytes).toString('utf8');
    const expected = sampleContent(key, text);
    assert.equal(entry.hash, expected.hash, `${key}: the hash is not that of the bytes`);
    assert.equal(entry.sizeBytes, bytes.length, `${key}: the size is not that of the bytes`);
    texts[key] = text;
  }
  return texts;
}

function put(key: string, text: string, version?: string): ReplicaChange {
  return { put: sampleContent(key, text, version) };
}

function describeContents(fixture: ReplicaStoreFixture): void {
  it('is empty at first, with a record that says so', async () => {
    const store = await fixture.open();
    assert.equal(store.entries(SCOPE).size, 0);
    assert.equal(await store.read(SCOPE, 'pods/default/a'), undefined);
    const record = store.record(SCOPE);
    assert.equal(record.normalForm, 0);
    assert.equal(record.stamp.length, 0);
  });

  it('puts, replaces and removes', async () => {
    const store = await fixture.open();
    await store.apply(SCOPE, [put('pods/default/a', 'one', '7'), put('nodes//edge-1', 'node', '8')]);
    assert.deepEqual(await textsOf(store), { 'pods/default/a': 'one', 'nodes//edge-1': 'node' });
    assert.equal(store.entries(SCOPE).get('pods/default/a')?.version, '7');
    await store.apply(SCOPE, [put('pods/default/a', 'two', '9'), { remove: 'nodes//edge-1' }]);
    assert.deepEqual(await textsOf(store), { 'pods/default/a': 'two' });
    assert.equal(store.entries(SCOPE).get('pods/default/a')?.version, '9');
    assert.equal(await store.read(SCOPE, 'nodes//edge-1'), undefined);
  });

  it('takes the removal of what is not there', async () => {
    const store = await fixture.open();
    await store.apply(SCOPE, [{ remove: 'pods/default/none' }]);
    assert.equal(store.entries(SCOPE).size, 0);
  });

  it('carries the changes of one call out in their order', async () => {
    const store = await fixture.open();
    await store.apply(SCOPE, [
      put('pods/default/a', 'one'),
      { remove: 'pods/default/a' },
      put('pods/default/b', 'one'),
      put('pods/default/b', 'two'),
      put('pods/default/c', 'one'),
      { remove: 'pods/default/c' },
      put('pods/default/c', 'three'),
    ]);
    assert.deepEqual(await textsOf(store), { 'pods/default/b': 'two', 'pods/default/c': 'three' });
  });

  it('carries calls that do not wait for each other out in their order', async () => {
    const store = await fixture.open();
    const settled: number[] = [];
    const applies = Array.from({ length: 20 }, (_, n) => {
      const change = n % 5 === 4 ? { remove: 'pods/default/a' } : put('pods/default/a', `text ${n}`);
      return store
        .apply(SCOPE, [change, put(`pods/default/b${n}`, 'b')], { normalForm: 1, stamp: Uint8Array.of(n) })
        .then(() => settled.push(n));
    });
    await Promise.all(applies);
    assert.deepEqual(
      settled,
      applies.map((_, n) => n),
    );
    assert.equal(store.entries(SCOPE).get('pods/default/a'), undefined);
    assert.equal(store.entries(SCOPE).size, 20);
    assert.deepEqual([...store.record(SCOPE).stamp], [19]);
  });

  it('keeps scopes apart', async () => {
    const store = await fixture.open();
    const record = { normalForm: 1, stamp: Uint8Array.of(1, 2) };
    await store.apply(SCOPE, [put('pods/default/a', 'mine')], record);
    await store.apply('pool/berlin', [put('pods/default/a', 'ours')]);
    assert.deepEqual(await textsOf(store), { 'pods/default/a': 'mine' });
    assert.deepEqual(await textsOf(store, 'pool/berlin'), { 'pods/default/a': 'ours' });
    assert.equal(store.record('pool/berlin').normalForm, 0);
    await store.apply('pool/berlin', [{ remove: 'pods/default/a' }]);
    assert.deepEqual(await textsOf(store), { 'pods/default/a': 'mine' });
  });

  it('replaces the record when one is given, and leaves it otherwise', async () => {
    const store = await fixture.open();
    await store.apply(SCOPE, [], { normalForm: 1, stamp: Uint8Array.of(1) });
    await store.apply(SCOPE, [put('pods/default/a', 'one')]);
    assert.equal(store.record(SCOPE).normalForm, 1);
    assert.deepEqual([...store.record(SCOPE).stamp], [1]);
    await store.apply(SCOPE, [], { normalForm: 2, stamp: new Uint8Array(0) });
    assert.equal(store.record(SCOPE).normalForm, 2);
    assert.equal(store.record(SCOPE).stamp.length, 0);
    assert.deepEqual(await textsOf(store), { 'pods/default/a': 'one' });
  });

  it('answers entries that follow each apply', async () => {
    const store = await fixture.open();
    const entries = store.entries(SCOPE);
    await store.apply(SCOPE, [put('pods/default/a', 'one')]);
    assert.deepEqual([...entries.keys()], ['pods/default/a']);
    await store.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    assert.equal(entries.size, 0);
  });

  it('holds large objects, many of them, and odd keys', async () => {
    const store = await fixture.open();
    const large = 'x'.repeat(1_500_000);
    const odd = `devices.devices.kubeedge.io/${'n'.repeat(63)}/${'a.'.repeat(126)}z`;
    const many = Array.from({ length: 2000 }, (_, n) => put(`configmaps/default/c${n}`, `text ${n}`));
    await store.apply(SCOPE, [put('configmaps/default/large', large), put(odd, 'Grüße, 世界'), ...many]);
    assert.equal(store.entries(SCOPE).size, 2002);
    assert.equal(store.entries(SCOPE).get('configmaps/default/large')?.sizeBytes, 1_500_000);
    const bytes = await store.read(SCOPE, 'configmaps/default/large');
    assert.ok(bytes !== undefined && Buffer.from(large).equals(bytes));
    assert.equal(Buffer.from((await store.read(SCOPE, odd)) ?? []).toString('utf8'), 'Grüße, 世界');
    assert.equal(
      Buffer.from((await store.read(SCOPE, 'configmaps/default/c1999')) ?? []).toString(),
      'text 1999',
    );
  });

  it('holds an object of no bytes', async () => {
    const store = await fixture.open();
    await store.apply(SCOPE, [put('configmaps/default/empty', '')]);
    assert.equal((await store.read(SCOPE, 'configmaps/default/empty'))?.length, 0);
    assert.equal(store.entries(SCOPE).get('configmaps/default/empty')?.sizeBytes, 0);
  });
}

function describeListening(fixture: ReplicaStoreFixture): void {
  it('tells the keys of each apply, once they can be read', async () => {
    const store = await fixture.open();
    const told: [string, string[], boolean][] = [];
    const stop = store.listen((scope, keys) => {
      told.push([scope, [...keys], keys.every((key) => store.entries(scope).has(key))]);
    });
    await store.apply(SCOPE, [put('pods/default/a', 'one'), put('pods/default/b', 'one')]);
    await store.apply('pool/berlin', [put('pods/default/c', 'one')]);
    await store.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    stop();
    await store.apply(SCOPE, [put('pods/default/d', 'one')]);
    assert.deepEqual(told, [
      [SCOPE, ['pods/default/a', 'pods/default/b'], true],
      ['pool/berlin', ['pods/default/c'], true],
      [SCOPE, ['pods/default/a'], false],
    ]);
  });
}

function describePowerCuts(fixture: DurableFixture): void {
  it('has after a power cut what it had resolved', async () => {
    const store = await fixture.open();
    const stamp = Uint8Array.of(1, 2, 3);
    const kept: Content = sampleContent('pods/default/a', 'one', '41');
    await store.apply(SCOPE, [{ put: kept }, put('pods/default/b', 'b')], { normalForm: 1, stamp });
    await store.apply(SCOPE, [{ remove: 'pods/default/b' }]);
    await store.apply('pool/berlin', [put('pods/default/c', 'c')]);
    const again = await fixture.reopen();
    assert.deepEqual(await textsOf(again), { 'pods/default/a': 'one' });
    assert.deepEqual(await textsOf(again, 'pool/berlin'), { 'pods/default/c': 'c' });
    assert.equal(again.entries(SCOPE).get('pods/default/a')?.version, '41');
    assert.equal(again.record(SCOPE).normalForm, 1);
    assert.deepEqual([...again.record(SCOPE).stamp], [1, 2, 3]);
    await again.apply(SCOPE, [put('pods/default/a', 'two')]);
    assert.deepEqual(await textsOf(await fixture.reopen()), { 'pods/default/a': 'two' });
  });

  it('has an apply under way as a whole or not at all', async () => {
    const store = await fixture.open();
    const before = Array.from({ length: 40 }, (_, n) => put(`pods/default/p${n}`, 'old'));
    await store.apply(SCOPE, before, { normalForm: 1, stamp: Uint8Array.of(1) });
    const changes = Array.from({ length: 40 }, (_, n) =>
      n % 2 === 0 ? put(`pods/default/p${n}`, 'new') : { remove: `pods/default/p${n}` },
    );
    store.apply(SCOPE, changes, { normalForm: 2, stamp: Uint8Array.of(2) }).catch(() => {}); // cut off: either way
    const again = await fixture.reopen();
    const done = again.record(SCOPE).normalForm === 2;
    const texts = await textsOf(again);
    assert.equal(Object.keys(texts).length, done ? 20 : 40);
    assert.ok(Object.values(texts).every((text) => text === (done ? 'new' : 'old')));
    assert.deepEqual([...again.record(SCOPE).stamp], [done ? 2 : 1]);
  });

  it('has of several applies under way the first ones', async () => {
    const store = await fixture.open();
    for (let n = 0; n < 30; n += 1) {
      store
        .apply(SCOPE, [put(`pods/default/p${n}`, 'p')], { normalForm: 1, stamp: Uint8Array.of(n) })
        .catch(() => {}); // cut off: either way
    }
    const again = await fixture.reopen();
    const count = again.entries(SCOPE).size;
    for (let n = 0; n < count; n += 1) assert.ok(again.entries(SCOPE).has(`pods/default/p${n}`), `${n}`);
    assert.deepEqual([...again.record(SCOPE).stamp], count === 0 ? [] : [count - 1]);
  });
}

function describeFailures(fixture: ReplicaStoreFixture): void {
  it('does nothing of an apply that it rejects, and goes on when the disk does', async function () {
    if (fixture.refuseWrites === undefined) this.skip();
    const store = await fixture.open();
    await store.apply(SCOPE, [put('pods/default/a', 'one')], { normalForm: 1, stamp: Uint8Array.of(1) });
    const told: string[][] = [];
    store.listen((_, keys) => told.push([...keys]));
    fixture.refuseWrites(true);
    const changes = [
      put('pods/default/a', 'two'.repeat(100_000)),
      put('pods/default/b', 'b'.repeat(300_000)),
    ];
    const record = { normalForm: 2, stamp: Uint8Array.of(2) };
    await assert.rejects(store.apply(SCOPE, changes, record));
    assert.deepEqual(await textsOf(store), { 'pods/default/a': 'one' });
    assert.equal(store.record(SCOPE).normalForm, 1);
    assert.deepEqual(told, []);
    fixture.refuseWrites(false);
    await store.apply(SCOPE, changes, record);
    assert.deepEqual(Object.keys(await textsOf(store)).sort(), ['pods/default/a', 'pods/default/b']);
    assert.equal((await (fixture.reopen?.() ?? store)).record(SCOPE).normalForm, 2);
  });
}
