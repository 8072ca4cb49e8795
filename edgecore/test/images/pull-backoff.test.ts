import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { durationText } from '../../src/images/duration-text.ts';
import { PullBackoff } from '../../src/images/pull-backoff.ts';

describe('PullBackoff', () => {
  let clock: FakeClock;
  let backoff: PullBackoff;

  beforeEach(() => {
    clock = new FakeClock();
    backoff = new PullBackoff(clock);
  });

  it('doubles from 10 seconds to 5 minutes', async () => {
    const waits: number[] = [];
    for (let index = 0; index < 7; index++) {
      backoff.failed('a', 'no');
      waits.push(backoff.waitMs('a') / 1000);
      await clock.advance(backoff.waitMs('a'));
    }
    assert.deepEqual(waits, [10, 20, 40, 80, 160, 300, 300]);
  });

  it('says what failed while it waits, and no longer', async () => {
    backoff.failed('a', 'no');
    await clock.advance(9_999);
    assert.equal(backoff.waiting('a'), 'no');
    assert.equal(backoff.waiting('b'), undefined);
    await clock.advance(1);
    assert.equal(backoff.waiting('a'), undefined);
  });

  it('begins anew after a success, and after ten quiet minutes', async () => {
    backoff.failed('a', 'no');
    backoff.failed('a', 'no');
    backoff.succeeded('a');
    assert.equal(backoff.waitMs('a'), 0);
    backoff.failed('a', 'no');
    backoff.failed('a', 'no');
    await clock.advance(600_001);
    backoff.failed('a', 'no');
    assert.equal(backoff.waitMs('a'), 10_000);
  });

  it('remembers a bounded number', () => {
    for (let index = 0; index <= 1024; index++) backoff.failed(String(index), 'no');
    assert.equal(backoff.waitMs('0'), 0);
    assert.equal(backoff.waitMs('1'), 10_000);
  });
});

describe('durationText', () => {
  const cases: readonly (readonly [ms: number, text: string])[] = [
    [0, '0s'],
    [0.9, '0s'],
    [313.7, '313ms'],
    [1_000, '1s'],
    [1_594, '1.594s'],
    [60_000, '1m0s'],
    [123_500, '2m3.5s'],
    [3_723_004, '1h2m3.004s'],
  ];
  for (const [ms, text] of cases) it(`${ms} ms are ${text}`, () => assert.equal(durationText(ms), text));
});
