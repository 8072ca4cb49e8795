import { PropertyError, type DriverValue, type Visit } from '@hawser/mapper-sdk';
import type { ModbusVisitor } from './config.ts';
import {
  decimalOf,
  decimalOfFloat,
  divideToInteger,
  divideToNumber,
  multiply,
  toNumber,
  truncate,
  type Decimal,
} from './decimal.ts';

/**
 * What a register holds as the value of its property: times `scale`, worked out in decimals. An INT loses what is behind
 * the point, as in KubeEdge's mapper.
 * @param wide it has more than 32 bits: an INT of it is a bigint
 * @param single it was a 32-bit float: its shortest decimal counts
 */
export function numberOut(
  { type, visitor }: Visit<ModbusVisitor>,
  raw: number | bigint,
  wide: boolean,
  single = false,
): DriverValue {
  if (type === 'BOOLEAN') return Number(raw) !== 0;
  const held = single && typeof raw === 'number' ? decimalOfFloat(raw) : decimalOf(raw);
  const value = visitor.scale === 1 ? held : multiply(held, decimalOf(visitor.scale));
  if (type !== 'INT') return toNumber(value);
  const whole = truncate(value);
  return wide || !isSafe(whole) ? whole : Number(whole);
}

/**
 * A value as what its register shall hold: divided by `scale`, the nearest that the register can hold.
 * @param fractional the register can hold fractions
 * @throws PropertyError it is not of the property's type
 */
export function numberIn(visit: Visit<ModbusVisitor>, value: DriverValue): bigint;
export function numberIn(visit: Visit<ModbusVisitor>, value: DriverValue, fractional: true): number;
export function numberIn(
  { type, visitor }: Visit<ModbusVisitor>,
  value: DriverValue,
  fractional = false,
): bigint | number {
  const decimal = asDecimal(type, value);
  const scale = decimalOf(visitor.scale);
  return fractional ? divideToNumber(decimal, scale) : divideToInteger(decimal, scale);
}

function asDecimal(type: string, value: DriverValue): Decimal {
  if (typeof value === 'boolean' && type === 'BOOLEAN') return decimalOf(value ? 1 : 0);
  if (typeof value === 'bigint') return decimalOf(value);
  if (typeof value === 'number' && Number.isFinite(value)) return decimalOf(value);
  throw new PropertyError(`takes a number, not ${typeof value === 'number' ? value : typeof value}`);
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
