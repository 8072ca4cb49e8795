import assert from 'node:assert/strict';
import { delay, seededRandom, systemClock, randomBelow } from '../src/index.ts';
import { eventually, FakeClock, within } from '../testing/index.ts';

describe('FakeClock', () => {
  it('fires timers in order of due time, those set by callbacks included', async () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    clock.setTimer(20, () => fired.push('b'));
    clock.setTimer(10, () => {
      fired.push('a');
      clock.setTimer(5, () => fired.push('a+5'));
    });
    clock.setTimer(20, () => fired.push('c'));
    clock.setTimer(31, () => fired.push('late'));
    await clock.advance(30);
    assert.deepEqual(fired, ['a', 'a+5', 'b', 'c']);
    assert.equal(clock.pendingTimers, 1);
    assert.equal(clock.monotonicMs(), 30);
  });

  it('keeps monotonic time steady when the wall clock jumps', async () => {
    const clock = new FakeClock({ wallMs: 1000 });
    await clock.advance(5);
    clock.jumpWall(-900);
    assert.equal(clock.wallMs(), 105);
    assert.equal(clock.monotonicMs(), 5);
  });
});

describe('delay', () => {
  it('waits on the clock it was given', async () => {
    const clock = new FakeClock();
    let done = false;
    const waiting = delay(100, { clock }).then(() => (done = true));
    await clock.advance(99);
    assert.equal(done, false);
    await clock.advance(1);
    await waiting;
    assert.equal(done, true);
  });

  it('rejects with the reason of an abort, before and during the wait, and leaves no timer', async () => {
    const clock = new FakeClock();
    const reason = new Error('stopping');
    await assert.rejects(delay(10, { clock, signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = delay(10, { clock, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    assert.equal(clock.pendingTimers, 0);
  });

  it('uses the system clock by default', async () => {
    const before = systemClock.monotonicMs();
    await delay(5);
    assert.ok(systemClock.monotonicMs() - before >= 4);
    assert.ok(Math.abs(systemClock.wallMs() - Date.now()) < 1000);
  });
});

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 8 }, () => randomBelow(random, 1000));
    };
    assert.deepEqual(draw(42), draw(42));
    assert.notDeepEqual(draw(42), draw(43));
  });
});

describe('eventually and within', () => {
  it('fail by name at the deadline', async () => {
    await assert.rejects(
      eventually('the moon is cheese', () => false, { deadlineMs: 20 }),
      /the moon is cheese/,
    );
    await assert.rejects(within('a reply', new Promise(() => {}), 20), /a reply/);
    assert.equal(await within('a value', Promise.resolve(3)), 3);
  });
});
