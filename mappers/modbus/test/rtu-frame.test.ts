import assert from 'node:assert/strict';
import { crc16, withCrc } from '../src/crc.ts';
import { findFrame } from '../src/rtu-frame.ts';

const request = withCrc(Buffer.from([1, 3, 0, 0, 0, 2]));
const answer = withCrc(Buffer.from([1, 3, 4, 0, 1, 0, 2]));
const expected = { request };

describe('RTU frame', () => {
  it('has the checksum of the specification', () => {
    // "Modbus over Serial Line 1.02", appendix B: 02 07 gives 41 12.
    assert.equal(crc16(Buffer.from([2, 7])), 0x1241);
    assert.deepEqual(withCrc(Buffer.from([2, 7])), Buffer.from([2, 7, 0x41, 0x12]));
  });

  it('is found wherever it begins', () => {
    for (const noise of ['', '00', 'ff', '01', '0103', '010304', '01030400', '0183', 'ffffffffffff']) {
      const received = Buffer.concat([Buffer.from(noise, 'hex'), answer, Buffer.from('0103', 'hex')]);
      assert.deepEqual(findFrame(received, expected), answer, `noise ${noise}`);
    }
  });

  it('is not there before its last byte', () => {
    for (let length = 0; length < answer.length; length += 1)
      assert.equal(findFrame(answer.subarray(0, length), expected), undefined);
  });

  it('is not what has a wrong bit anywhere', () => {
    for (let at = 0; at < answer.length; at += 1)
      for (let bit = 0; bit < 8; bit += 1) {
        const damaged = Buffer.from(answer);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        assert.equal(findFrame(damaged, expected), undefined, `byte ${at} bit ${bit}`);
      }
  });

  it('is not the answer of another unit, to another function, or of another length', () => {
    for (const other of [
      [2, 3, 4, 0, 1, 0, 2],
      [1, 4, 4, 0, 1, 0, 2],
      [1, 3, 2, 0, 1],
    ])
      assert.equal(findFrame(withCrc(Buffer.from(other)), expected), undefined);
  });

  it('may be an exception, or the echo of a write', () => {
    const exception = withCrc(Buffer.from([1, 0x83, 2]));
    assert.deepEqual(findFrame(exception, expected), exception);
    const write = withCrc(Buffer.from([1, 6, 0, 1, 0, 3]));
    assert.deepEqual(findFrame(write, { request: write }), write);
    const mask = withCrc(Buffer.from([1, 22, 0, 4, 0, 0xf2, 0, 0x25]));
    assert.deepEqual(findFrame(mask, { request: mask }), mask);
    const coils = withCrc(Buffer.from([1, 1, 0, 19, 0, 19]));
    const states = withCrc(Buffer.from([1, 1, 3, 0xcd, 0x6b, 5]));
    assert.deepEqual(findFrame(states, { request: coils }), states);
  });
});
