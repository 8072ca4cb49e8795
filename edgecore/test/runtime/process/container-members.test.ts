import assert from 'node:assert/strict';
import { sessionMembers } from '../../../src/runtime/process/container-members.ts';
import type { ProcessStat } from '../../../src/runtime/process/process-stat.ts';

function stat(pid: number, session: number, began: string): ProcessStat {
  return { pid, parent: 1, session, began, ticks: 0 };
}

describe('the processes of a container', () => {
  const main = { pid: 100, began: '5000' };

  it('are those of its session, whether its first one is there or not', () => {
    const all = [stat(100, 100, '5000'), stat(101, 100, '5001'), stat(7, 7, '1')];
    assert.deepEqual(
      sessionMembers(all, main).map(({ pid }) => pid),
      [100, 101],
    );
    assert.deepEqual(
      sessionMembers(all.slice(1), main).map(({ pid }) => pid),
      [101],
    );
  });

  it('are none where another process has the number by now', () => {
    const all = [stat(100, 100, '9000'), stat(101, 100, '9001')];
    assert.deepEqual(sessionMembers(all, main), []);
  });
});
