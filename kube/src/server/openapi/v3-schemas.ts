import type { ResourceDefinition } from '../registry/definition.ts';
import { structType, type FieldType } from '../types/struct.ts';

/** Schemas of a document by name. */
export type Schemas = Record<string, object>;

const PREFIX = 'io.k8s.';
const SCALARS: Readonly<Record<string, object>> = {
  s: { type: 'string' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  d: { type: 'number', format: 'double' },
  b: { type: 'boolean' },
  t: { type: 'string', format: 'date-time' },
  u: { type: 'string', format: 'date-time' },
  q: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  x: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  y: { type: 'string', format: 'byte' },
  o: {},
};

/** The name of a definition's schema in its document. */
export function schemaName({ struct, group, version, kind }: ResourceDefinition): string {
  if (struct !== undefined) return PREFIX + struct;
  return [...group.split('.').reverse(), version, kind].join('.');
}

/** Adds the schema of a definition, and those that it refers to. */
export function addSchemas(schemas: Schemas, definition: ResourceDefinition): void {
  const { group, kind, version } = definition;
  const gvk = { 'x-kubernetes-group-version-kind': [{ group, kind, version }] };
  const name = schemaName(definition);
  if (definition.struct !== undefined) {
    addStruct(schemas, definition.struct);
    schemas[name] = { ...schemas[name], ...gvk };
    return;
  }
  addStruct(schemas, 'ObjectMeta');
  const schema = definition.openApiSchema ?? { type: 'object' };
  const properties = {
    apiVersion: SCALARS['s'],
    kind: SCALARS['s'],
    ...('properties' in schema ? (schema.properties as object) : {}),
    metadata: reference('ObjectMeta'),
  };
  schemas[name] = { ...schema, properties, ...gvk };
}

function addStruct(schemas: Schemas, struct: string): void {
  const name = PREFIX + struct;
  if (schemas[name] !== undefined) return;
  schemas[name] = {}; // structs may refer to themselves
  const properties: Record<string, object> = {};
  const required: string[] = [];
  for (const field of structType(struct).fields.values()) {
    if (field.required) required.push(field.name);
    if (!field.scalar) addStruct(schemas, field.type);
    properties[field.name] = fieldSchema(field);
  }
  schemas[name] = { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
}

function fieldSchema({ container, type, scalar }: FieldType): object {
  const item = scalar ? (SCALARS[type] ?? {}) : reference(type);
  switch (container) {
    case 'none':
      return item;
    case 'list':
      return { type: 'array', items: item };
    case 'map':
      return { type: 'object', additionalProperties: item };
    case 'listMap':
      return { type: 'object', additionalProperties: { type: 'array', items: item } };
  }
}

function reference(struct: string): object {
  return { allOf: [{ $ref: `#/components/schemas/${PREFIX}${struct}` }] };
}
