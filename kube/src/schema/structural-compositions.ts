import { jsonEqual } from '../meta/json.ts';
import { field, fieldChild, fieldIndex, fieldKey, type FieldError } from '../status/field-error.ts';
import { itemsOf, memberOf, type JsonSchema } from './json-schema.ts';

/** What a composition may not say, for it says what things are, not which values they may have. */
const FORBIDDEN: readonly (readonly [keyof JsonSchema & string, string])[] = [
  ['default', 'must be undefined to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['title', 'must be empty to be structural'],
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
];

/** The two ways in which int-or-string may be spelled out, types and all. */
const INT_OR_STRING: readonly JsonSchema[] = [{ type: 'integer' }, { type: 'string' }];

/**
 * Checks the compositions (allOf, anyOf, oneOf, not) of a structural schema: they name values only, and only of
 * fields that stand outside of them too.
 * Source: apiextensions-apiserver schema/validation validateNestedValueValidation, schema/complete.
 */
export function compositionErrors(schema: JsonSchema, path: string): FieldError[] {
  const spelled = schema['x-kubernetes-int-or-string'] === true;
  const errors: FieldError[] = [];
  for (const [index, part] of (schema.allOf ?? []).entries()) {
    const spelledHere = spelled && index === 0 && jsonEqual(part, { anyOf: INT_OR_STRING });
    if (!spelledHere) errors.push(...partErrors(part, schema, fieldIndex(fieldChild(path, 'allOf'), index)));
  }
  if (!(spelled && jsonEqual(schema.anyOf, INT_OR_STRING))) {
    errors.push(...listErrors(schema.anyOf, schema, fieldChild(path, 'anyOf')));
  }
  errors.push(...listErrors(schema.oneOf, schema, fieldChild(path, 'oneOf')));
  if (schema.not !== undefined) errors.push(...partErrors(schema.not, schema, fieldChild(path, 'not')));
  return errors;
}

function listErrors(parts: readonly JsonSchema[] | undefined, outer: JsonSchema, path: string): FieldError[] {
  return (parts ?? []).flatMap((part, index) => partErrors(part, outer, fieldIndex(path, index)));
}

/** `outer`: what the schema outside of all compositions says of the same value. */
function partErrors(part: JsonSchema, outer: JsonSchema, path: string): FieldError[] {
  const errors = FORBIDDEN.filter(([keyword]) => isSet(part[keyword])).map(([keyword, why]) =>
    field.forbidden(fieldChild(path, keyword), why),
  );
  for (const [name, property] of Object.entries(part.properties ?? {})) {
    const at = fieldKey(fieldChild(path, 'properties'), name);
    const known = memberOf(outer, name);
    if (known === undefined)
      errors.push(field.required(at, 'because it is not defined outside of the composition'));
    else errors.push(...partErrors(property, known, at));
  }
  const items = itemsOf(part);
  if (items !== undefined) {
    const at = fieldChild(path, 'items');
    const known = itemsOf(outer);
    if (known === undefined)
      errors.push(field.required(at, 'because it is not defined outside of the composition'));
    else errors.push(...partErrors(items, known, at));
  }
  errors.push(...listErrors(part.allOf, outer, fieldChild(path, 'allOf')));
  errors.push(...listErrors(part.anyOf, outer, fieldChild(path, 'anyOf')));
  errors.push(...listErrors(part.oneOf, outer, fieldChild(path, 'oneOf')));
  if (part.not !== undefined) errors.push(...partErrors(part.not, outer, fieldChild(path, 'not')));
  return errors;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== '' && value !== false;
}
