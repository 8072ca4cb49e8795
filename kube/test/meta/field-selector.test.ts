import assert from 'node:assert/strict';
import { escapeFieldValue, FieldSelector } from '../../src/index.ts';
import { recording } from '../recordings.ts';

describe('field selectors', () => {
  const fields = { 'metadata.name': 'a', 'spec.nodeName': '', odd: 'x,y=z\\' };
  const table: readonly (readonly [string, string, boolean])[] = [
    ['', '', true],
    ['metadata.name=a', 'metadata.name=a', true],
    ['metadata.name==a', 'metadata.name=a', true],
    ['metadata.name!=a', 'metadata.name!=a', false],
    ['spec.nodeName=', 'spec.nodeName=', true],
    ['spec.nodeName!=', 'spec.nodeName!=', false],
    ['absent=', 'absent=', true],
    ['toString=', 'toString=', true],
    ['spec.nodeName=,metadata.name=a', 'metadata.name=a,spec.nodeName=', true],
    ['metadata.name=a,', 'metadata.name=a', true],
    [String.raw`odd=x\,y\=z\\`, String.raw`odd=x\,y\=z\\`, true],
  ];
  for (const [text, canonical, matches] of table) {
    it(`${text || '(empty)'} ${matches ? 'selects' : 'does not select'}`, () => {
      const selector = FieldSelector.parse(text);
      assert.equal(selector.toString(), canonical);
      assert.equal(selector.matches(fields), matches);
      assert.equal(FieldSelector.parse(canonical).toString(), canonical);
    });
  }

  it('say which value a field must have', () => {
    const selector = FieldSelector.parse('metadata.name=a,spec.nodeName!=b');
    assert.equal(selector.requiredValue('metadata.name'), 'a');
    assert.equal(selector.requiredValue('spec.nodeName'), undefined);
  });

  it('escape values so that they come back', () => {
    const value = 'a,b=c\\d';
    assert.equal(FieldSelector.parse(`x=${escapeFieldValue(value)}`).requiredValue('x'), value);
  });

  const bad: readonly (readonly [string, string])[] = [
    ['a', "invalid selector: 'a'; can't understand 'a'"],
    ['a=b,c', "invalid selector: 'a=b,c'; can't understand 'c'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    [String.raw`a=\x`, String.raw`invalid field selector: invalid escape sequence: \x`],
    ['a=\\', 'invalid field selector: invalid escape sequence: \\'],
  ];
  for (const [text, message] of bad) {
    it(`refuses ${text}`, () => {
      assert.throws(() => FieldSelector.parse(text), { code: 'ERR_KUBE_BAD_REQUEST', message });
    });
  }

  it("field-bad: in the API server's words", () => {
    const { request, response } = recording('list', 'field-bad');
    const text = new URL(request.path, 'http://x').searchParams.get('fieldSelector') ?? '';
    assert.throws(
      () => FieldSelector.parse(text),
      (error: { status: unknown }) => {
        assert.deepEqual(error.status, response.body);
        return true;
      },
    );
  });
});
