import assert from 'node:assert/strict';
import { PropertyError } from '@hawser/mapper-sdk';
import { codecOf } from '../src/codec.ts';
import { visit } from './site.ts';

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

describe('codec', () => {
  it('reads what KubeEdge reads where a visitor has no type: unsigned by limit, floats, text', () => {
    assert.equal(codecOf(visit({ limit: 1 })).decode(hex('ff85')), 65413);
    assert.equal(codecOf(visit({ limit: 2 })).decode(hex('fffe1dc0')), 4294843840);
    assert.equal(codecOf(visit({ limit: 4 })).decode(hex('ffffffffffffffff')), 2n ** 64n - 1n);
    assert.equal(codecOf(visit({ limit: 2 }, { type: 'FLOAT' })).decode(hex('41460000')), 12.375);
    assert.equal(codecOf(visit({ limit: 4 }, { type: 'DOUBLE' })).decode(hex('4028c00000000000')), 12.375);
    assert.equal(codecOf(visit({ limit: 3 }, { type: 'STRING' })).decode(hex('707572700000')), 'purp');
    assert.equal(codecOf(visit({ scale: 0.1 })).decode(hex('007f')), 12, 'an INT loses its fraction');
    assert.equal(codecOf(visit({ scale: 0.1 }, { type: 'FLOAT' })).decode(hex('007b')), 12.3);
  });

  it('reads a register as a truth value', () => {
    const codec = codecOf(visit({}, { type: 'BOOLEAN' }));
    assert.equal(codec.decode(hex('0000')), false);
    assert.equal(codec.decode(hex('0100')), true);
    assert.deepEqual(codec.encode(true), hex('0001'));
    assert.deepEqual(codec.encode(false), hex('0000'));
  });

  it('refuses what does not fit instead of wrapping it', () => {
    const refuses = (visitor: Parameters<typeof visit>[0], value: number | bigint, words: RegExp): void => {
      assert.throws(
        () => codecOf(visit(visitor, { type: 'DOUBLE' })).encode(value),
        (error) => error instanceof PropertyError && words.test(error.message),
        `${JSON.stringify(visitor)} ${value}`,
      );
    };
    refuses({ type: 'uint16' }, 65536, /65536 does not fit: uint16 holds 0 to 65535/);
    refuses({ type: 'uint16' }, -1, /uint16 holds 0 to 65535/);
    refuses({ type: 'int16' }, 32768, /int16 holds -32768 to 32767/);
    refuses({ type: 'int16' }, -32769, /int16/);
    refuses({ type: 'int16', scale: 0.1 }, 3276.8, /32768 does not fit/);
    refuses({ type: 'uint32' }, 2 ** 32, /uint32 holds 0 to 4294967295/);
    refuses({ type: 'int64' }, 2n ** 63n, /int64 holds -9223372036854775808 to 9223372036854775807/);
    refuses({ type: 'uint64' }, 2n ** 64n, /uint64/);
    refuses({ type: 'float' }, 3.5e38, /too large for a float/);
    refuses({ type: 'double', scale: 1e-10 }, 1e300, /too large for a double/);
    refuses({ type: 'bit', bit: 3 }, 2, /bit holds 0 to 1/);
    refuses({ type: 'bit', bit: 3, bitCount: 3 }, 8, /field of 3 bits holds 0 to 7/);
    refuses({}, NaN, /takes a number/);
  });

  it('does not call a register without a number a number', () => {
    const codec = codecOf(visit({ type: 'float' }, { type: 'FLOAT' }));
    assert.throws(() => codec.decode(hex('7fc00000')), /holds NaN, which is not a number/);
    assert.throws(() => codec.decode(hex('ff800000')), /holds -Infinity/);
  });

  it('reads bits of a register', () => {
    const field = codecOf(visit({ type: 'bit', bit: 4, bitCount: 3 }));
    assert.equal(field.decode(hex('00d0')), 5);
    assert.deepEqual(field.field, { shift: 4, width: 3 });
    const bit = codecOf(visit({ bit: 15 }, { type: 'BOOLEAN' }));
    assert.equal(bit.decode(hex('8000')), true);
    assert.equal(bit.decode(hex('7fff')), false);
    assert.equal(codecOf(visit({ bit: 7, isSwap: true }, { type: 'BOOLEAN' })).decode(hex('8000')), true);
  });

  it('reads coils as truth values, numbers and bytes', () => {
    const coil = { register: 'CoilRegister' } as const;
    assert.equal(codecOf(visit(coil, { type: 'BOOLEAN' })).decode(hex('01')), true);
    assert.equal(codecOf(visit(coil)).decode(hex('00')), 0);
    const number = codecOf(visit({ ...coil, limit: 12 }));
    assert.equal(number.decode(hex('ef0c')), 0xcef);
    assert.deepEqual(number.encode(0xcef), hex('ef0c'));
    assert.throws(() => number.encode(0x1000), /12 bits holds 0 to 4095/);
    const wide = codecOf(visit({ ...coil, limit: 64 }));
    assert.equal(wide.decode(hex('0100000000000080')), 2n ** 63n + 1n);
    const packed = codecOf(visit({ ...coil, limit: 12 }, { type: 'BYTES' }));
    assert.deepEqual(packed.decode(hex('ef0c')), new Uint8Array([0xef, 0x0c]));
    assert.throws(() => packed.encode(hex('ef1c')), /bits beyond the 12/);
    assert.throws(() => packed.encode(hex('ef')), /takes 2 bytes, not 1/);
  });

  it('reads and writes text in any byte order, filled up with NULs', () => {
    const plain = codecOf(visit({ limit: 3 }, { type: 'STRING' }));
    assert.deepEqual(plain.encode('Häns'), Buffer.from('H\u00e4ns\0'));
    assert.equal(plain.decode(plain.encode('Häns')), 'Häns');
    assert.equal(plain.decode(hex('616200636465')), 'ab', 'what is behind the NUL means nothing');
    const swapped = codecOf(visit({ limit: 2, isSwap: true }, { type: 'STRING' }));
    assert.equal(swapped.decode(Buffer.from('badc')), 'abcd');
    assert.deepEqual(swapped.encode('abcd'), Buffer.from('badc'));
    assert.throws(() => plain.encode('seven b'), /room for 6 bytes of text, not for 7/);
    assert.throws(() => plain.encode('a\0b'), /no NUL/);
    assert.throws(() => plain.encode(5), /takes text/);
    assert.throws(() => plain.decode(hex('fffe00000000')), /not UTF-8/);
  });

  it('hands bytes through in the order that is wanted', () => {
    const codec = codecOf(visit({ limit: 2, isRegisterSwap: true }, { type: 'BYTES' }));
    assert.deepEqual(codec.decode(hex('01020304')), new Uint8Array([3, 4, 1, 2]));
    assert.deepEqual(codec.encode(new Uint8Array([3, 4, 1, 2])), hex('01020304'));
    assert.throws(() => codec.encode(hex('010203')), /takes 4 bytes, not 3/);
    assert.throws(() => codec.encode('text'), /takes bytes/);
  });

  it('reads a whole number that is too long for a double as it is', () => {
    const codec = codecOf(visit({ type: 'uint32', scale: 1e10 }));
    assert.equal(codec.decode(hex('ffffffff')), 42949672950000000000n);
  });
});
