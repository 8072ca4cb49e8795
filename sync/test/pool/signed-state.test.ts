import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { randomBelow, seededRandom } from '@hawser/seams';
import {
  compareVersions,
  isSignedBy,
  isVersion,
  poolStateKeys,
  publicKeyFromRaw,
  rawPublicKey,
  readSignedState,
  signState,
  stateSubject,
} from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';
import { FORGER, hex, HUB, OF } from './signed-view.ts';

const DIGEST = Uint8Array.from({ length: 16 }, (_, n) => n);
const STATE = { version: '1234567', digest: DIGEST };

describe('A signed state', () => {
  it('is small, and says version and digest', () => {
    const stamp = signState(STATE, OF, HUB.privateKey);
    assert.equal(stamp.length, 1 + 16 + 64 + 7);
    assert.equal(stamp[0], 1);
    assert.deepEqual(readSignedState(stamp), STATE);
  });

  it('has the bytes that the first release gave it', () => {
    // Ed25519 is deterministic (RFC 8032, section 5.1.6): a change of any of it would show.
    assert.equal(
      hex(signState(STATE, OF, HUB.privateKey)),
      '01000102030405060708090a0b0c0d0e0fb661f9db9aee092faa7f23e0eb42cad872653cfd8b129939e2ed3a00b6426c1a78d3f3815e6cafa63bdd453c03a0427780ee43c02e1b968d084bb602d10ef00d31323334353637',
    );
  });

  it('holds for its subject, cluster and life, with a key that is trusted, and for nothing else', () => {
    const stamp = signState(STATE, OF, HUB.privateKey);
    assert.ok(isSignedBy(stamp, OF, [HUB.publicKey]));
    assert.ok(isSignedBy(stamp, OF, [FORGER.publicKey, HUB.publicKey]), 'any of several keys');
    assert.ok(!isSignedBy(stamp, OF, [FORGER.publicKey]));
    assert.ok(!isSignedBy(stamp, OF, []));
    for (const other of [
      { ...OF, subject: 'endpoints' },
      { ...OF, clusterUid: 'cluster-2' },
      { ...OF, incarnation: 'second' },
      { ...OF, incarnation: '' },
      { clusterUid: 'cluster-1\0first', incarnation: 'services', subject: '1234567' },
      { ...OF, clusterUid: 'cluster-1\0first', incarnation: 'services' },
    ])
      assert.ok(!isSignedBy(stamp, other, [HUB.publicKey]), JSON.stringify(other));
  });

  it('does not hold once a bit of it is another one', () => {
    const stamp = signState(STATE, OF, HUB.privateKey);
    for (const [at, byte] of stamp.entries()) {
      const altered = Uint8Array.from(stamp);
      altered[at] = byte ^ (1 << (at % 8));
      assert.ok(!isSignedBy(altered, OF, [HUB.publicKey]), `byte ${at}`);
    }
  });

  it('is none where it is too short, too long, of a later format, or of random bytes', () => {
    const stamp = signState(STATE, OF, HUB.privateKey);
    for (const length of [0, 1, 80, 81])
      assert.equal(readSignedState(stamp.subarray(0, length)), undefined, String(length));
    const bad = [
      Buffer.concat([stamp, Buffer.alloc(40, '1')]),
      Buffer.concat([stamp, Buffer.from(' ')]),
      Buffer.concat([stamp.subarray(0, 81), Buffer.from('01')]),
      Buffer.concat([stamp.subarray(0, 81), Buffer.from('-1')]),
      Buffer.concat([stamp.subarray(0, 81), Buffer.from([0xb1])]),
      Buffer.concat([Uint8Array.of(2), stamp.subarray(1)]),
    ];
    for (const bytes of bad) {
      assert.equal(readSignedState(bytes), undefined, hex(bytes));
      assert.ok(!isSignedBy(bytes, OF, [HUB.publicKey]));
    }
    const random = seededRandom(7);
    for (let n = 0; n < 500; n += 1) {
      const bytes = Uint8Array.from({ length: randomBelow(random, 120) }, () => randomBelow(random, 256));
      assert.ok(!isSignedBy(bytes, OF, [HUB.publicKey]));
    }
  });

  it('is not made of what is none', () => {
    const make =
      (state: typeof STATE, of = OF) =>
      () =>
        signState(state, of, HUB.privateKey);
    for (const version of ['', '01', '-1', '1.0', 'abc', '1'.repeat(40)])
      assert.throws(make({ ...STATE, version }), TypeError, version);
    assert.throws(make({ ...STATE, digest: DIGEST.subarray(1) }), TypeError);
    assert.throws(make(STATE, { ...OF, subject: 'a\0b' }), TypeError);
  });

  it('is of the resource in all pools, but that of a roster of its pool', () => {
    assert.equal(stateSubject('berlin', 'services'), 'services');
    assert.equal(stateSubject('paris', 'endpointslices.discovery.k8s.io'), 'endpointslices.discovery.k8s.io');
    assert.equal(stateSubject('berlin', 'poolrosters.hawser.dev'), 'berlin/poolrosters.hawser.dev');
  });
});

describe('Keys of signed states', () => {
  it('come from a secret, always the same, and travel as 32 raw bytes', () => {
    // Source: RFC 8032, section 7.1, TEST 1.
    const secret = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const { privateKey, publicKey } = poolStateKeys(secret);
    const raw = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
    assert.equal(rawPublicKey(publicKey), raw.toString('base64'));
    assert.equal(rawPublicKey(privateKey), raw.toString('base64'), 'of a private key: its public half');
    const again = publicKeyFromRaw(rawPublicKey(publicKey));
    assert.ok(isSignedBy(signState(STATE, OF, privateKey), OF, [again]));
  });

  it('are nothing else', () => {
    assert.throws(() => poolStateKeys(new Uint8Array(31)), TypeError);
    assert.throws(() => rawPublicKey(generateKeyPairSync('ed448').publicKey), TypeError);
    assert.throws(
      () => rawPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
      TypeError,
    );
    const raw = rawPublicKey(HUB.publicKey);
    for (const text of ['', 'abc', raw.slice(1), `${raw} `, raw.replace('=', ''), `${raw.slice(0, 40)}====`])
      throwsCode(() => publicKeyFromRaw(text), 'ERR_SYNC_BAD_CONTENT');
  });
});

describe('Versions of states', () => {
  it('are compared as numbers of any length', () => {
    const sorted = ['0', '9', '10', '99', '100', '9007199254740993', '9007199254740994', '1'.repeat(39)];
    const shuffled = [...sorted].reverse();
    assert.deepEqual(shuffled.sort(compareVersions), sorted);
    assert.equal(compareVersions('12', '12'), 0);
    assert.ok(sorted.every(isVersion));
    assert.ok(!['', '01', ' 1', '1a', '1'.repeat(40)].some(isVersion));
  });
});
