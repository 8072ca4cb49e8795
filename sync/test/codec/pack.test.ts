import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { randomBelow, seededRandom } from '@hawser/seams';
import { MAX_CONTENT_BYTES, pack, packJson, unpack, unpackJson } from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';

const MIB = 1024 * 1024;

function deflated(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(1), deflateRawSync(bytes)]);
}

describe('Packing', () => {
  it('gives bytes back', () => {
    const random = seededRandom(20_260_203);
    for (let round = 0; round < 500; round++) {
      const bytes = Buffer.alloc(randomBelow(random, 3000));
      const alphabet = 1 + randomBelow(random, 256);
      for (let at = 0; at < bytes.length; at++) bytes[at] = randomBelow(random, alphabet);
      const packed = pack(bytes);
      assert.ok(packed.length <= bytes.length + 1);
      assert.deepEqual(Buffer.from(unpack(packed)), bytes);
    }
  });

  it('says in the first byte what it did', () => {
    const small = Buffer.from('small');
    assert.deepEqual(Buffer.from(pack(small)), Buffer.concat([Buffer.of(0), small]));
    const text = Buffer.from('interval: 500ms\n'.repeat(100));
    const packed = pack(text);
    assert.equal(packed[0], 1);
    assert.ok(packed.length < 50);
    const noise = randomFillSync(Buffer.alloc(1000));
    assert.deepEqual(Buffer.from(pack(noise)), Buffer.concat([Buffer.of(0), noise]));
  });

  it('has bytes for nothing', () => {
    assert.deepEqual([...pack(Buffer.alloc(0))], [0]);
    assert.equal(unpack(Buffer.of(0)).length, 0);
    assert.equal(unpack(deflated(Buffer.alloc(0))).length, 0);
  });

  it('does not copy what was not deflated', () => {
    const packed = pack(Buffer.from('small'));
    assert.equal(unpack(packed).buffer, packed.buffer);
  });

  it('reads what any deflate made', () => {
    // "hello" in a stored block, by hand. Source: RFC 1951, section 3.2.4.
    assert.equal(
      Buffer.from(unpack(Buffer.from('01' + '01' + '0500' + 'faff' + '68656c6c6f', 'hex'))).toString(),
      'hello',
    );
  });

  it('refuses what is malformed', () => {
    const good = deflated(Buffer.from('interval: 500ms\n'.repeat(10)));
    for (const packed of [
      Buffer.alloc(0),
      Buffer.of(2),
      Buffer.of(255, 1, 2, 3),
      Buffer.of(1),
      Buffer.of(1, 0xff, 0xff),
      good.subarray(0, -1),
      Buffer.concat([good, Buffer.of(0)]),
      Buffer.concat([good, good]),
      Buffer.concat([Buffer.of(1), gzipSync('text')]),
    ])
      throwsCode(() => unpack(packed), 'ERR_SYNC_BAD_PACK');
  });

  it('has a limit, which is exact', () => {
    const bytes = Buffer.alloc(100_000, 'ab');
    for (const packed of [deflated(bytes), Buffer.concat([Buffer.of(0), bytes])]) {
      assert.equal(unpack(packed, bytes.length).length, bytes.length);
      throwsCode(() => unpack(packed, bytes.length - 1), 'ERR_SYNC_TOO_LARGE');
      throwsCode(() => unpack(packed, 0), 'ERR_SYNC_TOO_LARGE');
    }
    assert.equal(unpack(deflated(Buffer.alloc(0)), 0).length, 0);
  });

  it('does not make a bomb’s bytes', () => {
    const bomb = deflated(Buffer.alloc(64 * MIB));
    assert.ok(bomb.length < MIB);
    const before = process.memoryUsage().arrayBuffers;
    throwsCode(() => unpack(bomb, MIB), 'ERR_SYNC_TOO_LARGE');
    const made = process.memoryUsage().arrayBuffers - before;
    assert.ok(made < 4 * MIB, `${made} bytes were made`);
    throwsCode(() => unpack(bomb), 'ERR_SYNC_TOO_LARGE');
    assert.equal(MAX_CONTENT_BYTES, 16 * MIB);
  });
});

describe('Packing JSON', () => {
  it('gives values back', () => {
    for (const value of [null, 0, 'text', [], { a: [{ b: 'ž🚢' }], long: 'x'.repeat(5000) }])
      assert.deepEqual(unpackJson(packJson(value)), value);
    assert.ok(packJson({ long: 'x'.repeat(5000) }).length < 100);
  });

  it('refuses what is no JSON', () => {
    for (const text of ['', '{', '{"a":}', 'undefined', '\ufeff{}'])
      throwsCode(() => unpackJson(pack(Buffer.from(text))), 'ERR_SYNC_BAD_PACK');
    throwsCode(() => unpackJson(Buffer.from([0, 0x22, 0xff, 0x22])), 'ERR_SYNC_BAD_PACK');
    throwsCode(() => unpackJson(Buffer.alloc(0)), 'ERR_SYNC_BAD_PACK');
  });

  it('has a limit', () => {
    throwsCode(() => unpackJson(packJson('x'.repeat(3 * MIB))), 'ERR_SYNC_TOO_LARGE');
    throwsCode(() => unpackJson(packJson('x'.repeat(100)), 50), 'ERR_SYNC_TOO_LARGE');
  });
});
