import { isPlainObject, type JsonObject } from '../meta/json.ts';
import { itemsOf, memberOf, valuesOf, type JsonSchema } from './json-schema.ts';

/**
 * Fills in defaults, those inside of defaults included. A null where the schema has none (`nullable`) counts as
 * absent: it takes the default, or goes. Source: apiextensions-apiserver schema/defaulting.
 */
export function applyDefaults(object: JsonObject, schema: JsonSchema): JsonObject {
  const members = new Map<string, unknown>();
  for (const [key, member] of Object.entries(object)) {
    const value = withDefault(member, memberOf(schema, key));
    if (value !== undefined) members.set(key, value);
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined || members.has(key)) continue;
    members.set(key, withDefault(property.default, property));
  }
  return Object.fromEntries(members);
}

/** Undefined: nothing is left of it. */
function withDefault(value: unknown, schema: JsonSchema | undefined): unknown {
  if (schema === undefined) return value;
  if (value === null && schema.nullable !== true) {
    return schema.default === undefined || schema.default === null
      ? undefined
      : withDefault(schema.default, schema);
  }
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    // An item cannot go, for the others would move up: without a default the null stays, to be found invalid.
    return items === undefined ? value : value.map((item) => withDefault(item, items) ?? null);
  }
  return isPlainObject(value) ? applyDefaults(value, schema) : value;
}

/** Whether any default stands in a schema: without, {@link applyDefaults} only drops nulls. */
export function hasDefaults(schema: JsonSchema): boolean {
  if (schema.default !== undefined) return true;
  const inner = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
  return inner.some((part) => part !== undefined && hasDefaults(part));
}
