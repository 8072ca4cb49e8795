import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import {
  configKeyProblems,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  generateName,
  generateNameProblems,
  labelValueProblems,
  pathSegmentProblems,
  qualifiedNameProblems,
  type NameCheck,
} from '../../src/index.ts';
import { recording } from '../recordings.ts';

const long = (length: number): string => 'a'.repeat(length);

describe('names', () => {
  const table: readonly (readonly [NameCheck, readonly string[], readonly string[]])[] = [
    [dns1123LabelProblems, ['a', 'a-b', '0', long(63)], ['', 'A', 'a.b', '-a', 'a-', 'a_b', 'a\n', long(64)]],
    [
      dns1123SubdomainProblems,
      ['a', 'a.b', '0.1', long(253)],
      ['', '.a', 'a.', 'a..b', 'A', 'a.-b', long(254)],
    ],
    [dns1035LabelProblems, ['a', 'a-0', long(63)], ['', '0a', 'a-', long(64)]],
    [labelValueProblems, ['', 'A', 'a_b.c-d', long(63)], ['-', 'a b', 'a.', long(64)]],
    [
      qualifiedNameProblems,
      ['a', 'A_b.c', 'example.com/a', long(63)],
      ['', 'a b', '/a', 'a/', 'a/b/c', 'Ex.com/a', long(64)],
    ],
    [configKeyProblems, ['a', 'A_b.c-d', '.a'], ['', '.', '..', '..a', 'a b', long(254)]],
    [pathSegmentProblems, ['a', 'system:node', '...'], ['.', '..', 'a/b', 'a%']],
  ];
  for (const [check, good, bad] of table) {
    it(check.name, () => {
      for (const name of good) assert.deepEqual(check(name), [], JSON.stringify(name));
      for (const name of bad) assert.notDeepEqual(check(name), [], JSON.stringify(name));
    });
  }

  it("say what is wrong in the API server's words", () => {
    const { body } = recording('crud', 'configmap-invalid-many').response;
    const { causes } = (body as { details: { causes: { message: string; field: string }[] } }).details;
    const said = (check: NameCheck, name: string): string[] =>
      check(name).map((problem) => `Invalid value: "${name}": ${problem}`);
    const expected = causes.filter(({ field }) => !/^metadata\.(ownerReferences|finalizers)/.test(field));
    assert.deepEqual(
      expected.map(({ message }) => message),
      [
        ...said(dns1123SubdomainProblems, 'Bad_Name'),
        ...said(qualifiedNameProblems, 'bad key!'),
        ...said(labelValueProblems, 'bad value!'),
        ...said(qualifiedNameProblems, 'a/b/c'),
        ...said(configKeyProblems, 'bad key'),
      ],
    );
  });

  it('generated ones fit, and may start from a prefix that ends in a dash', () => {
    const random = seededRandom(1);
    assert.match(generateName('a-', random), /^a-[bcdfghjklmnpqrstvwxz2-9]{5}$/);
    assert.equal(generateName(long(100), random).length, 63);
    assert.notEqual(generateName('a', random), generateName('a', random));
    assert.deepEqual(generateNameProblems('a-', dns1123LabelProblems), []);
    assert.notDeepEqual(generateNameProblems('A-', dns1123LabelProblems), []);
    assert.notDeepEqual(generateNameProblems('-', dns1123LabelProblems), []);
  });
});
