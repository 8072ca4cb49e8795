import assert from 'node:assert/strict';
import {
  field,
  fieldErrorMessage,
  goJson,
  goQuote,
  goValue,
  OMITTED,
  type FieldError,
} from '../../src/index.ts';

describe('field errors', () => {
  const table: readonly (readonly [FieldError, string])[] = [
    [field.required('a'), 'a: Required value'],
    [field.required('a', 'why'), 'a: Required value: why'],
    [field.invalid('a.b', 'x', 'bad'), 'a.b: Invalid value: "x": bad'],
    [field.invalid('a', 3.5, 'bad'), 'a: Invalid value: 3.5: bad'],
    [field.invalid('a', true, 'bad'), 'a: Invalid value: true: bad'],
    [field.invalid('a', { z: 1, a: '<' }, 'bad'), 'a: Invalid value: {"a":"\\u003c","z":1}: bad'],
    [
      field.invalid('spec', OMITTED, 'low must not exceed high'),
      'spec: Invalid value: low must not exceed high',
    ],
    [field.notSupported('a', 'x', []), 'a: Unsupported value: "x"'],
    [field.notSupported('a', 5, ['u', 'v']), 'a: Unsupported value: 5: supported values: "u", "v"'],
    [field.forbidden('a', 'no'), 'a: Forbidden: no'],
    [field.duplicate('a', { id: 'q' }), 'a: Duplicate value: {"id":"q"}'],
    [field.notFound('a', 'x'), 'a: Not found: "x"'],
    [field.tooLong('a', 63), 'a: Too long: may not be more than 63 bytes'],
    [field.tooLong('a', 1), 'a: Too long: may not be more than 1 byte'],
    [field.tooShort('a', 2), 'a: Too short: must be at least 2 characters'],
    [field.tooMany('a', 4, 3), 'a: Too many: 4: must have at most 3 items'],
    [field.typeInvalid('a', 'string', 'bad'), 'a: Invalid value: "string": bad'],
    [field.internal('a', 'boom'), 'a: Internal error: boom'],
  ];
  for (const [error, message] of table) it(message, () => assert.equal(fieldErrorMessage(error), message));
});

describe('Go formats', () => {
  it('quotes as %q does', () => {
    assert.equal(goQuote('a"b\\c\n\t\u0000é😀\u200b'), String.raw`"a\"b\\c\n\t\x00é😀\u200b"`);
    assert.equal(goQuote('\ud800'), String.raw`"\ufffd"`);
    assert.equal(goQuote('\u{e0001}'), String.raw`"\U000e0001"`);
  });

  it('prints JSON with sorted keys and escaped HTML', () => {
    assert.equal(goJson({ b: [1, { d: 2, c: '&' }], a: null }), '{"a":null,"b":[1,{"c":"\\u0026","d":2}]}');
    assert.equal(goJson(undefined), 'null');
  });

  it('prints maps and slices as %v does', () => {
    assert.equal(goValue({ b: [1, 'x'], a: null }), 'map[a:<nil> b:[1 x]]');
  });
});
