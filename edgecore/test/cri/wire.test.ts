import assert from 'node:assert/strict';
import {
  bool,
  bytes,
  int32,
  int64,
  list,
  many,
  map,
  message,
  one,
  oneOf,
  string,
  uint32,
  uint64,
} from '../../src/cri/wire.ts';

const Inner = message('Inner', { id: string(1), count: int64(2) });
const State = { OFF: 0, ON: 1 } as const;
const All = message('All', {
  text: string(1),
  flag: bool(2),
  small: int32(3),
  natural: uint32(4),
  wide: int64(5),
  large: uint64(6),
  raw: bytes(7),
  state: oneOf(8, State),
  inner: one(9, Inner),
  inners: many(10, Inner),
  texts: list(11, 'string'),
  numbers: list(12, 'int64'),
  labels: map(13),
  far: string(18),
});

const EMPTY = {
  text: '',
  flag: false,
  small: 0,
  natural: 0,
  wide: 0,
  large: 0,
  raw: new Uint8Array(0),
  state: 0,
  inner: undefined,
  inners: [],
  texts: [],
  numbers: [],
  labels: {},
  far: '',
};

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const unhex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('protobuf messages', () => {
  it('come back as they went', () => {
    const value = {
      text: 'käse',
      flag: true,
      small: -1,
      natural: 4_000_000_000,
      wide: -997,
      large: 2 ** 53 - 1,
      raw: new Uint8Array([0, 255]),
      state: State.ON,
      inner: { id: 'a', count: 7 },
      inners: [
        { id: '', count: 0 },
        { id: 'b', count: 1 },
      ],
      texts: ['', 'x'],
      numbers: [1, 300, -1],
      labels: { a: '1', b: '' },
      far: 'away',
    };
    const decoded = All.decode(All.encode(value));
    assert.deepEqual({ ...decoded, raw: new Uint8Array(decoded.raw) }, value);
  });

  for (const [what, value, expected] of [
    ['nothing', {}, ''],
    ['defaults', { text: '', flag: false, small: 0, numbers: [], labels: {} }, ''],
    ['a message of defaults, which is not the same as none', { inner: {} }, '4a00'],
    ['a negative number', { small: -1 }, '18ffffffffffffffffff01'],
    ['packed numbers', { numbers: [1, 300] }, '620301ac02'],
    ['texts, also empty ones', { texts: ['', 'x'] }, '5a005a0178'],
    ['an entry of a map', { labels: { a: '1' } }, '6a060a0161120131'],
    ['a field beyond 15', { far: 'x' }, '92010178'],
  ] as const) {
    it(`write ${what}`, () => assert.equal(hex(All.encode(value)), expected));
  }

  it('have every field when nothing came', () => {
    assert.deepEqual(All.decode(new Uint8Array(0)), EMPTY);
  });

  for (const [what, data, expected] of [
    ['numbers that are not packed', '60 01 60 ac02', { numbers: [1, 300] }],
    ['a field that is not known', 'f2 1f 03 616263 10 01', { flag: true }],
    ['a known field of another wire type, as an unknown one', '08 05 10 01', { flag: true }],
    ['the last of a field that comes twice', '0a 01 61 0a 01 62', { text: 'b' }],
    ['a number of an enum that is not known', '40 09', { state: 9 }],
    ['an entry of a map without a value', '6a 03 0a 01 61', { labels: { a: '' } }],
    ['an unknown group', 'a3 06 08 01 a4 06 10 01', { flag: true }],
  ] as const) {
    it(`read ${what}`, () => assert.deepEqual(All.decode(unhex(data)), { ...EMPTY, ...expected }));
  }

  it('take __proto__ as a key like any other', () => {
    const { labels } = All.decode(All.encode({ labels: Object.fromEntries([['__proto__', 'x']]) }));
    assert.deepEqual(Object.entries(labels), [['__proto__', 'x']]);
    assert.equal(Object.getPrototypeOf(labels), Object.prototype);
  });

  for (const [what, data] of [
    ['that end within a number', '18 ff'],
    ['that end within a text', '0a 05 61'],
    ['with a message that goes beyond the end', '4a 7f 0a'],
    ['whose inner message has a field that goes beyond it', '4a 02 0a 01 61'],
    ['with packed numbers that go beyond the end', '62 09 01'],
    ['with an entry that goes beyond the end', '6a 09 0a 01 61'],
    ['with a wire type that does not exist', '0f'],
    ['with a number of more than ten bytes', '28 ffffffffffffffffffff01'],
  ] as const) {
    it(`refuse bytes ${what}`, () => {
      assert.throws(() => All.decode(unhex(data)), Error);
    });
  }
});
