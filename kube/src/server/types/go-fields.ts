import { GO_FIELDS } from './generated/go-fields.ts';

/** How Go declares a field. */
export interface GoField {
  /** Of the protobuf message. */
  readonly number: number;
  /** Name in JSON; '@': the members of {@link type} are the struct's own. */
  readonly name: string;
  readonly container: 'none' | 'list' | 'map';
  /** One letter, see generated/go-fields.ts, or the name of a struct. */
  readonly type: string;
  readonly pointer: boolean;
  /** Whether Go leaves it out of JSON when it is empty. */
  readonly omitEmpty: boolean;
}

const FIELD = /^(\d+):([^:]+):(\*?)(!?)(\[\]|\{\}(?:\[\])?)?(.+)$/;

let lines: ReadonlyMap<string, string> | undefined;
const parsed = new Map<string, readonly GoField[] | undefined>();

/** The fields of a struct, inlined ones as `@`; undefined for structs that the tables do not have. */
export function goFields(struct: string): readonly GoField[] | undefined {
  if (parsed.has(struct)) return parsed.get(struct);
  lines ??= new Map(
    GO_FIELDS.trim()
      .split('\n')
      .map((text) => [text.split(' ', 1)[0] ?? '', text]),
  );
  const fields = lines
    .get(struct)
    ?.split(' ')
    .slice(1)
    .filter((text) => text !== '')
    .map(parse);
  parsed.set(struct, fields);
  return fields;
}

function parse(text: string): GoField {
  const match = FIELD.exec(text);
  if (match === null) throw new TypeError(`not a field: ${text}`); // the tables are ours
  const [, number = '', name = '', pointer, emitted, container, type = ''] = match;
  return {
    number: Number(number),
    name,
    container: container === undefined ? 'none' : container === '[]' ? 'list' : 'map',
    type: container === '{}[]' ? `[]${type}` : type,
    pointer: pointer === '*',
    omitEmpty: emitted !== '!',
  };
}

/** One field of a struct, or of what is inlined into it. */
export function goField(struct: string, name: string): GoField | undefined {
  for (const field of goFields(struct) ?? []) {
    if (field.name === name) return field;
    const inner = field.name === '@' ? goField(field.type, name) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}
