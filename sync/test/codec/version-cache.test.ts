import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { VersionCache } from '../../src/index.ts';
import { LruBytes } from '../../src/codec/lru-bytes.ts';

/** What an entry costs beside its bytes. */
const OVERHEAD = 256;

describe('What was used last', () => {
  const cache = (entries: number): LruBytes<Uint8Array> =>
    new LruBytes<Uint8Array>(entries * (OVERHEAD + 100), (bytes) => bytes.length);
  const bytes = (): Uint8Array => new Uint8Array(100);

  it('stays, and what was used longest ago goes', () => {
    const lru = cache(3);
    for (const key of ['a', 'b', 'c']) lru.set(key, bytes());
    assert.ok(lru.get('a'));
    lru.set('d', bytes());
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => lru.get(key) !== undefined),
      [true, false, true, true],
    );
  });

  it('does not go for something that is too large anyway', () => {
    const lru = cache(3);
    lru.set('a', bytes());
    lru.set('huge', new Uint8Array(5000));
    assert.equal(lru.get('huge'), undefined);
    assert.ok(lru.get('a'));
    // But it takes the place of what it replaces.
    lru.set('a', new Uint8Array(5000));
    assert.equal(lru.get('a'), undefined);
    assert.deepEqual([lru.size, lru.bytes], [0, 0]);
  });

  it('is bounded by bytes, and by number where there are none', () => {
    const random = seededRandom(20_260_209);
    const lru = new LruBytes<Uint8Array>(50_000, ({ length }) => length);
    const sizes = new Map<string, number>();
    for (let round = 0; round < 5000; round++) {
      const key = `k${randomBelow(random, 400)}`;
      if (randomBelow(random, 10) === 0) {
        lru.delete(key);
        assert.equal(lru.get(key), undefined);
      } else {
        const size = randomBelow(random, 4) === 0 ? randomBelow(random, 5000) : 0;
        sizes.set(key, size);
        lru.set(key, new Uint8Array(size));
        assert.equal(lru.get(key)?.length, size);
      }
      assert.ok(lru.bytes <= 50_000 && lru.size <= 50_000 / OVERHEAD);
    }
    const kept = [...sizes].filter(([key]) => lru.get(key) !== undefined);
    assert.equal(kept.length, lru.size);
    assert.equal(
      kept.reduce((sum, [, size]) => sum + size + OVERHEAD, 0),
      lru.bytes,
    );
    lru.clear();
    assert.deepEqual([lru.size, lru.bytes], [0, 0]);
  });
});

describe('The cache of versions', () => {
  it('keeps what it is given, without a copy', () => {
    const versions = new VersionCache();
    const bytes = Buffer.from('old');
    versions.remember({ hash: 'h', bytes });
    versions.remember({ hash: 'h', bytes: Buffer.from('old') });
    assert.equal(versions.get('h'), bytes);
    assert.equal(versions.size, 1);
    assert.equal(versions.get('other'), undefined);
  });

  it('is bounded; remembering what is there counts as use', () => {
    const versions = new VersionCache(3 * (OVERHEAD + 1000));
    const version = (hash: string): { hash: string; bytes: Uint8Array } => ({
      hash,
      bytes: new Uint8Array(1000),
    });
    for (const hash of ['a', 'b', 'c']) versions.remember(version(hash));
    versions.remember(version('a'));
    versions.remember(version('d'));
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].filter((hash) => versions.get(hash) !== undefined),
      ['a', 'c', 'd'],
    );
    assert.equal(versions.bytes, 3 * (OVERHEAD + 1000));
  });
});
