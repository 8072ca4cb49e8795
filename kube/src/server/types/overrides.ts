/**
 * How Go serialises zero values of fields that the tables of Go's declarations do not have: those of
 * CustomResourceDefinitions, and fields newer than the tables.
 * Source: the struct tags of k8s.io/apiextensions-apiserver.
 */

/** Plain (not pointer) integers with omitempty: 0 is left out. Other optional integers are pointers: 0 stays. */
export const VALUE_INTEGERS: ReadonlySet<string> = new Set(['CustomResourceColumnDefinition.priority']);

/** Plain booleans with omitempty: false is left out. */
export const VALUE_BOOLEANS: ReadonlySet<string> = new Set([
  ...[
    'exclusiveMaximum',
    'exclusiveMinimum',
    'uniqueItems',
    'nullable',
    'x-kubernetes-embedded-resource',
  ].map((name) => `JSONSchemaProps.${name}`),
  'JSONSchemaProps.x-kubernetes-int-or-string',
  'CustomResourceDefinitionVersion.deprecated',
  'CustomResourceDefinitionSpec.preserveUnknownFields',
]);

/** Pointers to strings: '' stays. Other optional strings are plain: '' is left out. */
export const POINTER_STRINGS: ReadonlySet<string> = new Set([
  'CustomResourceDefinitionVersion.deprecationWarning',
  'JSONSchemaProps.$ref',
]);

/** Structs by value: they are there even when empty, as are `metadata`, `spec` and `status` of every kind. */
export const VALUE_STRUCTS: ReadonlySet<string> = new Set(['CustomResourceDefinitionStatus.acceptedNames']);

/** Times by value: null when unset. Optional times elsewhere are pointers. */
export const VALUE_TIMES: ReadonlySet<string> = new Set([
  'CustomResourceDefinitionCondition.lastTransitionTime',
]);

/** Optional in the document, yet without omitempty: null when unset. */
export const ALWAYS_EMITTED: ReadonlySet<string> = new Set([
  'CustomResourceDefinitionStatus.conditions',
  'CustomResourceDefinitionStatus.storedVersions',
]);

/** Times that Go leaves out when they are zero, whatever the tables say: newer versions of the API do. */
export const OMITTED_TIMES: ReadonlySet<string> = new Set(['ObjectMeta.creationTimestamp']);
