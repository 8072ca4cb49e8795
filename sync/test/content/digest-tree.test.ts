import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { randomBelow, seededRandom } from '@hawser/seams';
import { bucketOf, BUCKETS, differingBuckets, DigestTree, SMALL_SCOPE_ENTRIES } from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hashFor = (seed: string | number): string => hex(sha256(Buffer.from(String(seed)))).slice(0, 32);

/** The digests of docs/sync.md, written down once more without any cleverness. */
function byTheBook(entries: ReadonlyMap<string, string>): { digest: string; buckets: string } {
  const digests: Buffer[] = [];
  const buckets: Buffer[] = [];
  const placed = [...entries.keys()].map((key) => ({ key, bucket: sha256(Buffer.from(key))[0] }));
  for (let bucket = 0; bucket < 256; bucket++) {
    const keys = placed.filter((place) => place.bucket === bucket).map(({ key }) => key);
    const sorted = keys.map((key) => Buffer.from(key)).sort((a, b) => Buffer.compare(a, b));
    const parts = sorted.map((key) =>
      Buffer.concat([key, Buffer.of(0), Buffer.from(entries.get(key.toString()) ?? '', 'hex')]),
    );
    const digest = sha256(...parts);
    if (keys.length > 0) digests.push(Buffer.of(bucket), digest);
    buckets.push(keys.length > 0 ? digest.subarray(0, 8) : Buffer.alloc(8));
  }
  const digest = entries.size === 0 ? Buffer.alloc(16) : sha256(...digests).subarray(0, 16);
  return { digest: hex(digest), buckets: hex(Buffer.concat(buckets)) };
}

function randomEntries(count: number, seed = 1): Map<string, string> {
  const entries = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const name = index % 11 === 0 ? `ž🚢\uff5e-${index}` : `object-${index}`;
    entries.set(`configmaps/ns-${index % 7}/${name}`, hashFor(`${seed}/${index}`));
  }
  return entries;
}

describe('The digest of a scope', () => {
  it('of nothing is 16 zero bytes', () => {
    const tree = new DigestTree();
    assert.equal(hex(tree.digest()), '00'.repeat(16));
    assert.equal(hex(tree.bucketDigests()), '00'.repeat(2048));
    tree.set('pods/a/b', hashFor(1));
    tree.delete('pods/a/b');
    assert.equal(hex(tree.digest()), '00'.repeat(16));
  });

  it('is what it always was', () => {
    // Edges of every release compute it: this never changes.
    assert.equal(bucketOf('pods/default/web-0'), sha256(Buffer.from('pods/default/web-0'))[0]);
    const tree = DigestTree.of([
      ['pods/default/web-0', hashFor('a')],
      ['configmaps/default/settings', hashFor('b')],
      ['nodes//edge-1', hashFor('c')],
    ]);
    assert.equal(hex(tree.digest()), '23c6905c3465a7045d52c61c34586a04');
  });

  for (const count of [1, 2, 15, SMALL_SCOPE_ENTRIES, SMALL_SCOPE_ENTRIES + 1, 3000]) {
    it(`of ${count} objects is as the documents say`, () => {
      const entries = randomEntries(count);
      const tree = DigestTree.of(entries);
      const expected = byTheBook(entries);
      assert.equal(tree.size, count);
      assert.equal(hex(tree.digest()), expected.digest);
      assert.equal(hex(tree.bucketDigests()), expected.buckets);
      assert.equal(hex(DigestTree.of([...entries].reverse()).digest()), expected.digest);
    });
  }

  it('stays right over any changes, across the sizes', () => {
    const random = seededRandom(20_260_202);
    const entries = new Map<string, string>();
    const tree = new DigestTree();
    // Grows beyond the small size, shrinks below half of it, twice.
    for (const target of [400, 60, 300, 0]) {
      for (let round = 0; round < 900; round++) {
        const key = `pods/a/p-${randomBelow(random, 450)}`;
        const grow = entries.size < target ? 4 : 1;
        if (randomBelow(random, 5) < grow) {
          const hash = hashFor(randomBelow(random, 3));
          entries.set(key, hash);
          tree.set(key, hash);
        } else {
          assert.equal(tree.delete(key), entries.delete(key));
        }
        assert.equal(tree.get(key), entries.get(key));
        if (round % 150 === 0) assert.equal(hex(tree.digest()), byTheBook(entries).digest);
      }
      assert.equal(tree.size, entries.size);
      assert.equal(hex(tree.digest()), byTheBook(entries).digest);
      assert.deepEqual(new Map(tree.entries()), entries);
    }
  });

  it('is kept until something changes', () => {
    const tree = DigestTree.of(randomEntries(300));
    const digest = tree.digest();
    tree.set('configmaps/ns-1/object-1', tree.get('configmaps/ns-1/object-1') ?? '');
    assert.equal(tree.delete('configmaps/ns-1/no-such'), false);
    assert.equal(tree.digest(), digest);
    tree.set('configmaps/ns-1/object-1', hashFor('new'));
    assert.notEqual(hex(tree.digest()), hex(digest));
  });

  for (const count of [40, 2000]) {
    it(`finds what differs among ${count} by its buckets`, () => {
      const entries = randomEntries(count);
      const ours = DigestTree.of(entries);
      const changed = ['configmaps/ns-3/object-3', 'configmaps/ns-5/object-19'];
      for (const key of changed) entries.set(key, hashFor('other'));
      entries.delete('configmaps/ns-6/object-6');
      entries.set('configmaps/ns-0/new', hashFor('new'));
      const theirs = DigestTree.of(entries);
      const differing = differingBuckets(ours.bucketDigests(), theirs.bucketDigests());
      const expected = [...changed, 'configmaps/ns-6/object-6', 'configmaps/ns-0/new'].map(bucketOf);
      assert.deepEqual(new Set(differing), new Set(expected));
      const found = new Map(theirs.entriesIn([...differing, 999]));
      for (const key of changed) assert.equal(found.get(key), hashFor('other'));
      assert.deepEqual(found, new Map([...entries].filter(([key]) => differing.includes(bucketOf(key)))));
    });
  }

  it('of buckets has one length', () => {
    const good = new DigestTree().bucketDigests();
    assert.equal(good.length, BUCKETS * 8);
    assert.deepEqual(differingBuckets(good, good), []);
    for (const length of [0, 2047, 2049])
      throwsCode(() => differingBuckets(good, new Uint8Array(length)), 'ERR_SYNC_BAD_INVENTORY');
  });

  it('costs a small scope little memory', () => {
    const entries = [...randomEntries(15)];
    const trees: DigestTree[] = [];
    const before = heapBytes();
    for (let count = 0; count < 2000; count++) {
      const tree = DigestTree.of(entries);
      tree.digest();
      trees.push(tree);
    }
    const each = (heapBytes() - before) / trees.length;
    assert.ok(each < 3 * 1024, `${each.toFixed(0)} bytes each`);
  });
});

function heapBytes(): number {
  assert.ok(globalThis.gc, 'the tests run with --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
