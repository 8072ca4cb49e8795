/**
 * A number as people write it: `digits` × 10^`exponent`. Scaling is done with these, so that 123 times 0.1 is 12.3 and
 * not 12.3 and something.
 */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** The decimal that JavaScript writes for a number: the shortest that means the same. */
export function decimalOf(value: number | bigint): Decimal {
  if (typeof value === 'bigint') return { digits: value, exponent: 0 };
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

/**
 * The shortest decimal that a 32-bit float can stand for: 0.1, not 0.10000000149011612, which is what its bits are
 * as a double.
 */
export function decimalOfFloat(value: number): Decimal {
  // Nine digits tell every two 32-bit floats apart, so the last try always ends the loop.
  let text = '';
  for (let precision = 6; precision <= 9; precision += 1) {
    text = value.toPrecision(precision);
    if (Math.fround(Number(text)) === value) break;
  }
  return decimalOf(Number(text));
}

/** `a` times `b`, exactly. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, exponent: a.exponent + b.exponent };
}

/** The double that is nearest. */
export function toNumber(value: Decimal): number {
  return Number(`${value.digits}e${value.exponent}`);
}

/** Without what is behind the point: 12.9 is 12, −12.9 is −12. */
export function truncate({ digits, exponent }: Decimal): bigint {
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : digits / 10n ** BigInt(-exponent);
}

/** The whole number nearest to `a` divided by `b`; halves go away from zero. */
export function divideToInteger(a: Decimal, b: Decimal): bigint {
  const { numerator, denominator } = fraction(a, b);
  const negative = numerator < 0n !== denominator < 0n;
  const [top, bottom] = [magnitude(numerator), magnitude(denominator)];
  const rounded = (2n * top + bottom) / (2n * bottom);
  return negative ? -rounded : rounded;
}

/** Decimal places that a quotient is worked out to beyond the first of a double: enough to round it well. */
const QUOTIENT_DIGITS = 24;

/** `a` divided by `b` as a double. */
export function divideToNumber(a: Decimal, b: Decimal): number {
  const { numerator, denominator } = fraction(a, b);
  const spare = Math.max(0, QUOTIENT_DIGITS + String(denominator).length - String(numerator).length);
  return Number(`${(numerator * 10n ** BigInt(spare)) / denominator}e${-spare}`);
}

function fraction(a: Decimal, b: Decimal): { numerator: bigint; denominator: bigint } {
  const shift = a.exponent - b.exponent;
  return shift >= 0
    ? { numerator: a.digits * 10n ** BigInt(shift), denominator: b.digits }
    : { numerator: a.digits, denominator: b.digits * 10n ** BigInt(-shift) };
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
