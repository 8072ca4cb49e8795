import { isPlainObject } from '../../meta/json.ts';
import { decodeScalar, DecodeError, jsonTypeName, zeroScalar } from './scalars.ts';
import { structType, type FieldType, type StructType } from './struct.ts';

/** A decoded struct: a fresh, plain object that the caller may change. */
export type Decoded = Record<string, unknown>;

/** Of kinds, these are for the caller to set. */
const TYPE_KEYS = new Set(['kind', 'apiVersion']);

/**
 * Decodes a JSON value as a struct, as Go does, and gives it the form in which Go would write it again: unknown
 * fields dropped (their paths are put into `unknown`), null read as absent, empty values left out or filled in as the
 * struct's tags say.
 * @throws DecodeError with Go's message for a value of the wrong type.
 */
export function decodeStruct(name: string, value: unknown, unknown: string[], path = ''): Decoded {
  return new Decoder(unknown).struct(structType(name), value ?? {}, path, path);
}

class Decoder {
  readonly #unknown: string[];

  constructor(unknown: string[]) {
    this.#unknown = unknown;
  }

  /** `path`: with indices, for unknown fields. `goPath`: without, for type errors. */
  struct(struct: StructType, value: unknown, path: string, goPath: string): Decoded {
    if (!isPlainObject(value)) throw wrongType(value, struct.name, goPath, `v1.${shortName(struct.name)}`);
    const decoded: Decoded = {};
    for (const key of Object.keys(value)) {
      const field = struct.fields.get(key);
      if (field === undefined) {
        this.#unknown.push(join(path, key));
        continue;
      }
      const item = value[key];
      if (item === null || item === undefined) continue;
      const result = this.#field(struct, field, item, join(path, key), join(goPath, key));
      if (result !== undefined) decoded[key] = result;
    }
    for (const field of struct.fields.values()) {
      if (decoded[field.name] !== undefined || (struct.isKind && TYPE_KEYS.has(field.name))) continue;
      if (field.zero === 'emit') decoded[field.name] = zeroValue(field);
      else if (field.zero === 'null') decoded[field.name] = null;
    }
    return decoded;
  }

  #field(struct: StructType, field: FieldType, value: unknown, path: string, goPath: string): unknown {
    switch (field.container) {
      case 'none': {
        const item = this.#item(struct, field, value, path, goPath);
        return field.zero === 'omit' && isZero(item) ? undefined : item;
      }
      case 'list':
        return this.#list(struct, field, value, path, goPath);
      case 'map':
      case 'listMap':
        return this.#map(struct, field, value, path, goPath);
    }
  }

  #list(struct: StructType, field: FieldType, value: unknown, path: string, goPath: string): unknown {
    if (!Array.isArray(value)) throw wrongType(value, struct.name, goPath, goTypeName(field));
    const items = (value as unknown[]).map((item, index) =>
      this.#item(struct, field, item, `${path}[${index}]`, goPath),
    );
    return items.length === 0 ? undefined : items;
  }

  #map(struct: StructType, field: FieldType, value: unknown, path: string, goPath: string): unknown {
    if (!isPlainObject(value)) throw wrongType(value, struct.name, goPath, goTypeName(field));
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
      key,
      field.container === 'listMap'
        ? (this.#list(struct, field, item ?? [], join(path, key), goPath) ?? null)
        : this.#item(struct, field, item, join(path, key), goPath),
    ]);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  #item(struct: StructType, field: FieldType, value: unknown, path: string, goPath: string): unknown {
    if (!field.scalar) return this.struct(structType(field.type), value ?? {}, path, goPath);
    if (value === null) return zeroScalar(field.type);
    return decodeScalar(field.type, value, (typeName) => wrongType(value, struct.name, goPath, typeName));
  }
}

/** What Go writes for an unset field that it does not leave out. */
function zeroValue(field: FieldType): unknown {
  if (field.container !== 'none') return null;
  if (field.scalar) return zeroScalar(field.type);
  return decodeStruct(field.type, {}, []);
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false || value === null;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function shortName(struct: string): string {
  return struct.slice(struct.indexOf('.') + 1);
}

const GO_NAMES: Readonly<Record<string, string>> = {
  s: 'string',
  i: 'int32',
  l: 'int64',
  d: 'float64',
  b: 'bool',
  q: 'resource.Quantity',
  t: 'v1.Time',
  u: 'v1.MicroTime',
  x: 'intstr.IntOrString',
  y: '[]uint8',
};

function goTypeName(field: FieldType): string {
  const item = field.scalar ? (GO_NAMES[field.type] ?? 'interface {}') : `v1.${shortName(field.type)}`;
  switch (field.container) {
    case 'none':
      return item;
    case 'list':
      return `[]${item}`;
    case 'map':
      return `map[string]${item}`;
    case 'listMap':
      return `map[string][]${item}`;
  }
}

function wrongType(value: unknown, struct: string, goPath: string, typeName: string): DecodeError {
  return new DecodeError(
    `json: cannot unmarshal ${jsonTypeName(value)} into Go struct field ${shortName(struct)}.${goPath} of type ${typeName}`,
  );
}
