import assert from 'node:assert/strict';
import { systemRandom } from '@hawser/seams';
import { FakeClock, within } from '@hawser/seams/testing';
import { drainSessions } from '../../src/sessions/drain.ts';

describe('drainSessions', () => {
  function given(count: number): {
    ended: number[];
    sessions: { close: (reason: { code: string; retryAfterMs?: number }) => Promise<void> }[];
  } {
    const ended: number[] = [];
    const sessions = Array.from({ length: count }, (_, index) => ({
      close: (reason: { code: string; retryAfterMs?: number }) => {
        assert.equal(reason.code, 'going-away');
        assert.equal(reason.retryAfterMs, undefined, 'they may come back at once');
        ended.push(index);
        return Promise.resolve();
      },
    }));
    return { ended, sessions };
  }

  it('ends them evenly over the time, in no order', async () => {
    const clock = new FakeClock();
    const { ended, sessions } = given(100);
    const { signal } = new AbortController();
    const draining = drainSessions({ sessions, overMs: 10_000, clock, random: systemRandom, signal });
    const seen: number[] = [];
    for (let second = 0; second < 10; second++) {
      await clock.advance(1_000);
      seen.push(ended.length);
    }
    await within('the end', draining, 1_000);
    for (const [second, count] of seen.entries()) {
      assert.ok(Math.abs(count - (second + 1) * 10) <= 1, `${count} after ${second + 1} s`);
    }
    assert.notDeepEqual(
      ended,
      [...ended].sort((a, b) => a - b),
    );
    assert.equal(new Set(ended).size, 100);
  });

  it('stops where it is when it is told to hurry', async () => {
    const clock = new FakeClock();
    const { ended, sessions } = given(10);
    const hurry = new AbortController();
    const draining = drainSessions({
      ...{ sessions, overMs: 10_000, clock, random: systemRandom, signal: hurry.signal },
    });
    await clock.advance(2_500);
    hurry.abort(new Error('enough'));
    await assert.rejects(within('the end', draining, 1_000), /enough/);
    assert.equal(ended.length, 3);
  });

  it('has nothing to do without sessions, and waits for the last one to end', async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    const options = { overMs: 10_000, clock, random: systemRandom, signal };
    await within('the end', drainSessions({ ...options, sessions: [] }), 1_000);
    let release = (): void => assert.fail('never asked to end');
    const slow = { close: () => new Promise<void>((resolve) => (release = resolve)) };
    let over = false;
    const draining = drainSessions({ ...options, sessions: [slow] }).then(() => (over = true));
    await clock.advance(20_000);
    assert.equal(over, false);
    release();
    await within('the end', draining, 1_000);
  });
});
