import type { BoundDevice, BoundProperty } from './bound-device.ts';
import { ACCESS_MODES, PROPERTY_TYPES } from './check-model.ts';
import { CYCLE_MS_DEFAULT, PROPERTIES_MAX, PROPERTY_NAME_MAX, VALUE_BYTES_MAX } from './limits.ts';
import type { DesiredValue, MapperCommand, MapperDesired, MapperDevice } from './mapper-messages.ts';
import {
  isGiven,
  needBoolean,
  needCount,
  needEntries,
  needList,
  needObject,
  needText,
  readMessage,
  unreadable,
  type MessageBytes,
} from './message-reading.ts';
import { below, described, type Fields } from './problem-list.ts';

/** Largest message with a device, bytes: a thousand properties with their visitors. */
const DEVICE_BYTES_MAX = 4 * 1024 * 1024;
const ID_MAX = 256;

/**
 * A device as its mapper is told of it.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperDevice(bytes: MessageBytes): MapperDevice {
  const message = readMessage(bytes, DEVICE_BYTES_MAX);
  return {
    revision: needText(message['revision'], '/revision', ID_MAX),
    device: readBoundDevice(needObject(message['device'], '/device'), '/device'),
  };
}

/**
 * What shall be.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperDesired(bytes: MessageBytes): MapperDesired {
  const said = needEntries(readMessage(bytes, 32 * 1024 * 1024)['values'], '/values', PROPERTIES_MAX);
  const values = said.map(([property, value]): [string, DesiredValue] => {
    const path = below('/values', property);
    const fields = needObject(value, path);
    return [
      needText(property, path, PROPERTY_NAME_MAX),
      {
        value: needText(fields['value'], below(path, 'value'), VALUE_BYTES_MAX),
        version: needText(fields['version'], below(path, 'version'), ID_MAX),
      },
    ];
  });
  return { values: Object.fromEntries(values) };
}

/**
 * Something to do now.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperCommand(bytes: MessageBytes): MapperCommand {
  const message = readMessage(bytes);
  const { kind } = message;
  if (kind !== 'read') throw unreadable('/kind', `must be read, is ${described(kind ?? null)}`);
  const properties = isGiven(message['properties'])
    ? needList(message['properties'], '/properties', PROPERTIES_MAX).map((name, index) =>
        needText(name, below('/properties', index), PROPERTY_NAME_MAX),
      )
    : undefined;
  return { id: needText(message['id'], '/id', ID_MAX), kind, ...(properties && { properties }) };
}

function readBoundDevice(fields: Fields, path: string): BoundDevice {
  const text = (name: string): string => needText(fields[name], below(path, name), ID_MAX);
  const state = needObject(fields['state'], below(path, 'state'));
  const properties = needList(fields['properties'], below(path, 'properties'), PROPERTIES_MAX);
  return {
    namespace: text('namespace'),
    name: text('name'),
    uid: text('uid'),
    protocol: text('protocol'),
    config: needObject(fields['config'], below(path, 'config')),
    properties: properties.map((said, index) => {
      const at = below(below(path, 'properties'), index);
      return readBoundProperty(needObject(said, at), at);
    }),
    state: {
      reportToCloud: needBoolean(state['reportToCloud'], `${path}/state/reportToCloud`),
      reportCycleMs: needCount(state['reportCycleMs'], `${path}/state/reportCycleMs`),
    },
  };
}

/** A property. Its `push` was checked where it was bound. */
function readBoundProperty(fields: Fields, path: string): BoundProperty {
  const { minimum, maximum, unit, push, inherited } = fields;
  const number = (name: string, value: unknown): number => {
    if (typeof value === 'number') return value;
    throw unreadable(below(path, name), `must be a number, is ${described(value)}`);
  };
  const deadBand = isGiven(fields['deadBand'])
    ? needObject(fields['deadBand'], below(path, 'deadBand'))
    : undefined;
  return {
    name: needText(fields['name'], below(path, 'name'), PROPERTY_NAME_MAX),
    type: needOneOf(fields['type'], below(path, 'type'), PROPERTY_TYPES),
    accessMode: needOneOf(fields['accessMode'], below(path, 'accessMode'), ACCESS_MODES),
    ...(isGiven(minimum) && { minimum: number('minimum', minimum) }),
    ...(isGiven(maximum) && { maximum: number('maximum', maximum) }),
    ...(isGiven(unit) && { unit: needText(unit, below(path, 'unit'), ID_MAX) }),
    visitor: needObject(fields['visitor'], below(path, 'visitor')),
    collectCycleMs: isGiven(fields['collectCycleMs'])
      ? needCount(fields['collectCycleMs'], below(path, 'collectCycleMs'))
      : CYCLE_MS_DEFAULT,
    reportCycleMs: isGiven(fields['reportCycleMs'])
      ? needCount(fields['reportCycleMs'], below(path, 'reportCycleMs'))
      : CYCLE_MS_DEFAULT,
    reportToCloud: fields['reportToCloud'] !== false,
    ...(deadBand && {
      deadBand: {
        kind: needOneOf(deadBand['kind'], `${path}/deadBand/kind`, ['absolute', 'percent']),
        by: number('deadBand', deadBand['by']),
      },
    }),
    ...(isGiven(push) && { push: needObject(push, below(path, 'push')) }),
    ...(inherited === true && { inherited }),
  };
}

function needOneOf<T extends string>(value: unknown, path: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw unreadable(path, `must be one of ${choices.join(', ')}, is ${described(value ?? null)}`);
  return found;
}
