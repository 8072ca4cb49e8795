import assert from 'node:assert/strict';
import { expandVariables } from '../../src/containers/expansion.ts';

const VALUES = new Map([
  ['VAR_A', 'A'],
  ['VAR_B', 'B'],
  ['VAR_C', 'C'],
  ['VAR_REF', '$(VAR_A)'],
  ['VAR_EMPTY', ''],
]);

// Source of the cases: Kubernetes, third_party/forked/golang/expansion/expand_test.go.
describe('expandVariables', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['whole string', '$(VAR_A)', 'A'],
    ['repeat', '$(VAR_A)-$(VAR_A)', 'A-A'],
    ['beginning', '$(VAR_A)-1', 'A-1'],
    ['middle', '___$(VAR_B)___', '___B___'],
    ['end', '___$(VAR_C)', '___C'],
    ['compound', '$(VAR_A)_$(VAR_B)_$(VAR_C)', 'A_B_C'],
    ['escape and expand', '$$(VAR_B)_$(VAR_A)', '$(VAR_B)_A'],
    ['compound escape', '$$(VAR_A)_$$(VAR_B)', '$(VAR_A)_$(VAR_B)'],
    ['mixed in escapes', 'f000-$$VAR_A', 'f000-$VAR_A'],
    ['backslash escape ignored', 'foo\\$(VAR_C)bar', 'foo\\Cbar'],
    ['backslashes', 'foo\\\\$(VAR_C)bar', 'foo\\\\Cbar'],
    ['lots of backslashes', 'foo\\\\\\\\$(VAR_A)bar', 'foo\\\\\\\\Abar'],
    ['nested', '$(VAR_A$(VAR_B))', '$(VAR_A$(VAR_B))'],
    ['nested and alone', '$(VAR_A$(VAR_B))-$(VAR_B)', '$(VAR_A$(VAR_B))-B'],
    ['of a reference, not again', '$(VAR_REF)', '$(VAR_A)'],
    ['of an empty value', 'foo$(VAR_EMPTY)bar', 'foobar'],
    ['operator alone', '$VAR_A', '$VAR_A'],
    ['unknown', '$(VAR_X)-$(VAR_A)', '$(VAR_X)-A'],
    ['even number of operators', '$$$$$$(BIG_MONEY)', '$$$(BIG_MONEY)'],
    ['odd number of operators', '$$$$$$$(VAR_A)', '$$$A'],
    ['missing closer', '$(VAR_A', '$(VAR_A'],
    ['missing closer, then escape', '$(VAR_A $$', '$(VAR_A $'],
    ['many missing closers', '$$$(VAR_A$$$$(VAR_B$$$', '$$(VAR_A$$(VAR_B$$'],
    ['operator at the end', 'foo$', 'foo$'],
    ['operators at the end', 'foo$$', 'foo$'],
    ['empty reference', '$()', '$()'],
    ['over lines', '$(VAR\n_A) $(VAR_A)\n', '$(VAR\n_A) A\n'],
    ['a dollar that is a value of replace', '$& $1 $(VAR_A)', '$& $1 A'],
    ['nothing', '', ''],
  ];
  for (const [what, text, expected] of cases) {
    it(what, () => assert.equal(expandVariables(text, VALUES), expected));
  }
});
