import { FIELDS } from './generated/fields.ts';
import {
  ALWAYS_EMITTED,
  NULL_STRUCTS,
  POINTER_STRINGS,
  VALUE_BOOLEANS,
  VALUE_INTEGERS,
  VALUE_STRUCTS,
  VALUE_TIMES,
} from './overrides.ts';

/** Types of scalars; anything else is the name of a struct. See generated/fields.ts. */
export type ScalarType = 's' | 'i' | 'l' | 'd' | 'b' | 't' | 'u' | 'q' | 'x' | 'y' | 'o';

/**
 * What becomes of a zero value: `omit` it, `keep` it if it was sent (Go pointers), `emit` it even if nothing
 * was sent, or emit `null` instead of it.
 */
export type ZeroRule = 'omit' | 'keep' | 'emit' | 'null';

/** One field of a struct. */
export interface FieldType {
  readonly name: string;
  /** `list` of `type`, `map` to `type`, `listMap`: map to lists of `type`. */
  readonly container: 'none' | 'list' | 'map' | 'listMap';
  /** A {@link ScalarType} or the name of a struct. */
  readonly type: string;
  readonly scalar: boolean;
  readonly required: boolean;
  readonly zero: ZeroRule;
}

/** A struct of the API: the known fields of an object. */
export interface StructType {
  readonly name: string;
  /** Whether it is a kind: whether it has `kind` and `apiVersion`. */
  readonly isKind: boolean;
  /** In alphabetical order. */
  readonly fields: ReadonlyMap<string, FieldType>;
}

const FIELD = /^([^!:]+)(!?):(\{\}\[\]|\{\}|\[\])?(.+)$/;
const CONTAINERS = { '{}[]': 'listMap', '{}': 'map', '[]': 'list' } as const;

let lines: ReadonlyMap<string, string> | undefined;
const parsed = new Map<string, StructType>();

function line(name: string): string | undefined {
  lines ??= new Map(
    FIELDS.trim()
      .split('\n')
      .map((text) => [text.slice(0, text.indexOf(' ')), text]),
  );
  return lines.get(name);
}

function isScalar(type: string): type is ScalarType {
  return type.length === 1;
}

function listed(set: ReadonlySet<string>, struct: string, field: string): boolean {
  return set.has(`${struct}.${field}`) || set.has(`*.${field}`);
}

const KIND_PARTS = new Set(['metadata', 'spec', 'status']);

function zeroRule(struct: string, isKind: boolean, field: Omit<FieldType, 'zero'>): ZeroRule {
  const { name, type } = field;
  if (NULL_STRUCTS.has(`${struct}.${name}`)) return 'null';
  if (field.required || ALWAYS_EMITTED.has(`${struct}.${name}`)) return 'emit';
  if (field.container !== 'none') return 'omit';
  if (!field.scalar) {
    return (isKind && KIND_PARTS.has(name)) || VALUE_STRUCTS.has(`${struct}.${name}`) ? 'emit' : 'keep';
  }
  switch (type) {
    case 's':
      return listed(POINTER_STRINGS, struct, name) ? 'keep' : 'omit';
    case 'i':
    case 'l':
      return listed(VALUE_INTEGERS, struct, name) ? 'omit' : 'keep';
    case 'b':
      return listed(VALUE_BOOLEANS, struct, name) ? 'omit' : 'keep';
    case 't':
    case 'u':
      return listed(VALUE_TIMES, struct, name) ? 'emit' : 'keep';
    case 'q':
      return VALUE_STRUCTS.has(`${struct}.${name}`) ? 'emit' : 'keep';
    case 'y':
      return 'omit';
    default:
      return 'keep';
  }
}

function parse(name: string, text: string): StructType {
  const specs = text.split(' ').slice(1);
  const isKind = specs.includes('kind:s') && specs.includes('apiVersion:s');
  const fields = new Map<string, FieldType>();
  for (const spec of specs) {
    const match = FIELD.exec(spec);
    if (match === null) continue;
    const [, fieldName = '', required, container, type = ''] = match;
    const field = {
      name: fieldName,
      container: container === undefined ? 'none' : CONTAINERS[container as keyof typeof CONTAINERS],
      type,
      scalar: isScalar(type),
      required: required === '!',
    } as const;
    fields.set(fieldName, { ...field, zero: zeroRule(name, isKind, field) });
  }
  return { name, isKind, fields };
}

/**
 * The struct of that name, e.g. `Pod`, `PodSpec`, `core.Event`; parsed at the first call.
 * @throws Error if there is none: a mistake in our own tables.
 */
export function structType(name: string): StructType {
  let struct = parsed.get(name);
  if (struct === undefined) {
    const text = line(name);
    if (text === undefined) throw new Error(`no struct ${name} in the field tables`);
    struct = parse(name, text);
    parsed.set(name, struct);
  }
  return struct;
}
