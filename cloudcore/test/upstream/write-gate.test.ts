import assert from 'node:assert/strict';
import { deferred, seededRandom, type Deferred } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { Refusal } from '../../src/upstream/outcome.ts';
import { DEVICE_LIMITS } from '../../src/upstream/upstream-gates.ts';
import type { UpstreamOutcome } from '../../src/upstream/upstream-handler.ts';
import { WRITE_LIMITS, WriteGate, type WriteLimits } from '../../src/upstream/write-gate.ts';

const DONE = { status: 0 };

describe('the gate before the API server', () => {
  let clock: FakeClock;
  let gate: WriteGate;
  let session: AbortController;

  function open(limits: Partial<WriteLimits> = {}): void {
    gate = new WriteGate({ ...WRITE_LIMITS, ...limits }, clock, seededRandom(1));
    gate.start();
  }

  beforeEach(() => {
    clock = new FakeClock();
    session = new AbortController();
  });

  afterEach(async () => {
    await gate.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  function run(
    node: string,
    work: () => Promise<UpstreamOutcome>,
    key?: string,
    sizeBytes = 100,
  ): Promise<UpstreamOutcome> {
    return gate.run(node, { signal: session.signal, sizeBytes, work, ...(key !== undefined && { key }) });
  }

  const instant = (): Promise<UpstreamOutcome> => Promise.resolve(DONE);
  const refusedWith = (status: number) => (error: unknown) =>
    error instanceof Refusal &&
    error.status === status &&
    (status !== 429 || (error.retryAfterMs ?? 0) >= 500);

  it('lets a burst of one node through at once, then its rate', async () => {
    open({ perNode: { perSecond: 10, burst: 5 }, maxWaitMs: 60_000 });
    let done = 0;
    for (let n = 0; n < 25; n += 1) void run('a', instant).then(() => (done += 1));
    await clock.advance(0);
    assert.equal(done, 5);
    await clock.advance(1000);
    assert.equal(done, 15);
    await clock.advance(1000);
    assert.equal(done, 25);
  });

  it('holds all nodes together to their rate', async () => {
    open({ overall: { perSecond: 50, burst: 10 } });
    let done = 0;
    const soFar = (): number => done;
    for (let n = 0; n < 100; n += 1) void run(`node-${n}`, instant).then(() => (done += 1));
    await clock.advance(0);
    assert.equal(soFar(), 10);
    await clock.advance(1000);
    assert.ok(soFar() >= 58 && soFar() <= 60, String(done));
    await clock.advance(1000);
    assert.equal(soFar(), 100);
  });

  it('gives nodes their share when there is not enough for all, and room to those that come later', async () => {
    open({ ...DEVICE_LIMITS, maxWaiting: 100 });
    const done = new Map<string, number>();
    const refused = new Map<string, number>();
    const count = (of: Map<string, number>, node: string): unknown => of.set(node, (of.get(node) ?? 0) + 1);
    const say = (node: string): void => {
      try {
        gate.check(node);
        void run(node, instant).then(
          () => count(done, node),
          () => count(refused, node),
        );
      } catch {
        count(refused, node);
      }
    };
    const busy = Array.from({ length: 20 }, (_, n) => `busy-${n}`);
    let quietSaid = 0;
    // Twenty nodes want 20 a second each, twice of what there is; one wants one a second.
    for (let ms = 0; ms < 20_000; ms += 50) {
      // In the order in which it is worst for the last.
      for (const node of busy) say(node);
      if (ms >= 5000 && ms % 1000 === 0) {
        say('quiet');
        quietSaid += 1;
      }
      await clock.advance(50);
    }
    await clock.advance(5000);
    const shares = busy.map((node) => done.get(node) ?? 0);
    assert.equal(done.get('quiet'), quietSaid);
    assert.equal(refused.get('quiet'), undefined);
    const total = shares.reduce((sum, share) => sum + share, 0);
    assert.ok(total > 20 * 200 && total <= 20 * 200 + 400 + 100, `${total} writes`);
    assert.ok(Math.max(...shares) <= 1.2 * Math.min(...shares), shares.join(' '));
    assert.ok([...refused.values()].length === busy.length, 'what is too much was sent back');
  });

  it('does not let one flooding node starve the others', async () => {
    open({ overall: { perSecond: 10, burst: 1 } });
    const order: string[] = [];
    const say = (node: string): void => {
      void run(node, () => {
        order.push(node);
        return instant();
      }).catch(() => order.push(`${node} refused`));
    };
    for (let n = 0; n < 50; n += 1) say('flood');
    for (const node of ['a', 'b', 'c']) say(node);
    await clock.advance(1000);
    assert.deepEqual(order.filter((node) => node !== 'flood').sort(), ['a', 'b', 'c']);
    assert.ok(order.indexOf('c') < 8, order.join());
  });

  it('works on a bounded number at a time, of each node and of all', async () => {
    open({ maxInFlight: 3, maxInFlightPerNode: 2 });
    const working: Deferred<UpstreamOutcome>[] = [];
    const start = (): Promise<UpstreamOutcome> => {
      const one = deferred<UpstreamOutcome>();
      working.push(one);
      return one.promise;
    };
    const all = ['a', 'a', 'a', 'b', 'b', 'b'].map((node) => run(node, start));
    await clock.advance(10);
    assert.equal(working.length, 3);
    assert.deepEqual({ ...gate.counts, nodes: 0 }, { waiting: 3, inFlight: 3, nodes: 0, superseded: 0 });
    for (let n = 0; n < 6; n += 1) {
      working[n]?.resolve(DONE);
      await clock.advance(10);
    }
    assert.deepEqual(await Promise.all(all), Array(6).fill(DONE));
  });

  it('sends back what is more than a node may have waiting, and what has waited too long', async () => {
    open({ perNode: { perSecond: 1, burst: 1 }, maxWaitingPerNode: 4, maxWaitMs: 2500 });
    const waiting = Array.from({ length: 5 }, () => run('a', instant));
    await assert.rejects(run('a', instant), refusedWith(429));
    assert.deepEqual(await run('b', instant), DONE);
    const outcomes = Promise.allSettled(waiting);
    await clock.advance(10_000);
    const refused = (await outcomes).filter(({ status }) => status === 'rejected');
    assert.ok(refused.length >= 1 && refused.length <= 3, String(refused.length));
    for (const { reason } of refused as PromiseRejectedResult[]) assert.ok(refusedWith(429)(reason));
  });

  it('bounds what waits of all nodes', async () => {
    open({ overall: { perSecond: 1, burst: 1 }, maxWaiting: 10 });
    const ends = Array.from({ length: 20 }, (_, n) =>
      run(`n${n}`, instant).then(
        () => 'done',
        () => 'refused',
      ),
    );
    assert.ok(gate.counts.waiting <= 10);
    await clock.advance(60_000);
    const outcomes = await Promise.all(ends);
    assert.ok(outcomes.filter((outcome) => outcome === 'refused').length >= 10);
  });

  it('bounds the memory that waiting takes, of each node and of all', async () => {
    open({ overall: { perSecond: 10, burst: 1 }, maxWaitingBytes: 1000, maxWaitingBytesPerNode: 400 });
    const sized = (node: string, bytes: number, key?: string): Promise<unknown> =>
      run(node, instant, key, bytes);
    await sized('z', 1);
    const waiting = [sized('a', 100_000, 'k')];
    await assert.rejects(sized('a', 1), refusedWith(429));
    await assert.rejects(sized('b', 1), refusedWith(429));
    // A newer one of the same key takes the older one's place, and its size.
    waiting.push(sized('a', 10, 'k'));
    waiting.push(sized('a', 395), sized('b', 10));
    await assert.rejects(sized('a', 1), refusedWith(429));
    await clock.advance(1000);
    await Promise.all(waiting);
    gate.check('a');
  });

  it('counts what is refused unread, until the node may say nothing any more', async () => {
    open({ perNode: { perSecond: 10, burst: 5 } });
    for (let n = 0; n < 1000; n += 1) gate.charge('a');
    assert.throws(() => gate.check('a'), refusedWith(429));
    gate.check('b');
    await clock.advance(600);
    gate.check('a');
  });

  it('keeps messages with one key apart, and only the latest of those that wait', async () => {
    open();
    const log: string[] = [];
    const first = deferred<UpstreamOutcome>();
    const say = (name: string, hold?: Promise<UpstreamOutcome>): Promise<UpstreamOutcome> =>
      run(
        'a',
        async () => {
          log.push(name);
          return (await hold) ?? { status: 0, message: name };
        },
        'pod/x',
      );
    const one = say('1', first.promise);
    await clock.advance(0);
    const later = ['2', '3', '4'].map((name) => say(name));
    await clock.advance(100);
    assert.deepEqual(log, ['1']);
    first.resolve({ status: 0, message: '1' });
    assert.equal((await one).message, '1');
    await clock.advance(0);
    assert.deepEqual(log, ['1', '4']);
    assert.deepEqual(
      (await Promise.all(later)).map(({ message }) => message),
      ['4', '4', '4'],
    );
    assert.equal(gate.counts.superseded, 2);
  });

  it('gives up what an ended session has left waiting, and takes what the next one says', async () => {
    open({ perNode: { perSecond: 1, burst: 1 } });
    let late = 0;
    await run('a', instant);
    const older = run('a', () => Promise.resolve({ status: (late += 1) }), 'node');
    session.abort();
    session = new AbortController();
    const newer = run('a', instant, 'node');
    await assert.rejects(older, refusedWith(503));
    await clock.advance(1000);
    assert.deepEqual(await newer, DONE);
    assert.equal(late, 0);
  });

  it('sends everything back when it stops, and waits for what is under way', async () => {
    open({ maxInFlight: 1 });
    const working = deferred<UpstreamOutcome>();
    const first = run('a', () => working.promise);
    await clock.advance(0);
    const second = run('a', instant);
    let stopped = false;
    const stopping = gate.stop().then(() => (stopped = true));
    await assert.rejects(second, refusedWith(503));
    await clock.advance(0);
    assert.equal(stopped, false);
    working.resolve(DONE);
    await stopping;
    assert.deepEqual(await first, DONE);
    await assert.rejects(run('a', instant), refusedWith(503));
  });

  it('passes failures on, and goes on', async () => {
    open();
    await assert.rejects(
      run('a', () => Promise.reject(new Error('no'))),
      { message: 'no' },
    );
    assert.deepEqual(await run('a', instant), DONE);
    assert.equal(gate.counts.inFlight, 0);
  });

  it('forgets nodes that it need not know of', async () => {
    open({ perNode: { perSecond: 100, burst: 1 }, overall: { perSecond: 1e6, burst: 1e6 } });
    for (let round = 0; round < 5; round += 1) {
      const names = Array.from({ length: 1000 }, (_, n) => `node-${round}-${n}`);
      const all = Promise.all(names.map((name) => run(name, instant)));
      await clock.advance(10);
      await all;
      await clock.advance(1000);
    }
    assert.ok(gate.counts.nodes <= 2048, String(gate.counts.nodes));
  });
});
