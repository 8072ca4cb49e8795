import { PROPERTIES_MAX, PROPERTY_NAME_MAX } from './limits.ts';
import {
  isGiven,
  needBoolean,
  needEntries,
  needObject,
  needText,
  needValue,
  readMessage,
  readTime,
  unreadable,
  type MessageBytes,
} from './message-reading.ts';
import type { DeviceState } from './objects.ts';
import type { BusTwin, BusValue } from './payloads.ts';
import { below, type Fields } from './problem-list.ts';
import { shown } from './value-text.ts';

const EVENT_ID_MAX = 256;
const TYPE_NAME_MAX = 64;
const STATES: readonly DeviceState[] = ['ok', 'online', 'offline', 'unhealthy', 'unknown'];

/** What each message of KubeEdge's topics has. */
export interface ReadBase {
  /** `''`: none was said. */
  readonly eventId: string;
  /** When it was sent, milliseconds; undefined: it does not say. */
  readonly timestampMs: number | undefined;
}

/** D/state/update. */
export interface ReadStateUpdate extends ReadBase {
  readonly state: DeviceState;
}

/** D/twin/update. */
export interface ReadTwinUpdate extends ReadBase {
  /** By property, at least one; each has `expected`, `actual`, or both, with their values as text. */
  readonly twin: ReadonlyMap<string, BusTwin>;
}

/**
 * A message of which only the base counts: D/twin/get, N/membership/get. An empty one is taken, too.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readBase(bytes: MessageBytes): ReadBase {
  return bytes.length === 0 ? { eventId: '', timestampMs: undefined } : baseOf(readMessage(bytes));
}

/**
 * How a device is, as its mapper says.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readStateUpdate(bytes: MessageBytes): ReadStateUpdate {
  const message = readMessage(bytes);
  const said = needText(message['state'], '/state', TYPE_NAME_MAX).toLowerCase();
  const state = STATES.find((known) => known === said);
  if (state === undefined)
    throw unreadable('/state', `must be one of ${STATES.join(', ')}, is ${shown(said)}`);
  return { ...baseOf(message), state };
}

/**
 * Values that a device has, or shall have. Whether they fit their types is not looked at.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readTwinUpdate(bytes: MessageBytes): ReadTwinUpdate {
  const message = readMessage(bytes);
  const twin = new Map<string, BusTwin>();
  for (const [property, said] of needEntries(message['twin'], '/twin', PROPERTIES_MAX)) {
    const path = below('/twin', property);
    twin.set(needText(property, path, PROPERTY_NAME_MAX), readTwin(needObject(said, path), path));
  }
  if (twin.size === 0) throw unreadable('/twin', 'must have at least one property');
  return { ...baseOf(message), twin };
}

function readTwin(fields: Fields, path: string): BusTwin {
  const expected = readBusValue(fields['expected'], below(path, 'expected'));
  const actual = readBusValue(fields['actual'], below(path, 'actual'));
  if (expected === undefined && actual === undefined) throw unreadable(path, 'must have expected or actual');
  const { optional } = fields;
  const type = isGiven(fields['metadata'])
    ? needObject(fields['metadata'], below(path, 'metadata'))['type']
    : undefined;
  return {
    ...(expected && { expected }),
    ...(actual && { actual }),
    ...(isGiven(optional) && { optional: needBoolean(optional, below(path, 'optional')) }),
    ...(isGiven(type) && { metadata: { type: needText(type, `${path}/metadata/type`, TYPE_NAME_MAX) } }),
  };
}

function readBusValue(said: unknown, path: string): (BusValue & { readonly value: string }) | undefined {
  if (!isGiven(said)) return undefined;
  const fields = needObject(said, path);
  const value = needValue(fields['value'], below(path, 'value'));
  if (!isGiven(fields['metadata'])) return { value };
  const metadata = needObject(fields['metadata'], below(path, 'metadata'));
  const timestamp = readTime(metadata['timestamp'], `${path}/metadata/timestamp`);
  return { value, ...(timestamp !== undefined && { metadata: { timestamp } }) };
}

function baseOf(message: Fields): ReadBase {
  const id = message['event_id'];
  return {
    eventId: isGiven(id) ? needText(typeof id === 'number' ? String(id) : id, '/event_id', EVENT_ID_MAX) : '',
    timestampMs: readTime(message['timestamp'], '/timestamp'),
  };
}
