import { createRequire } from 'node:module';
import type Ajv4Module from 'ajv-draft-04';
import type { ErrorObject, Options } from 'ajv';
import { goRegExp } from './go-regexp.ts';
import { isInIntegerRange, STRING_FORMATS } from './formats.ts';
import { itemsOf, type JsonSchema } from './json-schema.ts';

/** Compiled validation: the errors, in the library's form. */
export type CompiledSchema = (value: unknown) => readonly ErrorObject[];

type Ajv4Class = typeof Ajv4Module.default;

let loaded: Ajv4Class | undefined;

/** The library takes 10 MB and a tenth of a second: it is loaded by whoever has a schema, and not at the edge. */
function ajv4(): Ajv4Class {
  const require = createRequire(import.meta.url);
  loaded ??= (require('ajv-draft-04') as { default: Ajv4Class }).default;
  return loaded;
}

/** What a schema's keyword holds as other schemas. */
const COMPOSITIONS = ['allOf', 'anyOf', 'oneOf'] as const;

/** Keywords that mean the same to the library. */
const KEPT = [
  'enum',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'format',
] as const;

const OPTIONS: Options = {
  allErrors: true,
  verbose: true,
  strict: false,
  messages: false,
  logger: false,
  unicodeRegExp: false,
  formats: {
    ...STRING_FORMATS,
    int32: { type: 'number', validate: (value: number) => isInIntegerRange('int32', value) },
    int64: { type: 'number', validate: (value: number) => isInIntegerRange('int64', value) },
  },
  code: {
    // Patterns are Go's. The engine never becomes standalone code, so how to write it as code does not matter.
    regExp: Object.assign((pattern: string) => goRegExp(pattern), { code: 'goRegExp' }),
  },
};

/**
 * Compiles a structural schema. `sources` of an error's `parentSchema` leads back to the schema as it was written.
 * @throws Error if the schema itself is not valid; check it with `structuralErrors` first.
 */
export function compileSchema(schema: JsonSchema): {
  readonly check: CompiledSchema;
  readonly sourceOf: (converted: unknown) => JsonSchema | undefined;
} {
  const sources = new WeakMap<object, JsonSchema>();
  const validate = new (ajv4())(OPTIONS).compile(convert(schema, sources));
  return {
    check: (value) => (validate(value) ? [] : (validate.errors ?? [])),
    sourceOf: (converted) =>
      typeof converted === 'object' && converted !== null ? sources.get(converted) : undefined,
  };
}

/** The schema in plain JSON Schema draft 4: Kubernetes' extensions resolved, documentation left out. */
function convert(schema: JsonSchema, sources: WeakMap<object, JsonSchema>): Record<string, unknown> {
  const converted: Record<string, unknown> = {};
  const types = typesOf(schema);
  if (types.length > 0) converted['type'] = schema.nullable === true ? [...types, 'null'] : types;
  for (const keyword of KEPT) if (schema[keyword] !== undefined) converted[keyword] = schema[keyword];
  // Draft 4 wants at least one name.
  if (schema.required !== undefined && schema.required.length > 0) converted['required'] = schema.required;
  if (schema.properties !== undefined) {
    converted['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, convert(property, sources)]),
    );
  }
  if (typeof schema.additionalProperties === 'object') {
    converted['additionalProperties'] = convert(schema.additionalProperties, sources);
  }
  const items = itemsOf(schema);
  if (items !== undefined) converted['items'] = convert(items, sources);
  for (const keyword of COMPOSITIONS) {
    const parts = schema[keyword];
    if (parts !== undefined && parts.length > 0)
      converted[keyword] = parts.map((part) => convert(part, sources));
  }
  if (schema.not !== undefined) converted['not'] = convert(schema.not, sources);
  sources.set(converted, schema);
  return converted;
}

/** The types that a schema names, in the API server's order; `null` is not among them. */
export function typesOf(schema: JsonSchema): string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return schema.type === undefined || schema.type === '' ? [] : [schema.type];
}
