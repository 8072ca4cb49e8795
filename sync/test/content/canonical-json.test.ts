import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { canonicalJson } from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';

/** Any JSON value, at most so deep. */
function randomValue(random: Random, depth: number): unknown {
  const texts = ['', 'a', 'žluť', '🚢', '"quoted"', 'line\nline', '\u2028', '\0', '__proto__', '10', '9'];
  const text = (): string => texts[randomBelow(random, texts.length)] ?? '';
  switch (randomBelow(random, depth > 0 ? 7 : 5)) {
    case 0:
      return null;
    case 1:
      return randomBelow(random, 2) === 0;
    case 2:
      return randomBelow(random, 2_000_000) - 1_000_000;
    case 3:
      return (random.next() - 0.5) * 10 ** (randomBelow(random, 40) - 20);
    case 4:
      return text();
    case 5:
      return Array.from({ length: randomBelow(random, 5) }, () => randomValue(random, depth - 1));
    default: {
      const fields = Array.from({ length: randomBelow(random, 5) }, () => [
        text() + text(),
        randomValue(random, depth - 1),
      ]);
      return Object.fromEntries(fields) as unknown;
    }
  }
}

/** The same value with the fields of every object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, field]) => [name, shuffled(field)]),
  );
}

describe('Canonical JSON', () => {
  it('sorts the fields of objects on every level, and has no white space', () => {
    const value = JSON.parse('{"b": [ {"z": 1, "y": null} , 2 ], "a": {"10": "x", "9": true}}') as unknown;
    assert.equal(canonicalJson(value), '{"a":{"10":"x","9":true},"b":[{"y":null,"z":1},2]}');
  });

  it('prints numbers and strings as RFC 8785 does', () => {
    // Source: RFC 8785, section 3.2.2.
    const value = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    ) as unknown;
    assert.equal(
      canonicalJson(value),
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts names by their UTF-16 units', () => {
    // Source: RFC 8785, section 3.2.3.
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    assert.deepEqual(Object.keys(JSON.parse(text) as object), [
      '1',
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\ud83d\ude00',
      '\ufb33',
    ]);
  });

  it('is the same for the same value, and gives it back', () => {
    const random = seededRandom(20_260_201);
    for (let round = 0; round < 2000; round++) {
      const value = randomValue(random, 4);
      const text = canonicalJson(value);
      assert.equal(canonicalJson(shuffled(value)), text);
      assert.deepEqual(JSON.parse(text), value);
    }
  });

  it('takes a field called __proto__ for what it is', () => {
    const value = JSON.parse('{"b":1,"__proto__":{"a":1}}') as unknown;
    assert.equal(canonicalJson(value), '{"__proto__":{"a":1},"b":1}');
  });

  it('leaves out fields that are undefined', () => {
    assert.equal(canonicalJson({ a: undefined, b: 1, c: undefined }), '{"b":1}');
  });

  it('refuses what JSON cannot hold', () => {
    for (const value of [undefined, Number.NaN, Infinity, 1n, () => 1, Symbol('s'), [undefined], { a: 1n }])
      throwsCode(() => canonicalJson(value), 'ERR_SYNC_BAD_CONTENT');
  });

  it('ends at 500 levels', () => {
    const nested = (levels: number): unknown =>
      JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
    assert.equal(canonicalJson(nested(500)).length, 1000);
    throwsCode(() => canonicalJson(nested(501)), 'ERR_SYNC_BAD_CONTENT');
    throwsCode(() => canonicalJson(nested(100_000)), 'ERR_SYNC_BAD_CONTENT');
  });
});
