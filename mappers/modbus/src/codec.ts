import { PropertyError, type DriverValue, type Visit } from '@hawser/mapper-sdk';
import { reorder } from './byte-order.ts';
import { isBitKind, type ModbusVisitor, type RawType } from './config.ts';
import { decodeText, encodeText } from './text.ts';
import { numberIn, numberOut } from './scaling.ts';
import { layoutOf } from './raw-type.ts';

/** Bits of one register that a property has. */
export interface BitField {
  readonly shift: number;
  readonly width: number;
}

/** Between what a property's registers hold and its value. */
export interface Codec {
  /** Registers, or coils. */
  readonly count: number;
  /** The property has a part of a register only: `encode` gives the part, as a number. */
  readonly field?: BitField;
  /**
   * @param raw two bytes for each register as they came; coils packed, the first one lowest
   * @throws PropertyError it is no such value
   */
  decode(raw: Buffer): DriverValue;
  /**
   * @returns as `raw` of `decode`
   * @throws PropertyError the value does not fit
   */
  encode(value: DriverValue): Buffer;
}

/** @throws PropertyError the configuration does not fit the type: `check` refuses such devices */
export function codecOf(visit: Visit<ModbusVisitor>): Codec {
  const layout = layoutOf(visit);
  if ('problem' in layout) throw new PropertyError(`configData${layout.path} ${layout.problem}`);
  const { raw, count } = layout;
  const { visitor } = visit;
  if (isBitKind(visitor.register)) return raw === 'bytes' ? packedCodec(count) : bitsCodec(visit, count);
  switch (raw) {
    case 'bytes':
      return bytesCodec(visit, count);
    case 'string':
      return {
        count,
        decode: (bytes) => decodeText(reorder(bytes, visitor)),
        encode: (value) => reorder(encodeText(value, 2 * count), visitor),
      };
    case 'bit':
      return fieldCodec(visit);
    case 'float':
    case 'double':
      return floatCodec(visit, raw, count);
    default:
      return integerCodec(visit, raw, count);
  }
}

function integerCodec(visit: Visit<ModbusVisitor>, raw: RawType | 'bits', count: number): Codec {
  const width = 16 * count;
  const signed = raw.startsWith('int');
  const name = raw;
  return {
    count,
    decode: (bytes) => numberOut(visit, readInteger(reorder(bytes, visit.visitor), signed), width > 32),
    encode: (value) => reorder(writeInteger(numberIn(visit, value), { width, signed, name }), visit.visitor),
  };
}

function floatCodec(visit: Visit<ModbusVisitor>, raw: 'float' | 'double', count: number): Codec {
  const single = raw === 'float';
  return {
    count,
    decode(bytes) {
      const ordered = reorder(bytes, visit.visitor);
      const value = single ? ordered.readFloatBE() : ordered.readDoubleBE();
      if (!Number.isFinite(value)) throw new PropertyError(`holds ${value}, which is not a number`);
      return numberOut(visit, value, false, single);
    },
    encode(value) {
      const number = numberIn(visit, value, true);
      const held = single ? Math.fround(number) : number;
      if (!Number.isFinite(held)) throw new PropertyError(`${String(value)} is too large for a ${raw}`);
      const bytes = Buffer.alloc(2 * count);
      if (single) bytes.writeFloatBE(held);
      else bytes.writeDoubleBE(held);
      return reorder(bytes, visit.visitor);
    },
  };
}

function fieldCodec(visit: Visit<ModbusVisitor>): Codec {
  const { visitor } = visit;
  const field = { shift: visitor.bit ?? 0, width: visitor.bitCount };
  return {
    count: 1,
    field,
    decode(bytes) {
      const register = readInteger(reorder(bytes, visitor), false);
      return numberOut(visit, (register >> BigInt(field.shift)) & ((1n << BigInt(field.width)) - 1n), false);
    },
    encode(value) {
      const part = writeInteger(numberIn(visit, value), {
        width: field.width,
        signed: false,
        name: field.width === 1 ? 'bit' : `field of ${field.width} bits`,
      });
      return Buffer.concat([Buffer.alloc(2 - part.length), part]);
    },
  };
}

function bytesCodec(visit: Visit<ModbusVisitor>, count: number): Codec {
  return {
    count,
    decode: (bytes) => new Uint8Array(reorder(bytes, visit.visitor)),
    encode: (value) => reorder(exactBytes(value, 2 * count), visit.visitor),
  };
}

/** Coils as bytes, packed as on the wire. */
function packedCodec(count: number): Codec {
  return {
    count,
    decode: (packed) => new Uint8Array(packed),
    encode(value) {
      const bytes = Buffer.from(exactBytes(value, Math.ceil(count / 8)));
      const spare = 8 * bytes.length - count;
      if (spare > 0 && (bytes.at(-1) ?? 0) >> (8 - spare) !== 0)
        throw new PropertyError(`has bits beyond the ${count} that there are`);
      return bytes;
    },
  };
}

/** Coils as a number, the first one lowest; a single one as a truth value or 0 and 1. */
function bitsCodec(visit: Visit<ModbusVisitor>, count: number): Codec {
  return {
    count,
    decode: (packed) => numberOut(visit, readInteger(Buffer.from(packed).reverse(), false), count > 32),
    encode: (value) =>
      writeInteger(numberIn(visit, value), { width: count, signed: false, name: `${count} bits` }).reverse(),
  };
}

function readInteger(bytes: Buffer, signed: boolean): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return signed ? BigInt.asIntN(8 * bytes.length, value) : value;
}

/** High byte first, in as many bytes as `width` bits need. */
function writeInteger(
  value: bigint,
  { width, signed, name }: { width: number; signed: boolean; name: string },
): Buffer {
  const lowest = signed ? -(1n << BigInt(width - 1)) : 0n;
  const highest = (1n << BigInt(signed ? width - 1 : width)) - 1n;
  if (value < lowest || value > highest)
    throw new PropertyError(`${value} does not fit: ${name} holds ${lowest} to ${highest}`);
  const bytes = Buffer.alloc(Math.ceil(width / 8));
  let rest = BigInt.asUintN(8 * bytes.length, value);
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function exactBytes(value: DriverValue, length: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new PropertyError(`takes bytes, not a ${typeof value}`);
  if (value.length !== length) throw new PropertyError(`takes ${length} bytes, not ${value.length}`);
  return value;
}
