import assert from 'node:assert/strict';
import { planReads, type Wanted } from '../src/read-plan.ts';

type Named = Wanted & { readonly name?: string };

function plan(
  wanted: readonly Named[],
  options: { most?: number; maxGap?: number; bad?: Named; cut?: Named } = {},
): (readonly [number, number])[] {
  const { most = 125, maxGap = 0, bad, cut } = options;
  return planReads(wanted, {
    most,
    maxGap,
    isBad: (one) => one === bad,
    isCut: (one) => one === cut,
  }).map(({ start, count }) => [start, count] as const);
}

const at = (start: number, count = 1): Named => ({ start, count });

describe('read plan', () => {
  it('joins what is adjacent, in any order', () => {
    assert.deepEqual(plan([at(4, 2), at(0, 2), at(2, 2)]), [[0, 6]]);
  });

  it('reads 200 registers in two requests', () => {
    const wanted = Array.from({ length: 200 }, (_, start) => at(start));
    assert.deepEqual(plan(wanted), [
      [0, 125],
      [125, 75],
    ]);
  });

  it('never parts a value', () => {
    const wanted = Array.from({ length: 63 }, (_, index) => at(2 * index, 2));
    assert.deepEqual(plan(wanted), [
      [0, 124],
      [124, 2],
    ]);
  });

  it('reads across small gaps only', () => {
    assert.deepEqual(plan([at(0), at(9)], { maxGap: 8 }), [[0, 10]]);
    assert.deepEqual(plan([at(0), at(10)], { maxGap: 8 }), [
      [0, 1],
      [10, 1],
    ]);
    assert.deepEqual(plan([at(0), at(2)]), [
      [0, 1],
      [2, 1],
    ]);
  });

  it('reads once what several want', () => {
    assert.deepEqual(plan([at(0, 4), at(1), at(1), at(2, 6)]), [[0, 8]]);
  });

  it('reads neither what is bad nor across it', () => {
    const bad = at(1);
    assert.deepEqual(plan([at(0), bad, at(2)], { maxGap: 8, bad }), [
      [0, 1],
      [2, 1],
    ]);
  });

  it('parts where it is told to', () => {
    const cut = at(2);
    assert.deepEqual(plan([at(0), at(1), cut, at(3)], { cut }), [
      [0, 2],
      [2, 2],
    ]);
  });
});
