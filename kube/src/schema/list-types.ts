import { isPlainObject, type JsonObject } from '../meta/json.ts';
import { field, fieldChild, fieldIndex, type FieldError } from '../status/field-error.ts';
import { goJson } from '../status/go-format.ts';
import { itemsOf, memberOf, type JsonSchema } from './json-schema.ts';

/**
 * Finds items that stand twice in lists of type `set`, or with the same keys in lists of type `map`.
 * Source: apiextensions-apiserver schema/listtype.
 */
export function listTypeErrors(value: unknown, schema: JsonSchema, path = ''): FieldError[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    const inner =
      items === undefined
        ? []
        : value.flatMap((item, index) => listTypeErrors(item, items, fieldIndex(path, index)));
    return [...duplicates(value, schema, path), ...inner];
  }
  if (!isPlainObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const known = memberOf(schema, key);
    return known === undefined ? [] : listTypeErrors(member, known, fieldChild(path, key));
  });
}

function duplicates(items: readonly unknown[], schema: JsonSchema, path: string): FieldError[] {
  const identify = identityOf(schema);
  if (identify === undefined) return [];
  const seen = new Set<string>();
  const reported = new Set<string>();
  return items.flatMap((item, index) => {
    const identity = identify(item);
    const id = goJson(identity);
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    if (reported.has(id)) return [];
    reported.add(id);
    return [field.duplicate(fieldIndex(path, index), identity)];
  });
}

/** What tells the items of a list apart; undefined: nothing has to. */
function identityOf(schema: JsonSchema): ((item: unknown) => unknown) | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') return (item) => item;
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const items = itemsOf(schema);
  return (item) => (isPlainObject(item) ? keysOf(item, keys, items) : item);
}

function keysOf(item: JsonObject, keys: readonly string[], items: JsonSchema | undefined): JsonObject {
  const present = keys.flatMap((key): [string, unknown][] => {
    const value = item[key] ?? items?.properties?.[key]?.default;
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(present);
}
