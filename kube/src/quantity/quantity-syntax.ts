/** The kind of suffix: `1k`, `1Ki`, `1e3`. */
export type QuantityFormat = 'decimal' | 'binary' | 'exponent';

/** The parts of a quantity's text. */
export interface QuantityParts {
  readonly negative: boolean;
  /** Digits before the point, without leading zeros; `0` if there are none. */
  readonly whole: string;
  /** Digits after the point. */
  readonly fraction: string;
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

/** What the API says of a text that is no quantity. */
export const QUANTITY_FORMAT_MESSAGE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_MESSAGE = 'unable to parse numeric part of quantity';
const SUFFIX_MESSAGE = "unable to parse quantity's suffix";

const TEXT_LIMIT = 256;
const EXPONENT_LIMIT = 1000;

const PATTERN = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;

const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/**
 * Takes a quantity's text apart.
 * @throws SyntaxError with the API's message.
 */
export function splitQuantity(text: string): QuantityParts {
  if (text.length > TEXT_LIMIT) throw new SyntaxError(NUMERIC_MESSAGE);
  const match = text === '' ? null : PATTERN.exec(text);
  if (match === null) throw new SyntaxError(QUANTITY_FORMAT_MESSAGE);
  const [, sign = '', digits = '', fraction = '', suffix = ''] = match;
  const scale = readSuffix(suffix);
  if (digits === '' && fraction === '') throw new SyntaxError(NUMERIC_MESSAGE);
  return { negative: sign === '-', whole: digits.replace(/^0+/, '') || '0', fraction, ...scale };
}

function readSuffix(suffix: string): Pick<QuantityParts, 'base' | 'exponent' | 'format'> {
  if (Object.hasOwn(DECIMAL, suffix)) return { base: 10, exponent: DECIMAL[suffix] ?? 0, format: 'decimal' };
  if (Object.hasOwn(BINARY, suffix)) return { base: 2, exponent: BINARY[suffix] ?? 0, format: 'binary' };
  const match = /^[eE]([-+]?\d+)$/.exec(suffix);
  const exponent = Number(match?.[1] ?? Number.NaN);
  if (!(Math.abs(exponent) <= EXPONENT_LIMIT)) throw new SyntaxError(SUFFIX_MESSAGE);
  return { base: 10, exponent, format: 'exponent' };
}
