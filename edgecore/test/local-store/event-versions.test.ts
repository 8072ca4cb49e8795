import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { eventVersions } from '../../src/local-store/event-versions.ts';

describe('local store: versions of the changes of a commit', () => {
  it('keeps those of objects, and tells removals as late as can be', () => {
    assert.deepEqual(eventVersions(100, 105, [101, 103]), [101, 103]);
    assert.deepEqual(eventVersions(100, 105, [101, undefined]), [101, 105]);
    assert.deepEqual(eventVersions(100, 105, [105, undefined, undefined]), [105, 103, 104]);
    assert.deepEqual(eventVersions(100, 102, [102, undefined]), [102, 101]);
    assert.deepEqual(eventVersions(100, 100, []), []);
  });

  it('gives another version to an object whose own says nothing', () => {
    assert.deepEqual(eventVersions(100, 105, [90, 105, 105, 200]), [102, 105, 103, 104]);
  });

  it('finds none where there is no room', () => {
    assert.equal(eventVersions(100, 101, [101, undefined]), undefined);
    assert.equal(eventVersions(100, 100, [undefined]), undefined);
    assert.equal(eventVersions(100, 90, [95]), undefined);
  });

  it('is right for all that can be', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 5000; round += 1) {
      const after = randomBelow(random, 50);
      const upTo = after + randomBelow(random, 12);
      const own = Array.from({ length: randomBelow(random, 8) }, () =>
        random.next() < 0.4 ? undefined : after - 2 + randomBelow(random, 15),
      );
      const versions = eventVersions(after, upTo, own);
      if (versions === undefined) {
        assert.ok(own.length > upTo - after, `${own.length} fit above ${after} up to ${upTo}`);
        continue;
      }
      assert.equal(versions.length, own.length);
      assert.equal(new Set(versions).size, versions.length, 'one for each');
      for (const [index, version] of versions.entries()) {
        assert.ok(version > after && version <= upTo);
        const wanted = own[index];
        const isFirst = own.indexOf(wanted) === index;
        if (wanted !== undefined && wanted > after && wanted <= upTo && isFirst)
          assert.equal(version, wanted);
      }
      // What has no version of its own is told as late as can be.
      const given = versions.filter((version) => !own.includes(version));
      const lowest = Math.min(...given);
      for (let version = lowest; version <= upTo; version += 1) assert.ok(versions.includes(version));
    }
  });
});
