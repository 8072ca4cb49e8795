import assert from 'node:assert/strict';
import { hashFromBytes, hashOf, hashToBytes } from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';

describe('Hashes of content', () => {
  it('are the first 16 bytes of SHA-256', () => {
    // Source: FIPS 180-2, appendix B.1.
    assert.equal(hashOf(Buffer.from('abc')), 'ba7816bf8f01cfea414140de5dae2223');
  });

  it('travel as 16 bytes, also from within something larger', () => {
    const hash = hashOf(Buffer.from('abc'));
    const bytes = hashToBytes(hash);
    assert.equal(bytes.length, 16);
    assert.equal(hashFromBytes(bytes), hash);
    const framed = new Uint8Array(20);
    framed.set(bytes, 2);
    assert.equal(hashFromBytes(framed.subarray(2, 18)), hash);
  });

  it('have no other length', () => {
    for (const length of [0, 15, 17, 32])
      throwsCode(() => hashFromBytes(new Uint8Array(length)), 'ERR_SYNC_BAD_HASH');
    for (const text of ['', 'ba78', 'x'.repeat(32), 'ba7816bf8f01cfea414140de5dae222301'])
      throwsCode(() => hashToBytes(text), 'ERR_SYNC_BAD_HASH');
  });
});
