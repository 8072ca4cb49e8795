import assert from 'node:assert/strict';
import { seededRandom, randomBelow } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { duplicateKeys, JsonScanner, parseJson, strictProblems } from '../../src/server/body/json-scanner.ts';

describe('server: JSON as Go reads it', () => {
  it('words syntax errors as Go does', () => {
    for (const [text, message] of [
      ['', 'unexpected end of JSON input'],
      ['{', 'unexpected end of JSON input'],
      ['{"a"', 'unexpected end of JSON input'],
      ['{"a":tru', 'unexpected end of JSON input'],
      ['[1,]', "invalid character ']' looking for beginning of value"],
      ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
      ['{"a" 1}', "invalid character '1' after object key"],
      ['[1 2]', "invalid character '2' after array element"],
      ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
      ['nul!', "invalid character '!' in literal null (expecting 'l')"],
      ['-x', "invalid character 'x' in numeric literal"],
      ['1.x', "invalid character 'x' after decimal point in numeric literal"],
      ['1ex', "invalid character 'x' in exponent of numeric literal"],
      ['01', "invalid character '1' after top-level value"],
      ['"\\q"', "invalid character 'q' in string escape code"],
      ["'", "invalid character '\\'' looking for beginning of value"],
      ['"a\nb"', "invalid character '\\n' in string literal"],
    ] as const) {
      assert.throws(() => parseJson(text), { name: 'SyntaxError', message }, JSON.stringify(text));
    }
  });

  it('finds keys that stand twice, in order, and nothing else', () => {
    const text = '{"a":1,"b":[{"c":1,"c":2},{"c":3}],"a":2,"d":{"a":1},"\\u0061":3}';
    assert.deepEqual(
      duplicateKeys(text).map(({ path }) => path),
      ['b[0].c', 'a', 'a'],
    );
  });

  it('lists unknown and repeated fields in the order of the document', () => {
    const text = '{"metadata":{"x":1},"data":{"a":1,"a":2},"y":[{"z":1}]}';
    assert.deepEqual(strictProblems(text, ['y', 'metadata.x']), [
      'unknown field "metadata.x"',
      'duplicate field "data.a"',
      'unknown field "y"',
    ]);
  });

  it('agrees with JSON.parse on what is JSON', () => {
    const random = seededRandom(7);
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\\',
      '0',
    ];
    for (let round = 0; round < scaled(20_000, 500_000); round += 1) {
      const length = 1 + randomBelow(random, 8);
      const text = Array.from({ length }, () => pieces[randomBelow(random, pieces.length)]).join('');
      assert.equal(
        accepts(() => new JsonScanner(text).scan()),
        accepts(() => JSON.parse(text)),
        text,
      );
    }
  });

  function accepts(parse: () => unknown): boolean {
    try {
      parse();
      return true;
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
      return false;
    }
  }
});
