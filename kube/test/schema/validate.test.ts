import assert from 'node:assert/strict';
import { fieldErrorMessage, StructuralSchema, type JsonSchema } from '../../src/index.ts';

function messages(schema: JsonSchema, value: unknown): string[] {
  return new StructuralSchema({ type: 'object', properties: { a: schema } })
    .validate({ a: value })
    .map(fieldErrorMessage);
}

describe('validation by schema', () => {
  const invalid: readonly (readonly [string, JsonSchema, unknown, string[]])[] = [
    [
      'minimum',
      { type: 'integer', minimum: 3 },
      2,
      ['a: Invalid value: 2: a in body should be greater than or equal to 3'],
    ],
    [
      'exclusive minimum',
      { type: 'number', minimum: 3, exclusiveMinimum: true },
      3,
      ['a: Invalid value: 3: a in body should be greater than 3'],
    ],
    [
      'multipleOf',
      { type: 'integer', multipleOf: 3 },
      4,
      ['a: Invalid value: 4: a in body should be a multiple of 3'],
    ],
    ['maxLength', { type: 'string', maxLength: 2 }, 'abc', ['a: Too long: may not be more than 2 bytes']],
    [
      'pattern',
      { type: 'string', pattern: '^b' },
      'a',
      [`a: Invalid value: "a": a in body should match '^b'`],
    ],
    [
      'the first of several rules for a string',
      { type: 'string', minLength: 2, pattern: '^b' },
      'a',
      ['a: Invalid value: "a": a in body should be at least 2 chars long'],
    ],
    [
      'minItems',
      { type: 'array', items: { type: 'string' }, minItems: 2 },
      ['x'],
      ['a: Invalid value: ["x"]: a in body should have at least 2 items'],
    ],
    [
      'minProperties',
      { type: 'object', additionalProperties: { type: 'string' }, minProperties: 1 },
      {},
      ['a: Invalid value: {}: a in body should have at least 1 properties'],
    ],
    [
      'maxProperties',
      { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 1 },
      { x: '', y: '' },
      ['a: Too many: 2: must have at most 1 item'],
    ],
    [
      'null where there is none',
      { type: 'string' },
      null,
      ['a: Invalid value: "null": a in body must be of type string: "null"'],
    ],
    [
      'a number out of its format',
      { type: 'integer', format: 'int32' },
      2 ** 31,
      ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in a'],
    ],
    [
      'a fraction for an integer without a format',
      { type: 'integer' },
      1.5,
      [
        'a: Invalid value: "number": a in body must be of type integer: "number"',
        '<nil>: Invalid value: "": Checked value must be of type integer (default format) in a',
      ],
    ],
    [
      'enum of mixed values',
      { 'x-kubernetes-preserve-unknown-fields': true, enum: ['x', 1, null] },
      'y',
      ['a: Unsupported value: "y": supported values: "x", "1", "null"'],
    ],
    [
      'anyOf',
      { type: 'string', anyOf: [{ pattern: '^x' }, { enum: ['y', 'z'] }] },
      'a',
      [
        `a: Invalid value: "a": a in body should match '^x'`,
        '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
      ],
    ],
    [
      'oneOf, none',
      {
        type: 'object',
        properties: { x: { type: 'string' }, y: { type: 'string' } },
        oneOf: [{ required: ['x'] }, { required: ['y'] }],
      },
      {},
      [
        'a.x: Required value',
        '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found none valid',
      ],
    ],
    [
      'oneOf, two',
      {
        type: 'object',
        properties: { x: { type: 'string' }, y: { type: 'string' } },
        oneOf: [{ required: ['x'] }, { required: ['y'] }],
      },
      { x: '', y: '' },
      [
        '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
    [
      'not',
      { type: 'string', not: { enum: ['a'] } },
      'a',
      ['<nil>: Invalid value: "": "a" must not validate the schema (not)'],
    ],
    [
      'a path through maps, lists and odd names',
      { type: 'object', additionalProperties: { type: 'array', items: { type: 'object', required: ['x'] } } },
      { 'k/e~y': [{ x: 1 }, {}] },
      ['a.k/e~y[1].x: Required value'],
    ],
    [
      'a property called anyOf',
      { type: 'object', properties: { anyOf: { type: 'string' } } },
      { anyOf: 5 },
      ['a.anyOf: Invalid value: "integer": a.anyOf in body must be of type string: "integer"'],
    ],
  ];
  for (const [what, schema, value, expected] of invalid) {
    it(`refuses: ${what}`, () => assert.deepEqual(messages(schema, value).sort(), [...expected].sort()));
  }

  const valid: readonly (readonly [string, JsonSchema, unknown])[] = [
    ['null where it is nullable', { type: 'string', nullable: true }, null],
    ['an integer for a number', { type: 'number' }, 3],
    ['1.0 for an integer', { type: 'integer' }, 1.0],
    [
      'int-or-string, spelled out',
      { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      '5%',
    ],
    ['anything', { 'x-kubernetes-preserve-unknown-fields': true }, [{ any: 'thing' }]],
    ['a format nobody knows', { type: 'string', format: 'moon-phase' }, 'full'],
    ['flags in front of a pattern', { type: 'string', pattern: '(?i)^ABC$' }, 'abc'],
    ['POSIX classes', { type: 'string', pattern: '^[[:alpha:]]+$' }, 'abc'],
  ];
  for (const [what, schema, value] of valid)
    it(`accepts: ${what}`, () => assert.deepEqual(messages(schema, value), []));

  const formats: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['date', ['2026-02-28'], ['2026-02-30', '26-1-1']],
    [
      'date-time',
      ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5+02:00'],
      ['yesterday', '2026-01-01T25:00:00Z', '2026-13-01T00:00:00Z'],
    ],
    ['uuid', ['5f53b608-be3c-46dc-82f3-118ce0873ff3'], ['5f53']],
    ['ipv4', ['10.0.0.1'], ['10.0.0', '::1']],
    ['ipv6', ['::1'], ['10.0.0.1']],
    ['cidr', ['10.0.0.0/8', 'fd00::/64'], ['10.0.0.0', '10.0.0.0/33', 'x/1']],
    ['byte', ['aGk='], ['!', 'aGk']],
    ['duration', ['1h', '1h30m', '500ms'], ['1', 'h']],
    ['hostname', ['a.example.com'], ['-a', '']],
    ['email', ['a@b.c'], ['a']],
    ['mac', ['00:11:22:aa:bb:cc'], ['00:11']],
    ['uri', ['https://a.b/c', '/x'], ['a b']],
  ];
  for (const [format, good, bad] of formats) {
    it(`format ${format}`, () => {
      for (const text of good) assert.deepEqual(messages({ type: 'string', format }, text), [], text);
      for (const text of bad) {
        const quoted = JSON.stringify(text);
        assert.deepEqual(messages({ type: 'string', format }, text), [
          `a: Invalid value: ${quoted}: a in body must be of type ${format}: ${quoted}`,
        ]);
      }
    });
  }
});
