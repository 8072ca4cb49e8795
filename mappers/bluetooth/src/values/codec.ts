import { canonicalValue, formatValue, isNumeric, parseValue } from '@hawser/devices';
import { PropertyError, type DriverValue, type Visit } from '@hawser/mapper-sdk';
import type { BluetoothVisitor, DataConverter } from '../config.ts';
import { readBytes } from './data-bytes.ts';
import { fractionOf, toNumber, truncate, type Fraction } from './fraction.ts';
import { bytesFor, numberFrom, rawFrom, slice } from './number-field.ts';

type BluetoothVisit = Visit<BluetoothVisitor>;

/** What the device has now; undefined: it cannot be read. */
export type ReadHeld = () => Promise<Uint8Array | undefined>;

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Longest number without `dataConverter`, bytes. */
const NUMBER_BYTES = 8;

/** Between the bytes of a characteristic and the value of a property. */
export class Codec {
  readonly #visit: BluetoothVisit;
  readonly #converter: DataConverter | undefined;
  /** Bytes by the text of their value. */
  readonly #named: ReadonlyMap<string, Buffer> | undefined;

  /** @throws PropertyError, DeviceError the configuration does not fit the type: `check` refuses such devices */
  constructor(visit: BluetoothVisit) {
    const { dataWrite, dataConverter } = visit.visitor;
    this.#visit = visit;
    this.#converter = dataConverter;
    this.#named = dataWrite && new Map(Object.entries(dataWrite).map((entry) => namedBytes(visit, entry)));
  }

  /** @throws PropertyError they are no such value */
  decode(bytes: Uint8Array): DriverValue {
    const { type } = this.#visit;
    const converter = this.#converter;
    const isNumber = isNumeric(type) || type === 'BOOLEAN';
    if (isNumber && converter !== undefined) return asValue(type, numberFrom(bytes, converter));
    const part = converter === undefined ? Buffer.from(bytes) : slice(bytes, converter);
    for (const [name, own] of this.#named ?? []) if (own.equals(part)) return parseValue(type, name);
    if (type === 'BYTES') return Uint8Array.from(part);
    if (isNumber) return asValue(type, fractionOf(littleEndian(type, part)));
    // None of the names: shown as it is, so that nobody takes it for a text of the device.
    return this.#named === undefined ? decodeText(part) : `0x${part.toString('hex')}`;
  }

  /**
   * The bytes to write.
   * @param readHeld asked where only a part of them is the property's
   * @throws PropertyError the value does not fit
   */
  async encode(value: DriverValue, readHeld: ReadHeld): Promise<Buffer> {
    const { type } = this.#visit;
    const named = this.#named?.get(formatValue(type, value));
    if (named !== undefined) return named;
    if (this.#converter !== undefined && typeof value !== 'string' && !(value instanceof Uint8Array)) {
      const number = fractionOf(typeof value === 'boolean' ? Number(value) : value);
      return bytesFor(number, this.#converter, await readHeld());
    }
    if (this.#named !== undefined)
      throw new PropertyError(`takes what \`dataWrite\` has: ${[...this.#named.keys()].join(', ')}`);
    if (value instanceof Uint8Array) return Buffer.from(value);
    if (typeof value === 'string') return Buffer.from(value);
    if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
    throw new PropertyError('cannot be written without `dataConverter` or `dataWrite`');
  }
}

function namedBytes(
  { type }: BluetoothVisit,
  [name, given]: [string, string | readonly number[]],
): [string, Buffer] {
  const read = readBytes(given);
  if ('problem' in read) throw new PropertyError(`dataWrite ${name} ${read.problem}`);
  return [canonicalValue(type, name), read.bytes];
}

function asValue(type: Visit['type'], number: Fraction): DriverValue {
  if (type === 'BOOLEAN') return number.top !== 0n;
  if (type !== 'INT') return toNumber(number);
  const whole = truncate(number);
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
}

/** Numbers of Bluetooth have their low byte first (Core specification, volume 3, part G, 2.4). */
function littleEndian(type: string, bytes: Buffer): bigint {
  if (bytes.length === 0) throw new PropertyError('has no bytes');
  if (bytes.length > NUMBER_BYTES && type !== 'BOOLEAN')
    throw new PropertyError(
      `has ${bytes.length} bytes: say which of them are the number with \`dataConverter\``,
    );
  return rawFrom(Buffer.from(bytes).reverse());
}

/** Text up to the first NUL. */
function decodeText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  try {
    return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch (cause) {
    throw new PropertyError('holds bytes that are not UTF-8: use the type BYTES', { cause });
  }
}
