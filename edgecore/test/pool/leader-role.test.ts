import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import type { Contender } from '../../src/pool/leader-order.ts';
import { LeaderRole, type LeaderCircumstances } from '../../src/pool/leader-role.ts';
import { poolTimes } from '../../src/pool/pool-times.ts';

const MINE: Contender = {
  ...{ node: 'n1', epoch: 3, provisional: false },
  ...{ complete: true, version: '7', heardByCloud: true },
};

/** The hub is heard, and has appointed nobody. */
const NOBODY: LeaderCircumstances = {
  appointed: { leader: '', endpoint: '', epoch: 3 },
  ...{ asked: undefined, fresh: true, mayLead: true, isElected: false },
  mine: () => MINE,
  leaders: () => [],
};
const APPOINTED = { leader: 'n1', endpoint: 'n1.lan:1', epoch: 3 };
const OTHER = { leader: 'n2', endpoint: 'n2.lan:1', epoch: 3 };
const STOPPING = { by: 'n2', stopping: true, untilMs: Infinity };

describe('Whether a member leads', () => {
  let clock: FakeClock;
  let role: LeaderRole;

  beforeEach(() => {
    clock = new FakeClock();
    role = new LeaderRole({ node: 'n1', times: () => poolTimes(), clock });
  });

  for (const [what, more, expected] of [
    ['nobody has said so', {}, undefined],
    ['the hub has appointed it', { appointed: APPOINTED }, false],
    ['the hub has appointed another one', { appointed: OTHER, asked: STOPPING, isElected: true }, undefined],
    ['it may not', { appointed: APPOINTED, mayLead: false, isElected: true }, undefined],
    ['it was appointed, and hears no hub', { appointed: APPOINTED, fresh: false }, undefined],
    ['one that stops hands over, without a hub', { appointed: OTHER, fresh: false, asked: STOPPING }, true],
    [
      'one that goes on asks it to claim, without a hub',
      { fresh: false, asked: { ...STOPPING, stopping: false } },
      undefined,
    ],
    ['the pool has chosen it', { appointed: OTHER, fresh: false, isElected: true }, true],
    ['the pool has chosen whom the hub had', { appointed: APPOINTED, fresh: false, isElected: true }, false],
  ] as const)
    it(`where ${what}: ${expected === undefined ? 'no' : expected ? 'provisionally' : 'yes'}`, () => {
      assert.equal(role.whyBegin({ ...NOBODY, ...more })?.provisional, expected);
    });

  it('not again at once, and says for a moment to whom it has given way', async () => {
    const { rankMs, returnMs } = poolTimes();
    const mine = { ...NOBODY, appointed: APPOINTED };
    role.begin(3, false);
    assert.equal(role.whyBegin(mine), undefined, 'it leads already');
    const end = role.whyNot({ ...NOBODY, appointed: { ...OTHER, epoch: 4 } });
    assert.equal(end?.to, 'n2');
    assert.equal(role.successor, '');
    assert.equal(role.end(end.to), clock.monotonicMs() + rankMs);
    assert.equal(role.whyBegin(mine), undefined);
    await clock.advance(rankMs);
    assert.equal(role.whyBegin(mine)?.provisional, false);
    assert.equal(role.successor, 'n2');
    await clock.advance(returnMs - rankMs);
    assert.equal(role.successor, '');
  });

  it('not by the epoch in which the hub has ended it, for a moment', async () => {
    const mine = { ...NOBODY, appointed: APPOINTED };
    role.depose(3);
    assert.equal(role.whyBegin(mine), undefined);
    assert.equal(role.whyBegin({ ...mine, appointed: { ...APPOINTED, epoch: 4 } })?.provisional, false);
    await clock.advance(poolTimes().returnMs);
    assert.equal(role.whyBegin(mine)?.provisional, false);
  });
});
