import assert from 'node:assert/strict';
import { contentOf, type Content, type ContentKey } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { EdgeCoreError } from '../../src/errors.ts';
import { ReplicaObjects } from '../../src/objects/replica-objects.ts';

const SCOPE = 'node/edge-1';
const KEY = 'configmaps/default/a';

function configMap(name: string, data: Readonly<Record<string, string>>): Content {
  return contentOf('configmaps', { metadata: { namespace: 'default', name, resourceVersion: '1' }, data });
}

/** A replica that counts what is read from it. */
class CountingReplica extends MemoryReplicaStore {
  reads = 0;

  override read(scope: string, key: ContentKey): Promise<Uint8Array | undefined> {
    this.reads += 1;
    return super.read(scope, key);
  }

  put(...contents: Content[]): Promise<void> {
    return this.apply(
      SCOPE,
      contents.map((put) => ({ put })),
    );
  }
}

describe('objects of the replica', () => {
  let replica: CountingReplica;
  let objects: ReplicaObjects;
  const lost = new Set<ContentKey>();
  const dataOf = async (key = KEY): Promise<unknown> => (await objects.get(key))?.['data'];

  beforeEach(() => {
    lost.clear();
    replica = new CountingReplica();
    objects = new ReplicaObjects({ replica, scope: SCOPE, isLost: (key) => lost.has(key), keptBytes: 1000 });
  });

  it('gives what there is, as it is now', async () => {
    assert.equal(await objects.get(KEY), undefined);
    await replica.put(configMap('a', { x: '1' }));
    assert.deepEqual(await dataOf(), { x: '1' });
    await replica.put(configMap('a', { x: '2' }));
    assert.deepEqual(await dataOf(), { x: '2' });
    await replica.apply(SCOPE, [{ remove: KEY }]);
    assert.equal(await objects.get(KEY), undefined);
  });

  it('reads once for many, and not again what it has', async () => {
    await replica.put(configMap('a', { x: '1' }));
    const [first, second] = await Promise.all([objects.get(KEY), objects.get(KEY)]);
    assert.equal(first, second);
    assert.equal(await objects.get(KEY), first);
    assert.equal(replica.reads, 1);
  });

  it('keeps no more than it may, of what was used last', async () => {
    const text = 'x'.repeat(200);
    await replica.put(...['a', 'b', 'c', 'd'].map((name) => configMap(name, { text })));
    for (const name of ['a', 'b', 'c', 'a', 'd']) await objects.get(`configmaps/default/${name}`);
    assert.equal(replica.reads, 4);
    await objects.get(KEY);
    assert.equal(replica.reads, 4, 'used last');
    await objects.get('configmaps/default/b');
    assert.equal(replica.reads, 5, 'not kept');
  });

  it('does not keep what is large', async () => {
    await replica.put(configMap('a', { text: 'x'.repeat(600) }));
    await objects.get(KEY);
    await objects.get(KEY);
    assert.equal(replica.reads, 2);
  });

  it('does not keep what was replaced while it was read', async () => {
    await replica.put(configMap('a', { x: '1' }));
    const reading = objects.get(KEY);
    await replica.put(configMap('a', { x: '2' }));
    await reading;
    assert.deepEqual(await dataOf(), { x: '2' });
  });

  it('tells what was lost from what was taken away', async () => {
    lost.add(KEY);
    await assert.rejects(
      objects.get(KEY),
      (error) =>
        error instanceof EdgeCoreError && error.code === 'ERR_EDGE_STORE_DAMAGED' && error.about === KEY,
    );
  });

  for (const text of ['{', '[]', 'null']) {
    it(`refuses ${text}`, async () => {
      await replica.put({ ...configMap('a', {}), bytes: Buffer.from(text) });
      await assert.rejects(objects.get(KEY), { code: 'ERR_EDGE_STORE_DAMAGED' });
    });
  }

  it('tells of its own scope only', async () => {
    const seen: string[] = [];
    const stop = objects.listen((keys) => seen.push(...keys));
    await replica.apply('node/other', [{ put: configMap('b', {}) }]);
    await replica.put(configMap('a', {}));
    await replica.apply(SCOPE, [], { normalForm: 1, stamp: new Uint8Array(0) });
    stop();
    await replica.put(configMap('c', {}));
    assert.deepEqual(seen, [KEY]);
  });
});
