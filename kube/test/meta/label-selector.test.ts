import assert from 'node:assert/strict';
import { LabelSelector, type LabelSelectorObject } from '../../src/index.ts';
import { recording } from '../recordings.ts';

describe('label selectors: what they match', () => {
  const table: readonly (readonly [string, string, Record<string, string> | undefined, boolean])[] = [
    ['', '', undefined, true],
    ['a', 'a', { a: '' }, true],
    ['a', 'a', undefined, false],
    ['!a', '!a', undefined, true],
    ['!a', '!a', { a: '1' }, false],
    ['a=1', 'a=1', { a: '1' }, true],
    ['a==1', 'a==1', { a: '1' }, true],
    ['a = 1', 'a=1', { a: '2' }, false],
    ['a!=1', 'a!=1', {}, true],
    ['a!=1', 'a!=1', { a: '1' }, false],
    ['a=', 'a=', { a: '' }, true],
    ['a=,b=1', 'a=,b=1', { a: '', b: '1' }, true],
    ['a in (2, 1)', 'a in (1,2)', { a: '2' }, true],
    ['a in (1)', 'a in (1)', {}, false],
    ['a in ()', 'a in ()', { a: '' }, true],
    ['a in (,)', 'a in ()', { a: '' }, true],
    ['a in (x,,y)', 'a in (,x,y)', { a: '' }, true],
    ['a notin (1,2)', 'a notin (1,2)', {}, true],
    ['a notin (1,2)', 'a notin (1,2)', { a: '1' }, false],
    ['a>5', 'a>5', { a: '6' }, true],
    ['a>5', 'a>5', { a: '5' }, false],
    ['a<5', 'a<5', { a: '-1' }, true],
    ['a<5', 'a<5', { a: 'x' }, false],
    ['a>9007199254740993', 'a>9007199254740993', { a: '9007199254740994' }, true],
    ['in=1', 'in=1', { in: '1' }, true],
    ['in in (in, notin)', 'in in (in,notin)', { in: 'notin' }, true],
    ['b=1, a=2', 'a=2,b=1', { a: '2', b: '1' }, true],
    ['example.com/x=y', 'example.com/x=y', { 'example.com/x': 'y' }, true],
    ['constructor', 'constructor', {}, false],
  ];
  for (const [text, canonical, labels, matches] of table) {
    it(`${text || '(empty)'} ${matches ? 'selects' : 'does not select'} ${JSON.stringify(labels)}`, () => {
      const selector = LabelSelector.parse(text);
      assert.equal(selector.toString(), canonical);
      assert.equal(selector.matches(labels), matches);
      assert.equal(LabelSelector.parse(canonical).toString(), canonical);
    });
  }
});

describe('label selectors: what they are not', () => {
  const table: readonly (readonly [string, string])[] = [
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (b=', "unable to parse requirement: found '=', expected: ',' or ')'"],
    ['a in (=', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['a==(', "unable to parse requirement: found '(', expected: identifier"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    [
      'a>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ];
  for (const [text, message] of table) {
    it(text, () => {
      assert.throws(() => LabelSelector.parse(text), { code: 'ERR_KUBE_BAD_REQUEST', message });
    });
  }

  it('says what is wrong with keys and values', () => {
    assert.throws(() => LabelSelector.parse('a/b/c=1'), {
      message:
        /^unable to parse requirement: <nil>: Invalid value: "a\/b\/c": a valid label key must consist of/,
    });
    assert.throws(() => LabelSelector.parse('a=-'), {
      message:
        /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid label must be an empty/,
    });
  });

  for (const name of ['label-bad', 'label-bad-value']) {
    it(`${name}: in the API server's words`, () => {
      const { request, response } = recording('list', name);
      const text = new URL(request.path, 'http://x').searchParams.get('labelSelector') ?? '';
      assert.throws(
        () => LabelSelector.parse(text),
        (error: { status: unknown }) => {
          assert.deepEqual(error.status, response.body);
          return true;
        },
      );
    });
  }
});

describe('label selectors: object form', () => {
  const table: readonly (readonly [LabelSelectorObject, string])[] = [
    [{}, ''],
    [{ matchLabels: { b: '2', a: '1' } }, 'a=1,b=2'],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['2', '1'] }] }, 'a in (1,2)'],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, 'a notin (1)'],
    [{ matchLabels: { z: '1' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] }, 'a,z=1'],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist', values: [] }] }, '!a'],
  ];
  for (const [object, canonical] of table) {
    it(JSON.stringify(object), () => assert.equal(LabelSelector.fromObject(object).toString(), canonical));
  }

  it('selects nothing if absent, everything if empty', () => {
    assert.equal(LabelSelector.fromObject(undefined).matches({ a: '1' }), false);
    assert.equal(LabelSelector.fromObject({}).matches({ a: '1' }), true);
    assert.equal(LabelSelector.fromObject({}).isEverything, true);
    assert.equal(LabelSelector.nothing.isEverything, false);
  });

  it('refuses unknown operators and wrong numbers of values', () => {
    const bad = (operator: string, values: string[]): void => {
      LabelSelector.fromObject({ matchExpressions: [{ key: 'a', operator, values }] });
    };
    assert.throws(() => bad('Near', []), { message: '"Near" is not a valid label selector operator' });
    assert.throws(() => bad('constructor', []), {
      message: '"constructor" is not a valid label selector operator',
    });
    assert.throws(() => bad('In', []), { message: /values set can't be empty/ });
    assert.throws(() => bad('Exists', ['1']), { message: /values set must be empty/ });
  });
});
