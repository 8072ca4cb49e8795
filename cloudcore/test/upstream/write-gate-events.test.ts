import assert from 'node:assert/strict';
import { deferred, seededRandom, type Deferred } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import type { UpstreamOutcome } from '../../src/upstream/upstream-handler.ts';
import { WRITE_LIMITS, WriteGate, type WriteLimits } from '../../src/upstream/write-gate.ts';

const DONE = { status: 0 };

describe('Messages of a node that nobody acts upon', () => {
  let clock: FakeClock;
  let gate: WriteGate;
  let order: string[];

  function open(limits: Partial<WriteLimits>): void {
    gate = new WriteGate({ ...WRITE_LIMITS, ...limits }, clock, seededRandom(1));
    gate.start();
  }

  function run(
    name: string,
    givesWay: boolean,
    work = (): Promise<UpstreamOutcome> => Promise.resolve(DONE),
  ): void {
    const job = { signal: new AbortController().signal, sizeBytes: 100, givesWay };
    const begin = (): Promise<UpstreamOutcome> => {
      order.push(name);
      return work();
    };
    gate.run('a', { ...job, work: begin }).catch(() => order.push(`${name} refused`));
  }

  const count = (name: string): number => order.filter((each) => each === name).length;

  beforeEach(() => {
    clock = new FakeClock();
    order = [];
  });
  afterEach(async () => {
    await gate.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('leave half of its burst to the others, and then go at its rate', async () => {
    open({ perNode: { perSecond: 10, burst: 20 }, maxWaitMs: 60_000 });
    for (let n = 0; n < 40; n += 1) run('event', true);
    await clock.advance(0);
    assert.equal(count('event'), 10);
    for (let n = 0; n < 10; n += 1) run('status', false);
    await clock.advance(0);
    assert.equal(count('status'), 10, 'at once: that half of the burst is theirs');
    assert.equal(count('event'), 10);
    await clock.advance(1000);
    assert.equal(count('event'), 10, 'the node has to save for them first');
    await clock.advance(1000);
    assert.equal(count('event'), 20);
  });

  it('go after those of the others that wait, though they came before', async () => {
    open({ perNode: { perSecond: 10, burst: 20 }, maxInFlightPerNode: 1 });
    const first: Deferred<UpstreamOutcome> = deferred();
    run('first', false, () => first.promise);
    await clock.advance(0);
    run('event', true);
    run('status', false);
    run('event', true);
    run('status', false);
    first.resolve(DONE);
    await clock.advance(0);
    assert.deepEqual(order, ['first', 'status', 'status', 'event', 'event']);
  });

  it('are sent back when they have waited too long', async () => {
    open({ perNode: { perSecond: 1, burst: 2 }, maxWaitMs: 2_500 });
    for (let n = 0; n < 2; n += 1) run('status', false);
    run('event', true);
    for (let second = 0; second < 5; second += 1) {
      run('status', false);
      await clock.advance(1000);
    }
    assert.equal(count('status'), 7, 'none of the others waits for it');
    assert.equal(count('event refused'), 1);
  });
});
