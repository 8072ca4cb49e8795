import assert from 'node:assert/strict';
import { delay, systemClock } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { processLoad } from '../../src/probes/own-load.ts';
import { DeadlineError, HeldUpError, withDeadline } from '../../src/probes/probe-deadline.ts';

/** Resolves never; rejects with the reason of its signal. */
const waits = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('withDeadline', () => {
  const idle = (): number => 0;
  const { signal } = new AbortController();

  it('gives what comes in time', async () => {
    const clock = new FakeClock();
    const options = { timeoutMs: 1_000, clock, load: idle, signal };
    assert.equal(await withDeadline(options, () => Promise.resolve(7)), 7);
    assert.equal(clock.pendingTimers, 0);
  });

  it('ends what is not there in time', async () => {
    const clock = new FakeClock();
    const outcome = assert.rejects(
      withDeadline({ timeoutMs: 1_000, clock, load: idle, signal }, waits),
      (error) => error instanceof DeadlineError && error.timeoutMs === 1_000,
    );
    await clock.advance(999);
    assert.equal(clock.pendingTimers, 1);
    await clock.advance(1);
    await outcome;
    assert.equal(clock.pendingTimers, 0);
  });

  it('adds the time in which this process was busy', async () => {
    const clock = new FakeClock();
    let busyMs = 100;
    const outcome = assert.rejects(
      withDeadline({ timeoutMs: 1_000, clock, load: () => busyMs, signal }, waits),
      DeadlineError,
    );
    await clock.advance(500);
    busyMs += 700;
    await clock.advance(1_199);
    assert.equal(clock.pendingTimers, 1);
    await clock.advance(2);
    await outcome;
  });

  it('does not know who was late when this process was busy all the time', async () => {
    const clock = new FakeClock();
    const outcome = assert.rejects(
      withDeadline({ timeoutMs: 1_000, clock, load: () => clock.monotonicMs(), signal }, waits),
      HeldUpError,
    );
    for (let second = 0; second < 10; second++) await clock.advance(1_000);
    await outcome;
    assert.equal(clock.pendingTimers, 0);
  });

  it('takes an answer that came while the loop was blocked', async () => {
    const options = { timeoutMs: 100, clock: systemClock, load: processLoad, signal };
    const value = await withDeadline(options, async (given) => {
      const answer = delay(60, { signal: given }).then(() => delay(30, { signal: given }));
      const until = performance.now() + 400;
      while (performance.now() < until); // what a large JSON does
      await answer;
      return 'in time';
    });
    assert.equal(value, 'in time');
  });

  it('ends at once with the reason of its signal', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const clock = new FakeClock();
    const outcome = assert.rejects(
      withDeadline({ timeoutMs: 1_000, clock, load: idle, signal: stop.signal }, waits),
      reason,
    );
    stop.abort(reason);
    await outcome;
    await assert.rejects(
      withDeadline({ timeoutMs: 1_000, clock, load: idle, signal: stop.signal }, waits),
      reason,
    );
    assert.equal(clock.pendingTimers, 0);
  });
});
