import type { DriverValue, Visit } from '@hawser/mapper-sdk';
import type { Random } from '@hawser/seams';
import type { VirtualVisitor } from './schemas.ts';

/** One simulated value. */
export class Signal {
  readonly #visitor: VirtualVisitor;
  readonly #type: Visit['type'];
  readonly #random: Random;
  #level: number;
  #written: DriverValue | undefined;

  constructor({ visitor, type }: Visit<VirtualVisitor>, random: Random) {
    this.#visitor = visitor;
    this.#type = type;
    this.#random = random;
    this.#level = visitor.signal === 'random-walk' ? (visitor.min + visitor.max) / 2 : visitor.min;
  }

  /** @param ageMs of the device */
  read(ageMs: number): DriverValue {
    const { signal, value = 0 } = this.#visitor;
    if (signal === 'echo') return this.#written ?? ofType(this.#type, value);
    if (signal === 'constant') return ofType(this.#type, value);
    return ofType(this.#type, this.#next(ageMs));
  }

  /** Far out of its range, as a broken sensor says it. */
  readWrong(): DriverValue {
    const { min, max } = this.#visitor;
    return ofType(this.#type, max + 10 * Math.max(1, max - min));
  }

  /** Only of an echo. */
  write(value: DriverValue): void {
    this.#written = value;
  }

  #next(ageMs: number): number | boolean {
    const { signal, min, max, periodMs, step } = this.#visitor;
    const phase = (ageMs % periodMs) / periodMs;
    switch (signal) {
      case 'sine':
        return (min + max) / 2 + ((max - min) / 2) * Math.sin(2 * Math.PI * phase);
      case 'ramp':
        return min + (max - min) * phase;
      case 'random-walk':
        this.#level += (2 * this.#random.next() - 1) * step;
        this.#level = Math.min(max, Math.max(min, this.#level));
        return this.#level;
      case 'counter': {
        const now = this.#level;
        // Begins again at its lower end, as counters of meters do.
        this.#level = now + step > max || now + step < min ? min : now + step;
        return now;
      }
      default:
        return phase >= 0.5;
    }
  }
}

/** A number or switch as a property of this type has it. */
function ofType(type: Visit['type'], value: string | number | boolean): DriverValue {
  switch (type) {
    case 'INT':
      return Math.round(Number(value));
    case 'FLOAT':
      return Math.fround(Number(value));
    case 'DOUBLE':
      return Number(value);
    case 'BOOLEAN':
      return typeof value === 'string' ? value === 'true' : Boolean(value);
    case 'BYTES':
      return Buffer.from(String(value));
    case 'STRING':
    case 'STREAM':
      return String(value);
  }
}
