import { isPlainObject } from '../meta/json.ts';
import { field, fieldChild, fieldIndex, type FieldError } from '../status/field-error.ts';
import { itemsOf, memberOf, type JsonSchema } from './json-schema.ts';

/**
 * Checks that embedded resources say what they are. The whole object is no embedded one.
 * Source: apiextensions-apiserver schema/objectmeta validation.
 */
export function embeddedResourceErrors(value: unknown, schema: JsonSchema, path = ''): FieldError[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return [];
    return value.flatMap((item, index) => embeddedResourceErrors(item, items, fieldIndex(path, index)));
  }
  if (!isPlainObject(value)) return [];
  const own = schema['x-kubernetes-embedded-resource'] === true && path !== '' ? typeErrors(value, path) : [];
  const inner = Object.entries(value).flatMap(([key, member]) => {
    const known = memberOf(schema, key);
    return known === undefined ? [] : embeddedResourceErrors(member, known, fieldChild(path, key));
  });
  return [...own, ...inner];
}

function typeErrors(value: Readonly<Record<string, unknown>>, path: string): FieldError[] {
  return ['apiVersion', 'kind']
    .filter((name) => value[name] === undefined || value[name] === '')
    .map((name) => field.required(fieldChild(path, name), 'must not be empty'));
}
