import assert from 'node:assert/strict';
import { ProbeTally } from '../../src/probes/probe-tally.ts';

describe('ProbeTally', () => {
  // Results as they come (+ passed, - failed), and what counts after each of them (+, -, ? for not known).
  const table: [
    what: string,
    success: number | undefined,
    failure: number | undefined,
    before: boolean | undefined,
    results: string,
    counts: string,
  ][] = [
    [
      'takes one success and three failures where nothing is said',
      undefined,
      undefined,
      true,
      '---+--+---',
      '++-++++++-',
    ],
    ['knows nothing until a threshold is reached', 1, 3, undefined, '--+', '??+'],
    ['begins with what was before', 2, 2, false, '+-++', '---+'],
    ['begins to count anew with each change', 2, 2, true, '-+-+--', '+++++-'],
    ['goes at once where one is enough', 1, 1, true, '-+-', '-+-'],
    ['stays with what it has', 3, 3, undefined, '+++---', '??+++-'],
  ];
  for (const [what, successThreshold, failureThreshold, before, results, counts] of table) {
    it(what, () => {
      const probe = {
        ...(successThreshold !== undefined && { successThreshold }),
        ...(failureThreshold !== undefined && { failureThreshold }),
      };
      const tally = new ProbeTally(probe, before);
      let last = before;
      let said = '';
      for (const result of results) {
        const isNew = tally.record(result === '+');
        assert.equal(isNew, tally.passes !== last);
        last = tally.passes;
        said += last === undefined ? '?' : last ? '+' : '-';
      }
      assert.equal(said, counts);
    });
  }
});
