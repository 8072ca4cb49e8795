import assert from 'node:assert/strict';
import { fieldErrorMessage, StructuralSchema, structuralErrors, type JsonSchema } from '../../src/index.ts';

function problems(a: JsonSchema): string[] {
  return structuralErrors({ type: 'object', properties: { a } }, 's').map(fieldErrorMessage);
}

describe('what makes a schema structural', () => {
  const table: readonly (readonly [JsonSchema, string[]])[] = [
    [{ type: 'string' }, []],
    [{ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, []],
    [{ 'x-kubernetes-preserve-unknown-fields': true }, []],
    [{ type: 'string', anyOf: [{ pattern: 'a' }] }, []],
    [{}, ['s.properties[a].type: Required value: must not be empty for specified object fields']],
    [
      { type: 'array', items: {} },
      ['s.properties[a].items.type: Required value: must not be empty for specified array items'],
    ],
    [{ type: 'array' }, ['s.properties[a].items: Required value: must be specified']],
    [
      { type: 'text' },
      [
        's.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"',
      ],
    ],
    [
      { type: 'object', properties: { x: { type: 'string' } }, additionalProperties: { type: 'string' } },
      [
        's.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive',
      ],
    ],
    [{ type: 'string', $ref: '#/x' }, ['s.properties[a].$ref: Forbidden: $ref is not supported']],
    [
      { type: 'string', uniqueItems: true },
      [
        's.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ],
    ],
    [
      { type: 'string', anyOf: [{ type: 'string', default: 'x' }] },
      [
        's.properties[a].anyOf[0].default: Forbidden: must be undefined to be structural',
        's.properties[a].anyOf[0].type: Forbidden: must be empty to be structural',
      ],
    ],
    [
      { type: 'object', properties: {}, not: { properties: { x: { minimum: 1 } } } },
      [
        's.properties[a].not.properties[x]: Required value: because it is not defined outside of the composition',
      ],
    ],
    [
      { type: 'string', 'x-kubernetes-list-type': 'set' },
      ['s.properties[a].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified'],
    ],
    [
      { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' },
      [
        's.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map',
      ],
    ],
    [
      { type: 'string', 'x-kubernetes-int-or-string': true },
      ['s.properties[a].type: Invalid value: "string": must be empty if x-kubernetes-int-or-string is true'],
    ],
    [
      { type: 'object', 'x-kubernetes-embedded-resource': true },
      [
        's.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ],
    ],
  ];
  for (const [schema, expected] of table) {
    it(JSON.stringify(schema), () => assert.deepEqual(problems(schema), expected));
  }

  it('refuses a pattern that is none', () => {
    assert.match(
      problems({ type: 'string', pattern: '(' })[0] ?? '',
      /^s\.properties\[a\]\.pattern: Invalid value: "\("/,
    );
  });

  it('demands an object at the root, and leaves metadata alone', () => {
    const message = (schema: JsonSchema): string[] => structuralErrors(schema, 's').map(fieldErrorMessage);
    assert.deepEqual(message({ type: 'string' }), [
      's.type: Invalid value: "string": must be object at the root',
    ]);
    assert.deepEqual(message({}), ['s.type: Required value: must not be empty at the root']);
    const metadata = { type: 'object', properties: { labels: { type: 'object' } } };
    assert.deepEqual(message({ type: 'object', properties: { metadata } }), [
      's.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ]);
  });
});

describe('pruning', () => {
  const prune = (schema: JsonSchema, object: Record<string, unknown>): [unknown, readonly string[]] => {
    const pruned = new StructuralSchema(schema).prune(object);
    return [pruned.object, pruned.unknownFields];
  };
  const keep = 'x-kubernetes-preserve-unknown-fields';

  it('leaves type and metadata of the resource alone', () => {
    const object = { apiVersion: 'a', kind: 'b', metadata: { any: 1 }, x: 1 };
    assert.deepEqual(prune({ type: 'object' }, object), [
      { apiVersion: 'a', kind: 'b', metadata: { any: 1 } },
      ['x'],
    ]);
  });

  it('prunes what is specified below what is preserved', () => {
    const schema = { type: 'object', [keep]: true, properties: { a: { type: 'object', properties: {} } } };
    assert.deepEqual(prune(schema, { a: { x: 1 }, b: { y: [{ z: 1 }] } }), [
      { a: {}, b: { y: [{ z: 1 }] } },
      ['a.x'],
    ]);
  });

  it('prunes the values of maps and the items of lists', () => {
    const inner = { type: 'object', properties: { known: { type: 'string' } } };
    const schema = {
      type: 'object',
      properties: {
        map: { type: 'object', additionalProperties: inner },
        list: { type: 'array', items: inner },
        any: { type: 'object', additionalProperties: true },
      },
    };
    const object = {
      map: { k: { known: '', x: 1 } },
      list: [{ x: 1 }, { known: '' }],
      any: { n: 1, o: { p: 1 } },
    };
    assert.deepEqual(prune(schema, object), [
      { map: { k: { known: '' } }, list: [{}, { known: '' }], any: { n: 1, o: {} } },
      ['any.o.p', 'list[0].x', 'map.k.x'],
    ]);
  });

  it('keeps the type and metadata of embedded resources', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: { pod: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: {} } },
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: {} };
    assert.deepEqual(prune(schema, { pod }), [
      { pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } } },
      ['pod.spec'],
    ]);
    const errors = new StructuralSchema(schema).listErrors({
      apiVersion: 'x/v1',
      kind: 'X',
      pod: { kind: '' },
    });
    assert.deepEqual(errors.map(fieldErrorMessage), [
      'pod.apiVersion: Required value: must not be empty',
      'pod.kind: Required value: must not be empty',
    ]);
  });
});

describe('defaulting', () => {
  const withDefaults = (properties: Record<string, JsonSchema>, object: Record<string, unknown>): unknown =>
    new StructuralSchema({ type: 'object', properties }).applyDefaults(object);

  it('fills in, into defaults too, but not over what is there', () => {
    const properties: Record<string, JsonSchema> = {
      a: { type: 'string', default: 'x' },
      b: { type: 'object', default: {}, properties: { c: { type: 'integer', default: 0 } } },
      d: { type: 'object', properties: { e: { type: 'string', default: 'y' } } },
    };
    assert.deepEqual(withDefaults(properties, {}), { a: 'x', b: { c: 0 } });
    assert.deepEqual(withDefaults(properties, { a: '', d: {} }), { a: '', d: { e: 'y' }, b: { c: 0 } });
  });

  it('reaches values of maps and items of lists', () => {
    const item: JsonSchema = { type: 'object', properties: { w: { type: 'integer', default: 5 } } };
    const properties: Record<string, JsonSchema> = {
      list: { type: 'array', items: item },
      map: { type: 'object', additionalProperties: item },
    };
    assert.deepEqual(withDefaults(properties, { list: [{}, { w: 1 }], map: { k: {} } }), {
      list: [{ w: 5 }, { w: 1 }],
      map: { k: { w: 5 } },
    });
  });

  it('takes a null that may not be for absent', () => {
    const properties: Record<string, JsonSchema> = {
      withDefault: { type: 'string', default: 'x' },
      without: { type: 'string' },
      nullable: { type: 'string', nullable: true, default: 'x' },
      list: { type: 'array', items: { type: 'string' } },
    };
    const nulls = { withDefault: null, without: null, nullable: null, list: [null] };
    assert.deepEqual(withDefaults(properties, nulls), { withDefault: 'x', nullable: null, list: [null] });
  });
});

describe('lists that are sets or maps', () => {
  it('take a missing key from its default, and report each doublet once', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: {
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } },
          },
        },
      },
    };
    const ports = [{ port: 1 }, { port: 1, protocol: 'TCP' }, { port: 1 }, { port: 1, protocol: 'UDP' }];
    assert.deepEqual(new StructuralSchema(schema).listErrors({ ports }).map(fieldErrorMessage), [
      'ports[1]: Duplicate value: {"port":1,"protocol":"TCP"}',
    ]);
  });
});
