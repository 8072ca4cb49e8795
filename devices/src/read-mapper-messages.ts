import { PROBLEMS_MAX, PROPERTIES_MAX, PROPERTY_NAME_MAX, SCHEMA_BYTES_MAX } from './limits.ts';
import type {
  MapperCommandResult,
  MapperHeartbeat,
  MapperHello,
  MapperRefused,
  MapperSettled,
  ProtocolSchemas,
} from './mapper-messages.ts';
import {
  isGiven,
  needBoolean,
  needCount,
  needEntries,
  needList,
  needObject,
  needText,
  needValue,
  readMessage,
  unreadable,
  type MessageBytes,
} from './message-reading.ts';
import { below } from './problem-list.ts';
import type { Problem } from './problem.ts';

/** Longest text for people, characters; longer ones are cut. */
const TEXT_MAX = 2048;
const ID_MAX = 256;
const PATH_MAX = 1024;

/**
 * What a mapper says that became of settings.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperSettled(bytes: MessageBytes): MapperSettled {
  const results: Record<string, MapperSettled['results'][string]> = {};
  for (const [property, said] of needEntries(readMessage(bytes)['results'], '/results', PROPERTIES_MAX)) {
    const path = below('/results', property);
    const fields = needObject(said, path);
    const message = readText(fields['message'], below(path, 'message'));
    results[needText(property, path, PROPERTY_NAME_MAX)] = {
      version: needText(fields['version'], below(path, 'version'), ID_MAX),
      ok: needBoolean(fields['ok'], below(path, 'ok')),
      ...(message !== undefined && { message }),
    };
  }
  return { results };
}

/**
 * Why a mapper does not serve a device. Of more than 20 problems the first are taken.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperRefused(bytes: MessageBytes): MapperRefused {
  const message = readMessage(bytes);
  const problems = needList(message['problems'], '/problems', PROPERTIES_MAX);
  return {
    revision: needText(message['revision'], '/revision', ID_MAX),
    problems: problems
      .slice(0, PROBLEMS_MAX)
      .map((said, index) => readProblem(said, below('/problems', index))),
  };
}

/**
 * What became of a command.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperCommandResult(bytes: MessageBytes): MapperCommandResult {
  const said = readMessage(bytes);
  const message = readText(said['message'], '/message');
  const values = isGiven(said['values']) ? readValues(said['values'], '/values') : undefined;
  return {
    id: needText(said['id'], '/id', ID_MAX),
    ok: needBoolean(said['ok'], '/ok'),
    ...(message !== undefined && { message }),
    ...(values && { values }),
  };
}

/**
 * What a mapper says of itself. Whether its schemas are schemas is not looked at: see `SchemaChecker`.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperHello(bytes: MessageBytes): MapperHello {
  const message = readMessage(bytes, 3 * SCHEMA_BYTES_MAX);
  const schemas = needObject(message['schemas'], '/schemas');
  const read = (which: keyof ProtocolSchemas): ProtocolSchemas[keyof ProtocolSchemas] => {
    const path = below('/schemas', which);
    const schema = needObject(schemas[which], path);
    const bytesOfSchema = Buffer.byteLength(JSON.stringify(schema));
    if (bytesOfSchema <= SCHEMA_BYTES_MAX) return schema;
    throw unreadable(path, `is ${String(bytesOfSchema)} bytes, most ${String(SCHEMA_BYTES_MAX)}`);
  };
  return {
    mapper: needText(message['mapper'], '/mapper', ID_MAX),
    version: needText(message['version'], '/version', ID_MAX),
    schemas: { protocol: read('protocol'), visitor: read('visitor') },
  };
}

/**
 * That a mapper lives, and how many devices it has.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMapperHeartbeat(bytes: MessageBytes): MapperHeartbeat {
  const message = readMessage(bytes);
  return {
    devices: needCount(message['devices'], '/devices'),
    online: needCount(message['online'], '/online'),
    dropped: needCount(message['dropped'], '/dropped'),
  };
}

function readValues(said: unknown, path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    needEntries(said, path, PROPERTIES_MAX).map(([property, value]) => [
      needText(property, below(path, property), PROPERTY_NAME_MAX),
      needValue(value, below(path, property)),
    ]),
  );
}

function readProblem(said: unknown, path: string): Problem {
  const fields = needObject(said, path);
  return {
    path: needText(fields['path'], below(path, 'path'), PATH_MAX),
    message: cut(needText(fields['message'], below(path, 'message'), Infinity)),
    remedy: readText(fields['remedy'], below(path, 'remedy')) ?? '',
  };
}

/** A text for people, cut where it is long; undefined: none. */
function readText(said: unknown, path: string): string | undefined {
  return isGiven(said) ? cut(needText(said, path, Infinity)) : undefined;
}

function cut(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`;
}
