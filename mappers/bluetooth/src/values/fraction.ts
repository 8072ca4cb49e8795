import type { Operation } from '../config.ts';

/**
 * An exact number: `top` / `bottom`, `bottom` above 0. Operations are worked out with these, so that 123 times 0.1 is 12.3
 * and not 12.3 and something, and so that every one of them can be undone.
 */
export interface Fraction {
  readonly top: bigint;
  readonly bottom: bigint;
}

/** The decimal that JavaScript writes for a number: the shortest that means the same. */
export function fractionOf(value: number | bigint): Fraction {
  if (typeof value === 'bigint') return { top: value, bottom: 1n };
  const [mantissa = '0', power = '0'] = String(value).split('e');
  const [whole = '0', places = ''] = mantissa.split('.');
  const exponent = Number(power) - places.length;
  const digits = BigInt(whole + places);
  return exponent >= 0
    ? { top: digits * 10n ** BigInt(exponent), bottom: 1n }
    : { top: digits, bottom: 10n ** BigInt(-exponent) };
}

/** Does what the operations say, one after the other. */
export function operate(value: Fraction, operations: readonly Operation[]): Fraction {
  return operations.reduce((sofar, { operationType, operationValue }) => {
    const by = fractionOf(operationValue);
    switch (operationType) {
      case 'Add':
        return plus(sofar, by);
      case 'Subtract':
        return plus(sofar, negative(by));
      case 'Multiply':
        return times(sofar, by);
      case 'Divide':
        return times(sofar, inverse(by));
    }
  }, value);
}

/** Undoes {@link operate}. None of them may multiply by 0. */
export function undo(value: Fraction, operations: readonly Operation[]): Fraction {
  return operations.reduceRight((sofar, { operationType, operationValue }) => {
    const by = fractionOf(operationValue);
    switch (operationType) {
      case 'Add':
        return plus(sofar, negative(by));
      case 'Subtract':
        return plus(sofar, by);
      case 'Multiply':
        return times(sofar, inverse(by));
      case 'Divide':
        return times(sofar, by);
    }
  }, value);
}

/** Digits that a double is told by, and enough to round it well. */
const DIGITS = 40;

/** The nearest double. */
export function toNumber({ top, bottom }: Fraction): number {
  const places = Math.max(0, DIGITS + String(bottom).length - String(top).length);
  return Number(`${(top * 10n ** BigInt(places)) / bottom}e${-places}`);
}

/** Without what is behind the point: 12.9 is 12, −12.9 is −12. */
export function truncate({ top, bottom }: Fraction): bigint {
  return top / bottom;
}

/** The nearest whole number; halves go away from zero. */
export function round({ top, bottom }: Fraction): bigint {
  const size = top < 0n ? -top : top;
  const rounded = (2n * size + bottom) / (2n * bottom);
  return top < 0n ? -rounded : rounded;
}

function plus(a: Fraction, b: Fraction): Fraction {
  return { top: a.top * b.bottom + b.top * a.bottom, bottom: a.bottom * b.bottom };
}

function times(a: Fraction, b: Fraction): Fraction {
  return { top: a.top * b.top, bottom: a.bottom * b.bottom };
}

function negative({ top, bottom }: Fraction): Fraction {
  return { top: -top, bottom };
}

function inverse({ top, bottom }: Fraction): Fraction {
  return top < 0n ? { top: -bottom, bottom: -top } : { top: bottom, bottom: top };
}
