import { PropertyError, type DriverContext, type Visit, type VisitResult } from '@hawser/mapper-sdk';
import { sliceBits } from './bits.ts';
import { codecOf, type Codec } from './codec.ts';
import { isBitKind, type ModbusProtocol, type ModbusVisitor, type RegisterKind } from './config.ts';
import { planReads, spanOf, type Span } from './read-plan.ts';
import type { Requester } from './requester.ts';
import { Unreadable } from './unreadable.ts';
import { ModbusException } from './words.ts';

type ModbusVisit = Visit<ModbusVisitor>;

interface Wanted {
  readonly start: number;
  readonly count: number;
  readonly visit: ModbusVisit;
  readonly codec: Codec;
  /** Where its result goes. */
  readonly index: number;
}

const MOST_REGISTERS = 125;
const MOST_BITS = 2000;
/** A gap of bits costs less by so much. */
const BITS_PER_REGISTER = 16;

/** The exception of a device that is asked for more than it gives at once. */
const ILLEGAL_VALUE = 3;

/** What reading some of a device's registers came to. */
interface Outcome {
  /** Something was found that explains why it could not be read together. */
  readonly explained: boolean;
}

/** Reads properties of devices with as few requests as can be. */
export class Reader {
  readonly #requester: Requester;
  readonly #unreadable: Unreadable<ModbusVisit>;
  readonly #codecs = new WeakMap<ModbusVisit, Codec>();

  constructor(requester: Requester, context: DriverContext) {
    this.#requester = requester;
    this.#unreadable = new Unreadable(context.clock);
  }

  /**
   * @returns in the order of `visits`
   * @throws NoAnswer, ConnectionLost, and ModbusException where a gateway answers for the device
   */
  async read(
    config: ModbusProtocol,
    visits: readonly ModbusVisit[],
    signal: AbortSignal,
  ): Promise<VisitResult[]> {
    const results: VisitResult[] = visits.map(() => ({ error: new PropertyError('was not read') }));
    const byKind = new Map<RegisterKind, Wanted[]>();
    for (const [index, visit] of visits.entries()) {
      const known = this.#unreadable.reason(visit);
      if (known !== undefined) results[index] = { error: known };
      const wanted = this.#want(visit, index, results);
      if (wanted === undefined) continue;
      const { register } = visit.visitor;
      const same = byKind.get(register);
      if (same === undefined) byKind.set(register, [wanted]);
      else same.push(wanted);
    }
    for (const [register, wanted] of byKind)
      for (const span of this.#plan(config, register, wanted))
        await this.#readSpan({ config, register, signal, results }, span);
    return results;
  }

  /** @throws PropertyError the configuration does not fit its type */
  codecFor(visit: ModbusVisit): Codec {
    let codec = this.#codecs.get(visit);
    if (codec === undefined) {
      codec = codecOf(visit);
      this.#codecs.set(visit, codec);
    }
    return codec;
  }

  #want(visit: ModbusVisit, index: number, results: VisitResult[]): Wanted | undefined {
    try {
      const codec = this.codecFor(visit);
      return { start: visit.visitor.offset, count: codec.count, visit, codec, index };
    } catch (error) {
      results[index] = { error: error as Error };
      return undefined;
    }
  }

  #plan(config: ModbusProtocol, register: RegisterKind, wanted: readonly Wanted[]): Span<Wanted>[] {
    const bits = isBitKind(register);
    return planReads(wanted, {
      most: bits ? MOST_BITS : MOST_REGISTERS,
      maxGap: config.maxGap * (bits ? BITS_PER_REGISTER : 1),
      isBad: ({ visit }) => this.#unreadable.reason(visit) !== undefined,
      isCut: ({ visit }) => this.#unreadable.isCut(visit),
    });
  }

  async #readSpan(
    reading: {
      readonly config: ModbusProtocol;
      readonly register: RegisterKind;
      readonly signal: AbortSignal;
      readonly results: VisitResult[];
    },
    span: Span<Wanted>,
  ): Promise<Outcome> {
    const { config, register, signal, results } = reading;
    const { start: offset, count, wanted } = span;
    let tooMany: boolean;
    try {
      const raw = await this.#requester.send(config, signal, (client, options) =>
        client.read({ register, offset, count }, options),
      );
      for (const one of wanted) results[one.index] = decode(register, raw, offset, one);
      return { explained: false };
    } catch (error) {
      if (!(error instanceof ModbusException) || error.ofGateway) throw error;
      tooMany = error.code === ILLEGAL_VALUE;
      if (!error.ofAddress || wanted.length === 1) {
        for (const { index, visit } of wanted) {
          results[index] = { error };
          if (error.ofAddress) this.#unreadable.refused(visit, error, error.code);
        }
        return { explained: true };
      }
    }
    // One of them may be at fault, or what is between them, or their number: halves tell.
    const middle = wanted.length >> 1;
    const [low, high] = [wanted.slice(0, middle), wanted.slice(middle)];
    const outcomes = [
      await this.#readSpan(reading, spanOf(low)),
      await this.#readSpan(reading, spanOf(high)),
    ];
    const explained = outcomes.some((outcome) => outcome.explained);
    const [first] = high;
    if ((tooMany || !explained) && first !== undefined) this.#unreadable.cut(first.visit);
    return { explained: true };
  }
}

function decode(register: RegisterKind, raw: Buffer, offset: number, wanted: Wanted): VisitResult {
  const { start, count, codec } = wanted;
  const at = start - offset;
  const own = isBitKind(register) ? sliceBits(raw, at, count) : raw.subarray(2 * at, 2 * (at + count));
  try {
    return { value: codec.decode(own) };
  } catch (error) {
    return { error: error as Error };
  }
}
