import assert from 'node:assert/strict';
import { deferred, type Clock } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { SharedRead } from '../../src/cluster/shared-read.ts';
import { StampGuard } from '../../src/cluster/stamp-guard.ts';
import { Stamps } from '../../src/cluster/stamps.ts';

const signal = new AbortController().signal;

class Site {
  readonly clock: Clock & FakeClock = new FakeClock();
  version = '100';
  reads = 0;
  /** Holds every read back while it is set. */
  held: Promise<void> | undefined;
  life = { uid: 'u', incarnation: 'i1' };
  readonly rollbacks: string[] = [];
  readonly stamps = new Stamps({ key: new Uint8Array(32), life: () => this.life, clock: this.clock });
  readonly shared = new SharedRead<string>({
    read: async () => {
      this.reads += 1;
      const { version } = this;
      await this.held;
      return version;
    },
    nowMs: () => this.clock.monotonicMs(),
  });
  readonly guard = new StampGuard({
    stamps: this.stamps,
    currentVersion: (maxAgeMs) => this.shared.get(maxAgeMs),
    onRollback: (reason) => {
      this.rollbacks.push(reason);
      this.life = { ...this.life, incarnation: `i${this.rollbacks.length + 1}` };
      return Promise.resolve();
    },
  });
}

describe('StampGuard', function () {
  it('judges a stamp by what the API server has now', async function () {
    const site = new Site();
    const check = (stamp: Uint8Array): Promise<string> => site.guard.check(stamp, signal);
    assert.equal(await check(new Uint8Array(0)), 'none');
    assert.equal(await check(new Uint8Array(33)), 'foreign');
    assert.equal(site.reads, 0, 'what is no stamp costs no read');
    assert.equal(await check(site.stamps.issue('99')), 'current');
    assert.equal(await check(site.stamps.issue('100')), 'current');
    assert.equal(site.reads, 1);
    assert.equal(await check(site.stamps.issue('101')), 'rollback');
    assert.equal(site.reads, 2, 'a rollback is told only by a fresh read');
  });

  it('compares as numbers, not as text', async function () {
    const site = new Site();
    site.version = '1000';
    assert.equal(await site.guard.check(site.stamps.issue('999'), signal), 'current');
    site.version = '999';
    site.shared.forget();
    assert.equal(await site.guard.check(site.stamps.issue('1000'), signal), 'rollback');
  });

  it('takes a stamp that is newer than its last read for what it is', async function () {
    const site = new Site();
    assert.equal(await site.guard.check(site.stamps.issue('100'), signal), 'current');
    site.version = '120';
    assert.equal(await site.guard.check(site.stamps.issue('110'), signal), 'current');
    assert.equal(site.reads, 2);
  });

  it('serves a thousand edges that come within 20 s with a few reads', async function () {
    const site = new Site();
    const stamp = site.stamps.issue('90');
    for (let edge = 0; edge < 1000; edge += 1) {
      assert.equal(await site.guard.check(stamp, signal), 'current');
      await site.clock.advance(20);
    }
    assert.ok(site.reads <= 2, `${site.reads} reads`);
  });

  it('serves those that come at once with one read', async function () {
    const site = new Site();
    const held = deferred();
    site.held = held.promise;
    const stamp = site.stamps.issue('90');
    const checks = Array.from({ length: 100 }, () => site.guard.check(stamp, signal));
    await site.clock.advance(0);
    held.resolve();
    assert.deepEqual(new Set(await Promise.all(checks)), new Set(['current']));
    assert.equal(site.reads, 1);
  });

  it('begins one new incarnation for all edges that tell of the same rollback', async function () {
    const site = new Site();
    const stamp = site.stamps.issue('500');
    const admissions = await Promise.allSettled(
      Array.from({ length: 50 }, () => site.guard.admit(stamp, signal)),
    );
    assert.equal(site.rollbacks.length, 1);
    assert.match(site.rollbacks[0] ?? '', /at version 100, and was at 500/);
    for (const { status } of admissions) assert.equal(status, 'rejected');
    await assert.rejects(() => Promise.reject((admissions[0] as PromiseRejectedResult).reason as Error), {
      code: 'ERR_CLOUDCORE_ROLLBACK',
    });
    // The stamp is of the life before: it tells nothing any more.
    await site.guard.admit(stamp, signal);
    assert.equal(site.rollbacks.length, 1);
  });

  it('hands on that the API server cannot be read', async function () {
    const site = new Site();
    const failing = new StampGuard({
      stamps: site.stamps,
      currentVersion: () => Promise.reject(new Error('no route')),
      onRollback: () => Promise.resolve(),
    });
    await assert.rejects(failing.admit(site.stamps.issue('1'), signal), { message: 'no route' });
  });
});

describe('SharedRead', function () {
  it('gives who wants a fresh value one that began after the call', async function () {
    const gates: ReturnType<typeof deferred<number>>[] = [];
    const shared = new SharedRead<number>({
      read: () => {
        const gate = deferred<number>();
        gates.push(gate);
        return gate.promise;
      },
      nowMs: () => 0,
    });
    const first = shared.get(0);
    const second = shared.get(0);
    const third = shared.get(0);
    assert.equal(gates.length, 1);
    gates[0]?.resolve(1);
    assert.equal(await first, 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(gates.length, 2);
    gates[1]?.resolve(2);
    assert.deepEqual(await Promise.all([second, third]), [2, 2]);
  });

  it('does not keep a failure, and lets who waited behind it try again', async function () {
    let round = 0;
    const shared = new SharedRead<number>({
      read: () => {
        round += 1;
        return round === 1 ? Promise.reject(new Error('first')) : Promise.resolve(round);
      },
      nowMs: () => 0,
    });
    const [first, behind] = [shared.get(1000), shared.get(0)];
    await assert.rejects(first, { message: 'first' });
    assert.equal(await behind, 2);
    assert.equal(await shared.get(1000), 2);
  });

  it('aborts what is under way when it is closed', async function () {
    const shared = new SharedRead<never>({
      read: (closing) =>
        new Promise((_, reject) => {
          closing.addEventListener('abort', () => reject(closing.reason as Error));
        }),
      nowMs: () => 0,
    });
    const reading = shared.get(0);
    shared.close(new Error('closed'));
    await assert.rejects(reading, { message: 'closed' });
  });
});
