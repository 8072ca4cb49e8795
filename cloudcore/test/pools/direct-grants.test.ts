import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { DirectGrants } from '../../src/pools/direct-grants.ts';
import { poolTimes } from '../../src/pools/pool-times.ts';
import { Refusal } from '../../src/upstream/outcome.ts';

describe('grants to go without a leader', () => {
  const make = (
    random = 0.5,
  ): { readonly clock: FakeClock; readonly grants: DirectGrants; readonly ended: string[] } => {
    const clock = new FakeClock();
    const ended: string[] = [];
    const grants = new DirectGrants({
      ...{ clock, times: poolTimes(5), random: { next: () => random } },
      onEnded: (pool, node) => ended.push(`${pool}/${node}`),
    });
    return { clock, grants, ended };
  };
  const isFull = (error: unknown): boolean =>
    error instanceof Refusal && error.status === 429 && (error.retryAfterMs ?? 0) >= 15_000;

  it('are for a tenth of a pool at a time, and for one at least', () => {
    const { grants } = make();
    for (const members of [1, 2, 19]) {
      const small = `pool-of-${members}`;
      grants.grant(small, `first-${members}`, members);
      assert.throws(() => grants.grant(small, 'another', members), isFull);
    }
    for (const index of [0, 1, 2]) grants.grant('large', `node-${index}`, 39);
    assert.throws(() => grants.grant('large', 'node-3', 39), isFull);
    assert.equal(grants.size, 6);
    grants.end('node-1');
    grants.grant('large', 'node-3', 39);
    grants.stop();
  });

  it('begin at a moment of their own within half a minute, and not before', async () => {
    for (const [random, afterMs] of [
      [0, 0],
      [0.5, 15_000],
      [0.9999999, 30_000],
    ] as const) {
      const { grants, clock } = make(random);
      assert.deepEqual(grants.grant('shop', 'a', 5), { afterMs, forMs: 300_000 });
      assert.equal(grants.allows('shop', 'a'), afterMs === 0);
      await clock.advance(afterMs);
      assert.equal(grants.allows('shop', 'a'), true);
      assert.equal(grants.allows('other', 'a'), false);
      grants.stop();
    }
  });

  it('go on when they are asked for again, and end when they are not', async () => {
    const { grants, clock, ended } = make();
    grants.grant('shop', 'a', 5);
    await clock.advance(250_000);
    assert.deepEqual(grants.grant('shop', 'a', 5), { afterMs: 0, forMs: 300_000 });
    await clock.advance(299_999);
    assert.deepEqual(ended, []);
    await clock.advance(1);
    assert.deepEqual(ended, ['shop/a']);
    assert.equal(grants.allows('shop', 'a'), false);
    grants.grant('shop', 'b', 5);
    grants.end('b');
    grants.end('b');
    assert.deepEqual(ended, ['shop/a', 'shop/b']);
  });

  it('have neither bound nor wait in a pool that nobody leads', () => {
    const { grants } = make();
    for (const node of ['a', 'b', 'c']) assert.equal(grants.grant('shop', node, Infinity).afterMs, 0);
    assert.equal(grants.allows('shop', 'c'), true);
    grants.stop();
  });
});
