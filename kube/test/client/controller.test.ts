import assert from 'node:assert/strict';
import { deferred, delay } from '@hawser/seams';
import { FakeClock, within } from '@hawser/seams/testing';
import { Controller, FailureLimiter, type ControllerOptions } from '../../src/index.ts';

describe('Controller', () => {
  let clock: FakeClock;
  let controllers: Controller[];

  beforeEach(() => {
    clock = new FakeClock();
    controllers = [];
  });

  afterEach(async () => {
    for (const controller of controllers) await controller.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  function make(options: Pick<ControllerOptions, 'reconcile'> & Partial<ControllerOptions>): Controller {
    const rateLimiter = new FailureLimiter<string>({ baseMs: 100, capMs: 1000 });
    const controller = new Controller({ name: 'test', clock, rateLimiter, ...options });
    controllers.push(controller);
    return controller;
  }

  it('reconciles each key, retries failures later and later, reports them', async () => {
    const at: [string, number][] = [];
    const errors: string[] = [];
    const controller = make({
      reconcile: (key) => {
        at.push([key, clock.monotonicMs()]);
        const tries = at.filter(([other]) => other === key).length;
        return key === 'bad' && tries < 4 ? Promise.reject(new Error(`try ${tries}`)) : Promise.resolve();
      },
      onError: (error, key, dropped) => errors.push(`${key} ${error.message} ${dropped}`),
    });
    controller.enqueue('good');
    controller.enqueue('bad');
    controller.start();
    controller.start();
    await clock.advance(5000);
    assert.deepEqual(at, [
      ['good', 0],
      ['bad', 0],
      ['bad', 100],
      ['bad', 300],
      ['bad', 700],
    ]);
    assert.deepEqual(errors, ['bad try 1 false', 'bad try 2 false', 'bad try 3 false']);
    assert.equal(controller.queue.failures('bad'), 0);
  });

  it('drops a key after so many failures, until it is added again', async () => {
    const outcomes: boolean[] = [];
    const controller = make({
      maxFailures: 3,
      reconcile: () => Promise.reject(new Error('never')),
      onError: (_error, _key, dropped) => outcomes.push(dropped),
    });
    controller.start();
    controller.enqueue('a');
    await clock.advance(60_000);
    assert.deepEqual(outcomes, [false, false, true]);
    controller.enqueue('a');
    await clock.advance(60_000);
    assert.equal(outcomes.length, 6);
  });

  it('survives a reconcile that throws at once, and one that rejects with nothing', async () => {
    const errors: string[] = [];
    const controller = make({
      maxFailures: 1,
      reconcile: (key) => {
        if (key === 'throws') throw new Error('at once');
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what foreign code may do
        return Promise.reject(undefined);
      },
      onError: (error) => errors.push(error.message),
    });
    controller.start();
    controller.enqueue('throws');
    controller.enqueue('rejects');
    await clock.advance(1);
    assert.deepEqual(errors, ['at once', 'undefined']);
  });

  it('runs so many workers', async () => {
    let atOnce = 0;
    let most = 0;
    const controller = make({
      workers: 3,
      reconcile: async (_key, signal) => {
        most = Math.max(most, ++atOnce);
        await delay(10, { clock, signal });
        atOnce -= 1;
      },
    });
    controller.start();
    for (let i = 0; i < 10; i++) controller.enqueue(`k${i}`);
    await clock.advance(100);
    assert.equal(most, 3);
    assert.equal(atOnce, 0);
  });

  it('looks again when asked to', async () => {
    const at: number[] = [];
    const controller: Controller = make({
      reconcile: (key) => {
        at.push(clock.monotonicMs());
        if (at.length < 3) controller.enqueueAfter(key, 1000);
        return Promise.resolve();
      },
    });
    controller.start();
    controller.enqueue('a');
    await clock.advance(10_000);
    assert.deepEqual(at, [0, 1000, 2000]);
  });

  it('stop aborts what is under way, waits for it, drops the rest, and reports no error', async () => {
    const ended = deferred<undefined>();
    const started: string[] = [];
    const errors: Error[] = [];
    const controller = make({
      reconcile: async (key, signal) => {
        started.push(key);
        await delay(1_000_000, { clock, signal }).catch(() => ended.promise);
        signal.throwIfAborted();
      },
      onError: (error) => errors.push(error),
    });
    controller.start();
    controller.enqueue('a');
    controller.enqueue('b');
    await clock.advance(10);
    let stopped = false;
    const stopping = controller.stop().then(() => (stopped = true));
    await clock.advance(10);
    assert.equal(stopped, false, 'waits for the work');
    ended.resolve(undefined);
    await within('the stop', stopping);
    assert.deepEqual(started, ['a']);
    assert.deepEqual(errors, []);
    controller.enqueue('c');
    controller.start();
    await clock.advance(10);
    assert.deepEqual(started, ['a']);
  });
});
