import { field, fieldChild, fieldKey, type FieldError } from '../status/field-error.ts';
import { goRegExp } from './go-regexp.ts';
import { itemsOf, valuesOf, type JsonSchema } from './json-schema.ts';
import { compositionErrors } from './structural-compositions.ts';

type Level = 'root' | 'field' | 'item';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

const TYPE_MISSING: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
};

/** Keywords that no schema of a custom resource may have. */
const FORBIDDEN = [
  '$ref',
  'definitions',
  'dependencies',
  'deprecated',
  'discriminator',
  'id',
  'patternProperties',
];

/**
 * Checks that a schema is structural: that types are given for everything, outside of compositions, so that objects
 * can be pruned and defaulted. An empty result means yes.
 * Source: apiextensions-apiserver schema/validation, and validation of JSONSchemaProps.
 */
export function structuralErrors(schema: JsonSchema, path: string): FieldError[] {
  return levelErrors(schema, path, 'root');
}

function levelErrors(schema: JsonSchema, path: string, level: Level): FieldError[] {
  return [
    ...innerErrors(schema, path),
    ...unsupportedErrors(schema, path),
    ...extensionErrors(schema, path),
    ...compositionErrors(schema, path),
    ...typeErrors(schema, path, level),
    ...resourceFieldErrors(schema, path, level),
  ];
}

function innerErrors(schema: JsonSchema, path: string): FieldError[] {
  const items = itemsOf(schema);
  const values = valuesOf(schema);
  const properties = fieldChild(path, 'properties');
  return [
    ...(items === undefined ? [] : levelErrors(items, fieldChild(path, 'items'), 'item')),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      levelErrors(property, fieldKey(properties, name), 'field'),
    ),
    ...(values === undefined ? [] : levelErrors(values, fieldChild(path, 'additionalProperties'), 'field')),
  ];
}

function unsupportedErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors = FORBIDDEN.filter((keyword) => schema[keyword] !== undefined).map((keyword) =>
    field.forbidden(fieldChild(path, keyword), `${keyword} is not supported`),
  );
  if (Array.isArray(schema.items)) {
    errors.push(field.forbidden(fieldChild(path, 'items'), 'items must be a schema object and not an array'));
  }
  if (schema.properties !== undefined && schema.additionalProperties !== undefined) {
    errors.push(
      field.forbidden(
        fieldChild(path, 'additionalProperties'),
        'additionalProperties and properties are mutual exclusive',
      ),
    );
  }
  if (schema.additionalProperties === false) {
    errors.push(
      field.forbidden(
        fieldChild(path, 'additionalProperties'),
        'additionalProperties cannot be set to false',
      ),
    );
  }
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    errors.push(field.forbidden(fieldChild(path, 'uniqueItems'), why));
  }
  return [...errors, ...patternErrors(schema, path)];
}

function patternErrors({ pattern }: JsonSchema, path: string): FieldError[] {
  if (pattern === undefined) return [];
  try {
    goRegExp(pattern);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `must be a valid regular expression, but isn't: ${why}`;
    return [field.invalid(fieldChild(path, 'pattern'), pattern, message)];
  }
}

function extensionErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema['x-kubernetes-int-or-string'] === true) {
    for (const extension of [
      'x-kubernetes-preserve-unknown-fields',
      'x-kubernetes-embedded-resource',
    ] as const) {
      if (schema[extension] !== true) continue;
      const message = 'must be false if x-kubernetes-int-or-string is true';
      errors.push(field.invalid(fieldChild(path, extension), true, message));
    }
    if (schema.type !== undefined && schema.type !== '') {
      const message = 'must be empty if x-kubernetes-int-or-string is true';
      errors.push(field.invalid(fieldChild(path, 'type'), schema.type, message));
    }
  }
  return [...errors, ...listErrors(schema, path)];
}

function listErrors(schema: JsonSchema, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  const at = fieldChild(path, 'x-kubernetes-list-type');
  if (listType === undefined) return [];
  if (!['atomic', 'set', 'map'].includes(listType))
    return [field.notSupported(at, listType, ['atomic', 'map', 'set'])];
  if (schema.type !== 'array') {
    return [
      field.invalid(
        fieldChild(path, 'type'),
        schema.type ?? '',
        'must be array if x-kubernetes-list-type is specified',
      ),
    ];
  }
  if (listType !== 'map') return [];
  const keysPath = fieldChild(path, 'x-kubernetes-list-map-keys');
  if (keys === undefined || keys.length === 0) {
    return [field.required(keysPath, 'must not be empty if x-kubernetes-list-type is map')];
  }
  const items = itemsOf(schema);
  return keys
    .filter((key) => items?.properties?.[key] === undefined)
    .map((key) => field.invalid(keysPath, key, 'entries must all be names of item properties'));
}

function typeErrors(schema: JsonSchema, path: string, level: Level): FieldError[] {
  const { type = '' } = schema;
  const at = fieldChild(path, 'type');
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  if (embedded && type !== 'object') {
    const message = 'must be object if x-kubernetes-embedded-resource is true';
    return [type === '' ? field.required(at, message) : field.invalid(at, type, message)];
  }
  if (type === '') {
    const excused =
      schema['x-kubernetes-int-or-string'] === true ||
      schema['x-kubernetes-preserve-unknown-fields'] === true;
    return excused ? [] : [field.required(at, TYPE_MISSING[level])];
  }
  if (!TYPES.includes(type)) return [field.notSupported(at, type, TYPES)];
  if (level === 'root' && type !== 'object') return [field.invalid(at, type, 'must be object at the root')];
  return type === 'array' && schema.items === undefined
    ? [field.required(fieldChild(path, 'items'), 'must be specified')]
    : [];
}

/** What a schema may say of the type and metadata that every resource has. */
function resourceFieldErrors(schema: JsonSchema, path: string, level: Level): FieldError[] {
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  if (level !== 'root' && !embedded) return [];
  const { properties = {} } = schema;
  const errors: FieldError[] = [];
  if (embedded && schema.additionalProperties !== undefined) {
    const message = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(field.forbidden(fieldChild(path, 'additionalProperties'), message));
  }
  if (
    embedded &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true &&
    schema.properties === undefined
  ) {
    const message =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(field.required(fieldChild(path, 'properties'), message));
  }
  for (const name of ['kind', 'apiVersion']) {
    const type = properties[name]?.type;
    if (properties[name] === undefined || type === 'string') continue;
    const at = fieldChild(fieldKey(fieldChild(path, 'properties'), name), 'type');
    errors.push(field.invalid(at, type ?? '', 'must be string'));
  }
  return [
    ...errors,
    ...metadataErrors(properties['metadata'], fieldKey(fieldChild(path, 'properties'), 'metadata')),
  ];
}

function metadataErrors(metadata: JsonSchema | undefined, path: string): FieldError[] {
  if (metadata === undefined) return [];
  if (metadata.type !== 'object')
    return [field.invalid(fieldChild(path, 'type'), metadata.type ?? '', 'must be object')];
  const names = Object.keys(metadata.properties ?? {});
  if (names.every((name) => name === 'name' || name === 'generateName')) return [];
  const message =
    'must not specify anything other than name and generateName, but metadata is implicitly specified';
  return [field.forbidden(path, message)];
}
