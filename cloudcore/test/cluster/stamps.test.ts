import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@hawser/seams/testing';
import { Stamps, versionNumber } from '../../src/cluster/stamps.ts';

const key = new Uint8Array(32).fill(7);
const life = { uid: 'cluster-1', incarnation: 'life-1' };

function stamps(of: Partial<ConstructorParameters<typeof Stamps>[0]> = {}): Stamps {
  return new Stamps({ key, life: () => life, clock: new FakeClock(), ...of });
}

describe('Stamps', function () {
  it('says what was stamped, and when', function () {
    const stamp = stamps().issue('12345678901234567890');
    assert.equal(stamp.length, 33);
    assert.deepEqual(stamps().read(stamp), {
      version: 12345678901234567890n,
      issuedAtMs: Date.UTC(2026, 0, 1),
    });
  });

  it('is genuine only with the same key, cluster and incarnation', function () {
    const stamp = stamps().issue('7');
    for (const other of [
      stamps({ key: new Uint8Array(32).fill(8) }),
      stamps({ life: () => ({ ...life, uid: 'cluster-2' }) }),
      stamps({ life: () => ({ ...life, incarnation: 'life-2' }) }),
      // The parts must not run into each other.
      stamps({ life: () => ({ uid: 'cluster-1life', incarnation: '-1' }) }),
      stamps({ life: () => undefined }),
    ]) {
      assert.equal(other.read(stamp), undefined);
    }
  });

  it('does not count with any bit changed, or of another length', function () {
    const stamp = stamps().issue('7');
    for (let bit = 0; bit < stamp.length * 8; bit += 1) {
      const forged = Uint8Array.from(stamp);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(stamps().read(forged), undefined, `bit ${bit}`);
    }
    for (const forged of [
      new Uint8Array(0),
      stamp.subarray(0, 32),
      new Uint8Array([...stamp, 0]),
      randomBytes(33),
    ]) {
      assert.equal(stamps().read(forged), undefined);
    }
  });

  it('reads a stamp out of a larger buffer', function () {
    const stamp = stamps().issue('7');
    const larger = new Uint8Array([9, 9, ...stamp, 9]);
    assert.equal(stamps().read(larger.subarray(2, 35))?.version, 7n);
  });

  it('gives none for versions that cannot be compared, and before the cluster is known', function () {
    for (const version of ['', '0', '-1', '1.5', 'abc', '01', '18446744073709551616', '9'.repeat(30)]) {
      assert.equal(stamps().issue(version).length, 0, version);
      assert.equal(versionNumber(version), undefined);
    }
    assert.equal(stamps({ life: () => undefined }).issue('7').length, 0);
    assert.equal(versionNumber('18446744073709551615'), 2n ** 64n - 1n);
  });

  it('refuses a key of another length', function () {
    for (const length of [0, 16, 31, 33]) {
      assert.throws(() => stamps({ key: new Uint8Array(length) }), { code: 'ERR_CLOUDCORE_STAMP_KEY' });
    }
  });
});
