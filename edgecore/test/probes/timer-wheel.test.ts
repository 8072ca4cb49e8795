import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { TimerWheel } from '../../src/probes/timer-wheel.ts';

describe('TimerWheel', () => {
  it('calls each one when it is due or up to 100 ms later, over one timer', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const random = seededRandom(7);
    const errors: number[] = [];
    let cancelled = 0;
    await clock.advance(12_345);
    for (let index = 0; index < 2_000; index++) {
      const dueMs = clock.monotonicMs() + random.next() * 200_000; // up to three turns of the wheel
      const timer = wheel.set(dueMs - clock.monotonicMs(), () => errors.push(clock.monotonicMs() - dueMs));
      if (index % 10 === 0) {
        timer.cancel();
        timer.cancel();
        cancelled += 1;
      }
      if (index % 100 === 0) await clock.advance(random.next() * 500);
      assert.ok(clock.pendingTimers <= 1);
    }
    await clock.advance(300_000);
    assert.equal(errors.length, 2_000 - cancelled);
    assert.ok(
      errors.every((error) => error >= 0 && error <= 101),
      String(Math.max(...errors)),
    );
    assert.equal(wheel.size, 0);
    assert.equal(clock.pendingTimers, 0);
  });

  it('lets what it calls set and cancel others', async () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const calls: number[] = [];
    const again = (): void => {
      calls.push(clock.monotonicMs());
      if (calls.length < 5) wheel.set(1_000, again);
    };
    wheel.set(0, again);
    const other = wheel.set(2_500, () => assert.fail('it was cancelled'));
    wheel.set(2_400, () => other.cancel());
    await clock.advance(10_000);
    assert.deepEqual(calls, [0, 1_000, 2_000, 3_000, 4_000]);
    assert.equal(clock.pendingTimers, 0);
  });

  it('calls all that was due while the process stood still', async () => {
    // A clock whose timers come late, as after a machine that slept.
    let nowMs = 0;
    let fire: (() => void) | undefined;
    const clock = {
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      setTimer: (_delayMs: number, callback: () => void) => {
        fire = callback;
        return { cancel: () => (fire = undefined) };
      },
    };
    const wheel = new TimerWheel(clock);
    const called: number[] = [];
    for (const delayMs of [100, 5_000, 59_000, 61_000, 500_000, 900_000])
      wheel.set(delayMs, () => called.push(delayMs));
    nowMs = 600_000;
    fire?.();
    assert.deepEqual(
      called.sort((a, b) => a - b),
      [100, 5_000, 59_000, 61_000, 500_000],
    );
    await Promise.resolve();
    assert.equal(wheel.size, 1);
  });
});
