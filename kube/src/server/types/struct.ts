import { FIELDS } from './generated/fields.ts';
import { goField } from './go-fields.ts';
import {
  ALWAYS_EMITTED,
  OMITTED_TIMES,
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

const KIND_PARTS = new Set(['metadata', 'spec', 'status']);

type Field = Omit<FieldType, 'zero'>;

/** What Go's declaration says, or else the rules for fields that are not in the tables. */
function zeroRule(struct: string, isKind: boolean, field: Field): ZeroRule {
  const id = `${struct}.${field.name}`;
  if (OMITTED_TIMES.has(id)) return 'keep';
  const declared = goField(struct, field.name);
  if (declared === undefined) return undeclaredRule(id, isKind, field);
  const { pointer, omitEmpty } = declared;
  if (pointer) return omitEmpty ? 'keep' : 'null';
  if (!omitEmpty) return 'emit';
  // Structs, times and quantities are structs to Go, for which omitempty means nothing.
  const isStruct = field.container === 'none' && (!field.scalar || 'tuqx'.includes(field.type));
  return isStruct ? 'emit' : 'omit';
}

function undeclaredRule(
  id: string,
  isKind: boolean,
  { name, type, container, required, scalar }: Field,
): ZeroRule {
  if (required || ALWAYS_EMITTED.has(id)) return 'emit';
  if (container !== 'none') return 'omit';
  if (!scalar) return (isKind && KIND_PARTS.has(name)) || VALUE_STRUCTS.has(id) ? 'emit' : 'keep';
  switch (type) {
    case 's':
      return POINTER_STRINGS.has(id) ? 'keep' : 'omit';
    case 'i':
    case 'l':
      return VALUE_INTEGERS.has(id) ? 'omit' : 'keep';
    case 'b':
      return VALUE_BOOLEANS.has(id) ? 'omit' : 'keep';
    case 't':
    case 'u':
      return VALUE_TIMES.has(id) ? 'emit' : 'keep';
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
 * @throws TypeError if there is none: a mistake in our own tables.
 */
export function structType(name: string): StructType {
  let struct = parsed.get(name);
  if (struct === undefined) {
    const text = line(name);
    if (text === undefined) throw new TypeError(`no struct ${name} in the field tables`);
    struct = parse(name, text);
    parsed.set(name, struct);
  }
  return struct;
}
