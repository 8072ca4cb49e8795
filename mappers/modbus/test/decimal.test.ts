import assert from 'node:assert/strict';
import { scaled } from '@hawser/seams/testing';
import {
  decimalOf,
  decimalOfFloat,
  divideToInteger,
  divideToNumber,
  multiply,
  toNumber,
  truncate,
} from '../src/decimal.ts';

/** In a short run not each of them. */
const STEP = scaled(11, 1);

describe('decimal', () => {
  it('scales without the noise of binary fractions', () => {
    const times = (raw: number | bigint, scale: number): number =>
      toNumber(multiply(decimalOf(raw), decimalOf(scale)));
    assert.equal(times(123, 0.1), 12.3);
    assert.equal(times(3, 0.1), 0.3);
    assert.equal(times(-32768, 0.001), -32.768);
    assert.equal(times(7, 1e-7), 7e-7);
    assert.equal(times(12, 1e21), 1.2e22);
    assert.equal(times(18446744073709551615n, 0.01), Number('184467440737095516.15'));
    assert.equal(times(5, -2.5), -12.5);
  });

  it('has no raw value of 16 bits, for any of these scales, that differs from its decimal', function () {
    this.timeout(scaled(10_000, 60_000));
    for (const [scale, places] of [
      [0.1, 1],
      [0.01, 2],
      [0.001, 3],
      [1e-7, 7],
    ] as const)
      for (let raw = -32768; raw < 65536; raw += STEP) {
        const value = toNumber(multiply(decimalOf(raw), decimalOf(scale)));
        if (value !== Number(`${raw}e-${places}`)) assert.fail(`${raw} × ${scale} is ${value}`);
        if (divideToInteger(decimalOf(value), decimalOf(scale)) !== BigInt(raw))
          assert.fail(`${value} / ${scale} is not ${raw}`);
      }
  });

  it('rounds to the nearest, halves away from zero', () => {
    const divided = (value: number, scale: number): bigint =>
      divideToInteger(decimalOf(value), decimalOf(scale));
    assert.equal(divided(12.34, 0.1), 123n);
    assert.equal(divided(12.35, 0.1), 124n);
    assert.equal(divided(-12.35, 0.1), -124n);
    assert.equal(divided(12.35, -0.1), -124n);
    assert.equal(divided(0.1 + 0.2, 0.1), 3n);
    assert.equal(divided(14, 10), 1n);
    assert.equal(divided(15, 10), 2n);
    assert.equal(divided(1e30, 1), 10n ** 30n);
  });

  it('divides to doubles', () => {
    const divided = (value: number, scale: number): number =>
      divideToNumber(decimalOf(value), decimalOf(scale));
    assert.equal(divided(12.3, 0.1), 123);
    assert.equal(divided(1, 3), 1 / 3);
    assert.equal(divided(-1e-300, 1e10), -1e-310);
    assert.equal(divided(0, 0.1), 0);
    assert.equal(divided(1e300, 1e-10), Infinity);
  });

  it('cuts off what is behind the point', () => {
    assert.equal(truncate(decimalOf(12.9)), 12n);
    assert.equal(truncate(decimalOf(-12.9)), -12n);
    assert.equal(truncate(decimalOf(1.5e21)), 1500000000000000000000n);
    assert.equal(truncate(decimalOf(-0.5)), 0n);
  });

  it('takes the shortest decimal of a 32-bit float, which leads back to the same float', () => {
    assert.equal(toNumber(decimalOfFloat(Math.fround(0.1))), 0.1);
    assert.equal(toNumber(decimalOfFloat(Math.fround(21.55))), 21.55);
    assert.equal(toNumber(decimalOfFloat(16777217 - 1)), 16777216);
    const view = new DataView(new ArrayBuffer(4));
    let bits = 1;
    for (let at = 0; at < 20_000; at += 1) {
      bits = (Math.imul(bits, 1664525) + 1013904223) >>> 0;
      view.setUint32(0, bits);
      const float = view.getFloat32(0);
      if (!Number.isFinite(float)) continue;
      if (Math.fround(toNumber(decimalOfFloat(float))) !== float) assert.fail(`${float}`);
    }
  });
});
