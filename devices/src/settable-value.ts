import type { BoundProperty } from './bound-device.ts';
import { DeviceError } from './errors.ts';
import { canonicalValue, formatValue, isNumeric, parseValue, shown } from './value-text.ts';

/** What says whether a value may be set. */
export type SettableProperty = Pick<BoundProperty, 'name' | 'type' | 'accessMode' | 'minimum' | 'maximum'>;

/**
 * A value that a property shall have.
 * @returns its one text
 * @throws DeviceError `ERR_DEVICES_READ_ONLY`, `ERR_DEVICES_VALUE`; the message begins with the name of the property
 */
export function checkValue(property: SettableProperty, text: string): string {
  const { name, type, accessMode, minimum, maximum } = property;
  if (accessMode === 'ReadOnly') throw new DeviceError('ERR_DEVICES_READ_ONLY', `${name} is ReadOnly`);
  const value = named(name, () => parseValue(type, text));
  if (typeof value === 'number' || typeof value === 'bigint') {
    // JavaScript compares a bigint with a number exactly.
    if (minimum !== undefined && value < minimum) throw outOfRange(name, `>= ${String(minimum)}`, text);
    if (maximum !== undefined && value > maximum) throw outOfRange(name, `<= ${String(maximum)}`, text);
  }
  return named(name, () => formatValue(type, value));
}

/**
 * A value that a device has: of its type, whatever its range says.
 * @returns its one text
 * @throws DeviceError `ERR_DEVICES_VALUE`; the message begins with the name of the property
 */
export function checkReading(property: Pick<BoundProperty, 'name' | 'type'>, text: string): string {
  return named(property.name, () => canonicalValue(property.type, text));
}

/**
 * Whether a change is too small to be reported: the same text, or less than the dead band from what was reported last.
 * @param last the text reported last; undefined: none was
 * @param now both as {@link checkReading} returns them
 */
export function isWithinDeadBand(
  property: Pick<BoundProperty, 'type' | 'deadBand'>,
  last: string | undefined,
  now: string,
): boolean {
  if (last === undefined) return false;
  if (last === now) return true;
  const { type, deadBand } = property;
  if (deadBand === undefined || !isNumeric(type)) return false;
  const before = parseValue(type, last);
  const after = parseValue(type, now);
  const change =
    typeof before === 'bigint' || typeof after === 'bigint'
      ? Math.abs(Number(BigInt(now) - BigInt(last)))
      : Math.abs(Number(after) - Number(before));
  return (
    change < (deadBand.kind === 'absolute' ? deadBand.by : (Math.abs(Number(before)) * deadBand.by) / 100)
  );
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw new DeviceError(error.code, `${name} ${error.message}`);
  }
}

function outOfRange(name: string, bound: string, text: string): DeviceError {
  return new DeviceError(
    'ERR_DEVICES_VALUE',
    `${name} must be ${bound}, is ${shown(text).replaceAll('"', '')}`,
  );
}
