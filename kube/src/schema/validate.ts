import type { ErrorObject } from 'ajv';
import { goJson, goQuote } from '../status/go-format.ts';
import { field, fieldChild, fieldIndex, NO_FIELD, type FieldError } from '../status/field-error.ts';
import { bestBranches } from './composition-errors.ts';
import { compileSchema, typesOf } from './compile.ts';
import type { JsonSchema } from './json-schema.ts';

/** Validates a value; `fieldPrefix` is where it stands in the object (messages name it relative to the value). */
export type Validator = (value: unknown, fieldPrefix?: string) => FieldError[];

/**
 * Makes the validator of a structural schema, with results worded as the API server words them.
 * Source: kube-openapi validation/validate, apiextensions-apiserver ValidateCustomResource.
 */
export function makeValidator(schema: JsonSchema): Validator {
  const { check, sourceOf } = compileSchema(schema);
  return (value, fieldPrefix = '') => {
    const errors = bestBranches(check(value));
    const reported = new Set<string>();
    return errors.flatMap((error) => {
      const name = dottedPath(error.instancePath, value);
      // Of a string's length and pattern the API server reports the first that is wrong.
      if (STRING_RULES.has(error.keyword)) {
        if (reported.has(error.instancePath)) return [];
        reported.add(error.instancePath);
      }
      return wordError(error, {
        name,
        path: fieldChild(fieldPrefix, name),
        source: sourceOf(error.parentSchema) ?? {},
      });
    });
  };
}

const STRING_RULES = new Set(['maxLength', 'minLength', 'pattern']);

interface Place {
  /** Relative to the value: what messages say. */
  readonly name: string;
  /** In the object: what `field` says. */
  readonly path: string;
  readonly source: JsonSchema;
}

function wordError(error: ErrorObject, { name, path, source }: Place): FieldError[] {
  const value: unknown = error.data;
  const should = (rule: string): FieldError[] => [
    field.invalid(path, value, `${name} in body should ${rule}`),
  ];
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'type':
      return typeErrors(value, { name, path, source });
    case 'required':
      return [field.required(fieldChild(path, String(params['missingProperty'])))];
    case 'enum':
      return [field.notSupported(path, value, (source.enum ?? []).map(enumText))];
    case 'minimum':
      return should(
        `be greater than ${source.exclusiveMinimum === true ? '' : 'or equal to '}${source.minimum ?? ''}`,
      );
    case 'maximum':
      return should(
        `be less than ${source.exclusiveMaximum === true ? '' : 'or equal to '}${source.maximum ?? ''}`,
      );
    case 'multipleOf':
      return should(`be a multiple of ${source.multipleOf ?? ''}`);
    case 'minLength':
      return should(`be at least ${source.minLength ?? ''} chars long`);
    case 'maxLength':
      return [field.tooLong(path, source.maxLength ?? 0)];
    case 'pattern':
      return should(`match '${source.pattern ?? ''}'`);
    case 'minItems':
      return should(`have at least ${source.minItems ?? ''} items`);
    case 'maxItems':
      return [field.tooMany(path, (value as unknown[]).length, source.maxItems ?? 0)];
    case 'uniqueItems':
      return [field.invalid(path, '', `${name} in body shouldn't contain duplicates`)];
    case 'minProperties':
      return should(`have at least ${source.minProperties ?? ''} properties`);
    case 'maxProperties':
      return [field.tooMany(path, Object.keys(value as object).length, source.maxProperties ?? 0)];
    case 'format':
      return typeof value === 'number'
        ? [rangeError(name, source)]
        : [formatError(value, { name, path, source })];
    default:
      return [field.invalid(NO_FIELD, '', compositionMessage(error, name))];
  }
}

/** What the API server calls the type of a value, and of what format it takes a value of that type to be. */
function typeAndFormat(value: unknown): [type: string, format: string] {
  if (value === null) return ['null', ''];
  if (Array.isArray(value)) return ['array', ''];
  if (typeof value === 'number')
    return Number.isInteger(value) ? ['integer', 'int64'] : ['number', 'float64'];
  return [typeof value, ''];
}

function typeErrors(value: unknown, { name, path, source }: Place): FieldError[] {
  const [type, format] = typeAndFormat(value);
  // Where a format is given, the API server speaks of formats, except to strings, lists and null.
  const byFormat =
    source.format !== undefined && source.format !== '' && !['string', 'array', 'null'].includes(type);
  const expected = byFormat ? (source.format ?? '') : typesOf(source).join(',');
  const found = byFormat ? format : type;
  const wrong = field.typeInvalid(
    path,
    found,
    `${name} in body must be of type ${expected}: ${goQuote(found)}`,
  );
  return type === 'number' && source.type === 'integer' ? [wrong, rangeError(name, source)] : [wrong];
}

function rangeError(name: string, { type = '', format = '' }: JsonSchema): FieldError {
  const expected = format === '' ? `${type} (default format)` : `${type} with format ${format}`;
  return field.invalid(NO_FIELD, '', `Checked value must be of type ${expected} in ${name}`);
}

function formatError(value: unknown, { name, path, source }: Place): FieldError {
  const text = String(value);
  return field.typeInvalid(
    path,
    text,
    `${name} in body must be of type ${source.format ?? ''}: ${goQuote(text)}`,
  );
}

function enumText(value: unknown): string {
  return typeof value === 'string' ? value : goJson(value);
}

function compositionMessage(error: ErrorObject, name: string): string {
  const params = error.params as { passingSchemas?: readonly number[] | null };
  switch (error.keyword) {
    case 'anyOf':
      return `${goQuote(name)} must validate at least one schema (anyOf)`;
    case 'oneOf': {
      const passing = params.passingSchemas?.length ?? 0;
      const found = passing === 0 ? 'Found none valid' : `Found ${passing} valid alternatives`;
      return `${goQuote(name)} must validate one and only one schema (oneOf). ${found}`;
    }
    case 'not':
      return `${goQuote(name)} must not validate the schema (not)`;
    default:
      return `${goQuote(name)} must validate the schema (${error.keyword})`;
  }
}

/** `/spec/parts/0/id` as `spec.parts[0].id`. Whether a segment is an index, the value tells. */
function dottedPath(pointer: string, value: unknown): string {
  let path = '';
  let at = value;
  for (const segment of pointer.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    path = Array.isArray(at) ? fieldIndex(path, Number(key)) : fieldChild(path, key);
    at = (at as Readonly<Record<string, unknown>>)[key]; // the pointer was made from this value
  }
  return path;
}
