import { splitQuantity, type QuantityFormat } from './quantity-syntax.ts';

/** The smallest power of ten that a quantity keeps: nano. */
const NANO = -9;
const MAX_INT64 = 2n ** 63n - 1n;

const DECIMAL_SUFFIXES: Readonly<Record<number, string>> = {
  [-9]: 'n',
  [-6]: 'u',
  [-3]: 'm',
  0: '',
  3: 'k',
  6: 'M',
  9: 'G',
  12: 'T',
  15: 'P',
  18: 'E',
};
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

/**
 * A resource quantity: an exact decimal number, `amount · 10^scale`, with the kind of suffix it was written with.
 * Immutable. Source: k8s.io/apimachinery api/resource Quantity.
 */
export class Quantity {
  /** 0. */
  static readonly zero: Quantity = new Quantity(0n, 0, 'decimal');

  readonly format: QuantityFormat;
  readonly #amount: bigint;
  readonly #scale: number;
  /** The text it was parsed from, where apimachinery takes that for canonical already. */
  readonly #text: string | undefined;

  private constructor(amount: bigint, scale: number, format: QuantityFormat, text?: string) {
    this.#amount = amount;
    this.#scale = scale;
    this.format = format;
    this.#text = text;
  }

  /**
   * Parses e.g. `100m`, `1.5Gi`, `2e3`. What is finer than nano is rounded away from zero; binary quantities are
   * capped at 2⁶³−1.
   * @throws SyntaxError with the API's message. Beyond apimachinery, texts over 256 characters and exponents over
   * 1000 are refused, so that no quantity can be a burden.
   */
  static parse(text: string): Quantity {
    if (text === '0') return new Quantity(0n, 0, 'decimal', text);
    const { negative, whole, fraction, base, exponent, format } = splitQuantity(text);
    const digits = BigInt(whole + fraction);
    let magnitude = base === 2 ? digits << BigInt(exponent) : digits;
    let scale = (base === 10 ? exponent : 0) - fraction.length;
    if (scale < NANO) {
      magnitude = divideUp(magnitude, 10n ** BigInt(NANO - scale));
      scale = NANO;
    }
    let kept = format;
    if (format === 'binary') {
      const unit = 10n ** BigInt(-scale);
      if (magnitude > MAX_INT64 * unit) [magnitude, scale] = [MAX_INT64, 0];
      else if (magnitude > 0n && magnitude < unit) kept = 'decimal';
    }
    const canonical = isTakenForCanonical(whole, fraction, { base, exponent, format });
    return new Quantity(negative ? -magnitude : magnitude, scale, kept, canonical ? text : undefined);
  }

  /** A whole number of 10^`scale` units, e.g. `of(250n, -3)` for 250m. */
  static of(amount: bigint, scale = 0, format: QuantityFormat = 'decimal'): Quantity {
    return new Quantity(amount, scale, format);
  }

  get isZero(): boolean {
    return this.#amount === 0n;
  }

  /** -1, 0 or 1. */
  get sign(): -1 | 0 | 1 {
    return this.#amount === 0n ? 0 : this.#amount < 0n ? -1 : 1;
  }

  /** The sum, with this quantity's kind of suffix (the other's if this is zero). */
  add(other: Quantity): Quantity {
    const scale = Math.min(this.#scale, other.#scale);
    const format = this.isZero ? other.format : this.format;
    return new Quantity(this.#at(scale) + other.#at(scale), scale, format);
  }

  /** The difference, with this quantity's kind of suffix (the other's if this is zero). */
  sub(other: Quantity): Quantity {
    return this.add(new Quantity(-other.#amount, other.#scale, other.format));
  }

  /** Negative, zero or positive as this is less than, equal to or more than the other. */
  compare(other: Quantity): -1 | 0 | 1 {
    return this.sub(other).sign;
  }

  /** In units of 10^`scale`, rounded away from zero: `scaledValue(-3)` is in thousandths. */
  scaledValue(scale: number): bigint {
    if (this.#scale >= scale) return this.#at(scale);
    const divisor = 10n ** BigInt(scale - this.#scale);
    return this.#amount < 0n ? -divideUp(-this.#amount, divisor) : divideUp(this.#amount, divisor);
  }

  /** Whole units, rounded away from zero. */
  value(): bigint {
    return this.scaledValue(0);
  }

  /** Thousandths, rounded away from zero: what schedulers count processors in. */
  milliValue(): bigint {
    return this.scaledValue(-3);
  }

  /** The nearest JavaScript number. */
  toNumber(): number {
    return Number(`${this.#amount}e${this.#scale}`);
  }

  /** The canonical form: no fraction, nothing lost, the largest suffix that allows it. */
  toString(): string {
    if (this.#text !== undefined) return this.#text;
    if (this.isZero) return '0';
    return this.format === 'binary' ? this.#formatBinary() : this.#formatDecimal(this.format);
  }

  #at(scale: number): bigint {
    return this.#amount * 10n ** BigInt(this.#scale - scale);
  }

  #formatBinary(): string {
    const whole = this.value();
    const exact = this.#scale >= 0 || whole * 10n ** BigInt(-this.#scale) === this.#amount;
    if (!exact || (whole > -1024n && whole < 1024n)) return this.#formatDecimal('decimal');
    let amount = whole;
    let power = 0;
    while (power < BINARY_SUFFIXES.length - 1 && amount % 1024n === 0n) {
      amount /= 1024n;
      power += 1;
    }
    return `${amount}${BINARY_SUFFIXES[power] ?? ''}`;
  }

  #formatDecimal(format: 'decimal' | 'exponent'): string {
    let amount = this.#amount;
    let exponent = this.#scale;
    while (amount % 10n === 0n) {
      amount /= 10n;
      exponent += 1;
    }
    while (exponent % 3 !== 0) {
      amount *= 10n;
      exponent -= 1;
    }
    const suffix = format === 'decimal' ? DECIMAL_SUFFIXES[exponent] : undefined;
    return `${amount}${suffix ?? (exponent === 0 ? '' : `e${exponent}`)}`;
  }
}

/** Rounds up; both positive or zero. */
function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/**
 * Whether apimachinery keeps the text as it stands. Its test is an approximation of canonical form ("1.500" passes),
 * and as clients can see it, it is followed here.
 */
function isTakenForCanonical(
  whole: string,
  fraction: string,
  { base, exponent, format }: { base: 2 | 10; exponent: number; format: QuantityFormat },
): boolean {
  const shifted = whole + fraction;
  if (base === 2) {
    const precision = 14 - whole.length - Math.trunc((exponent * 3) / 10);
    return (
      fraction === '' && exponent >= 0 && precision >= 0 && format === 'binary' && BigInt(whole) % 8n !== 0n
    );
  }
  const scale = exponent - fraction.length;
  return (
    shifted.length <= 18 &&
    scale >= NANO &&
    scale % 3 === 0 &&
    !shifted.endsWith('000') &&
    !shifted.startsWith('0')
  );
}

/** Whether the text is a quantity. */
export function isQuantity(text: string): boolean {
  try {
    Quantity.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/**
 * The canonical form of a quantity, which is what the API server stores: `1000m` → `1`, `1024Mi` → `1Gi`.
 * @throws SyntaxError with the API's message.
 */
export function canonicalQuantity(text: string): string {
  return Quantity.parse(text).toString();
}
