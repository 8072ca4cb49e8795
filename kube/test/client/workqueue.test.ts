import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { deferred, randomBelow, seededRandom } from '@hawser/seams';
import { FakeClock, within } from '@hawser/seams/testing';
import {
  BucketLimiter,
  FailureLimiter,
  MaxLimiter,
  Workqueue,
  workqueueMetrics,
  type WorkqueueOptions,
} from '../../src/index.ts';
import { DelayHeap } from '../../src/client/delay-heap.ts';

describe('Workqueue', () => {
  let clock: FakeClock;
  beforeEach(() => (clock = new FakeClock()));
  afterEach(() => assert.equal(clock.pendingTimers, 0));

  const make = (options: Partial<WorkqueueOptions<string>> = {}): Workqueue =>
    new Workqueue({ name: 'test', clock, ...options });

  it('hands keys out in order, each once however often it was added', async () => {
    const queue = make();
    for (const key of ['a', 'b', 'a', 'c', 'b', 'a']) queue.add(key);
    assert.equal(queue.depth, 3);
    assert.deepEqual([await queue.next(), await queue.next(), await queue.next()], ['a', 'b', 'c']);
    assert.equal(queue.depth, 0);
    assert.equal(queue.processing, 3);
  });

  it('never gives a key to two workers; what is added meanwhile comes afterwards, once', async () => {
    const queue = make();
    queue.add('a');
    await queue.next();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    assert.equal(queue.depth, 1);
    assert.equal(await queue.next(), 'b');
    queue.done('a');
    assert.equal(await queue.next(), 'a');
    queue.done('a');
    queue.done('a');
    assert.equal(queue.depth, 0);
  });

  it('wakes waiting workers, the first first', async () => {
    const queue = make();
    const got: string[] = [];
    const workers = [1, 2].map(async (worker) => got.push(`${worker}${await queue.next()}`));
    queue.add('a');
    queue.add('b');
    await Promise.all(workers);
    assert.deepEqual(got, ['1a', '2b']);
  });

  it('adds after a delay, the earliest of several counts', async () => {
    const queue = make();
    queue.addAfter('a', 500);
    queue.addAfter('b', 200);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    queue.addAfter('now', 0);
    assert.equal(queue.delayed, 2);
    assert.equal(await queue.next(), 'now');
    await clock.advance(99);
    assert.equal(queue.depth, 0);
    await clock.advance(1);
    assert.equal(await queue.next(), 'a');
    await clock.advance(100);
    assert.equal(await queue.next(), 'b');
    queue.done('a');
    await clock.advance(10_000);
    assert.equal(queue.depth, 0, 'the later times of a are superseded');
  });

  it('retries later and later, until the key is forgotten', async () => {
    const queue = make({ rateLimiter: new FailureLimiter({ baseMs: 10, capMs: 50 }) });
    const gaps: number[] = [];
    for (let i = 0; i < 5; i++) {
      if (i === 4) queue.forget('a');
      const before = clock.monotonicMs();
      queue.addRateLimited('a');
      while (queue.depth === 0) await clock.advance(1);
      gaps.push(clock.monotonicMs() - before);
      await queue.next();
      queue.done('a');
    }
    assert.deepEqual(gaps, [10, 20, 40, 50, 10]);
    assert.equal(queue.failures('a'), 1);
  });

  it('refuses new keys above its limit, and only those', async () => {
    const queue = make({ limitKeys: 3 });
    queue.add('a');
    await queue.next();
    queue.add('b');
    queue.addAfter('c', 100);
    assert.throws(() => queue.add('d'), { code: 'ERR_KUBE_CLIENT_FULL', about: 'd' });
    assert.throws(() => queue.addAfter('d', 5), { code: 'ERR_KUBE_CLIENT_FULL' });
    for (const known of ['a', 'b', 'c']) queue.add(known);
    queue.done('a');
    await queue.shutDown();
  });

  it('shut down with drain hands out what is queued and waits for the work', async () => {
    const queue = make();
    queue.add('a');
    queue.add('b');
    queue.addAfter('delayed', 100);
    const working = await queue.next();
    queue.add('a');
    let drained = false;
    const draining = queue.shutDown({ drain: true }).then(() => (drained = true));
    queue.add('late');
    queue.addAfter('late', 1);
    queue.addRateLimited('late');
    assert.equal(await queue.next(), 'b');
    queue.done('b');
    await clock.advance(0);
    assert.equal(drained, false);
    queue.done(working ?? '');
    assert.equal(await queue.next(), 'a', 'added again before the shutdown');
    await clock.advance(1000);
    assert.equal(drained, false);
    queue.done('a');
    await within('drain', draining);
    assert.equal(await queue.next(), undefined);
  });

  it('shut down without drain drops what is queued and lets idle workers go', async () => {
    const queue = make();
    const idle = queue.next();
    queue.add('a');
    const second = queue.next();
    assert.equal(await idle, 'a');
    queue.add('a');
    queue.add('b');
    assert.equal(await second, 'b');
    queue.add('c');
    let down = false;
    const ending = queue.shutDown().then(() => (down = true));
    assert.equal(await queue.next(), undefined);
    queue.done('a');
    await clock.advance(0);
    assert.equal(down, false, 'b is still being worked on');
    queue.done('b');
    await within('the end', ending);
    await within('again', queue.shutDown());
  });

  it('measures', async () => {
    const registry = new Registry();
    const queue = make({ metrics: workqueueMetrics(registry), rateLimiter: new FailureLimiter() });
    for (const key of ['a', 'b', 'a']) queue.add(key);
    await clock.advance(2000);
    await queue.next();
    await clock.advance(500);
    queue.done('a');
    queue.addRateLimited('c');
    const text = await registry.metrics();
    for (const line of [
      'workqueue_depth{name="test"} 1',
      'workqueue_adds_total{name="test"} 2',
      'workqueue_retries_total{name="test"} 1',
      'workqueue_queue_duration_seconds_sum{name="test"} 2',
      'workqueue_work_duration_seconds_sum{name="test"} 0.5',
    ]) {
      assert.ok(text.includes(line), `${line} in\n${text}`);
    }
    await queue.shutDown();
  });

  it('works on every key that was ever added, one worker at a time for each: random', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const queue = make({ rateLimiter: new FailureLimiter({ baseMs: 3, capMs: 20 }) });
      const wanted = new Map<string, number>();
      const seen = new Map<string, number>();
      const busy = new Set<string>();
      const worker = async (): Promise<void> => {
        for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
          assert.ok(!busy.has(key), `seed ${seed}: two workers at ${key}`);
          busy.add(key);
          seen.set(key, wanted.get(key) ?? 0); // reads the present state, as a reconcile does
          const work = deferred<undefined>();
          clock.setTimer(random.next() * 10, () => work.resolve(undefined));
          await work.promise;
          busy.delete(key);
          if (random.next() < 0.3) queue.addRateLimited(key);
          else queue.forget(key);
          queue.done(key);
        }
      };
      const workers = [worker(), worker(), worker()];
      for (let i = 0; i < 100; i++) {
        const key = `k${randomBelow(random, 8)}`;
        wanted.set(key, i);
        if (random.next() < 0.5) queue.add(key);
        else queue.addAfter(key, random.next() * 20);
        await clock.advance(random.next() * 4);
      }
      await clock.advance(5000);
      assert.deepEqual([...seen].sort(), [...wanted].sort(), `seed ${seed}: the last state was not seen`);
      await queue.shutDown();
      await Promise.all(workers);
    }
  });
});

describe('rate limiters', () => {
  it('a bucket lets a burst through, then so many a second', async () => {
    const clock = new FakeClock();
    const bucket = new BucketLimiter<string>({ perSecond: 10, burst: 3, clock });
    const waits = Array.from({ length: 6 }, () => Math.round(bucket.whenMs()));
    assert.deepEqual(waits, [0, 0, 0, 100, 200, 300]);
    await clock.advance(10_000);
    assert.deepEqual(
      Array.from({ length: 4 }, () => Math.round(bucket.whenMs())),
      [0, 0, 0, 100],
      'no more than the burst is saved up',
    );
    assert.equal(bucket.failures(), 0);
  });

  it('failures stay finite, and keys apart', () => {
    const limiter = new FailureLimiter<string>();
    for (let i = 0; i < 5000; i++) limiter.whenMs('a');
    assert.equal(limiter.whenMs('a'), 1_000_000);
    assert.equal(limiter.whenMs('b'), 5);
    limiter.forget('a');
    assert.equal(limiter.failures('a'), 0);
  });

  it('the longest of several counts', () => {
    const limiter = new MaxLimiter<string>(
      new FailureLimiter({ baseMs: 5 }),
      new FailureLimiter({ baseMs: 70, capMs: 70 }),
    );
    const waits = Array.from({ length: 6 }, () => limiter.whenMs('a'));
    assert.deepEqual(waits, [70, 70, 70, 70, 80, 160]);
    assert.equal(limiter.failures('a'), 6);
    limiter.forget('a');
    assert.equal(limiter.failures('a'), 0);
  });
});

describe('DelayHeap', () => {
  it('gives keys in order of their earliest time: random, against a plain map', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = seededRandom(seed);
      const heap = new DelayHeap<number>();
      const model = new Map<number, number>();
      for (let nowMs = 0; nowMs < 3000; nowMs++) {
        const key = randomBelow(random, 50);
        const dueMs = nowMs + randomBelow(random, 300);
        heap.add(key, dueMs);
        if ((model.get(key) ?? Infinity) > dueMs) model.set(key, dueMs);
        assert.equal(heap.nextDueMs(), Math.min(...model.values()));
        for (let due = heap.takeDue(nowMs); due !== undefined; due = heap.takeDue(nowMs)) {
          assert.ok((model.get(due.key) ?? Infinity) <= nowMs);
          model.delete(due.key);
        }
        assert.ok([...model.values()].every((due) => due > nowMs));
        assert.equal(heap.size, model.size);
      }
    }
  });
});
