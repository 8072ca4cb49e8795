import assert from 'node:assert/strict';
import type { OutgoingFrame } from '@hawser/proto';
import { UpstreamSession, type OutboxEntry } from '../../src/index.ts';
import { MemoryOutboxStore } from '../../testing/index.ts';
import { settle } from '../settle.ts';
import { OutboxSite } from './outbox-site.ts';

describe('The outbox', () => {
  it('sends what is put, forgets what was taken, and leaves the disk alone', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('node', 'a');
    site.put('pod/x', 'b');
    await settle();
    assert.deepEqual(site.texts, ['node=a', 'pod/x=b']);
    await site.answer(2);
    await site.answer(1);
    assert.equal(site.outbox.size, 0);
    assert.equal(site.outbox.drained, true);
    await site.clock.advance(60_000);
    assert.equal(site.writes, 0);
    assert.equal(site.outbox.counters().delivered, 2);
  });

  it('keeps one entry for each key, the latest', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    for (const text of ['1', '2', '3']) site.put('pod/x', text);
    site.put('pod/y', '1');
    assert.equal(site.outbox.size, 2);
    await site.connect();
    assert.deepEqual(site.texts, ['pod/x=3', 'pod/y=1']);
  });

  it('sends the next of a key when the one on its way was answered, and loses neither', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('pod/x', '1');
    await settle();
    site.put('pod/x', '2');
    site.put('pod/x', '3');
    await settle();
    assert.deepEqual(site.texts, ['pod/x=1']);
    await site.answer(1);
    assert.deepEqual(site.texts, ['pod/x=1', 'pod/x=3']);
    assert.equal(site.outbox.size, 1);
    await site.answer(2);
    assert.equal(site.outbox.drained, true);
  });

  it('goes on with the later one when the one on its way was refused', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('pod/x', '1');
    await settle();
    site.put('pod/x', '2');
    await site.answer(1, { status: 400 });
    assert.deepEqual(site.texts, ['pod/x=1', 'pod/x=2']);
    assert.deepEqual(site.refused, [['pod/x', 400]]);
    await site.answer(2);
    assert.equal(site.outbox.drained, true);
  });

  it('does not send again what waits as it is, and does what is on its way', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    site.put('pod/x', '1');
    await site.connect();
    site.put('pod/x', '1'); // the cloud may have lost what it was told before
    await site.answer(1);
    assert.deepEqual(site.texts, ['pod/x=1', 'pod/x=1']);
  });

  it('has at most so many on their way', async () => {
    const site = new OutboxSite({ inFlight: 3 });
    await site.outbox.start();
    for (let n = 1; n <= 7; n += 1) site.put(`pod/${n}`, 'x');
    await site.connect();
    assert.equal(site.sent.length, 3);
    await site.answer(2);
    assert.equal(site.sent.length, 4);
    for (const sequence of [1, 3, 4, 5, 6, 7]) await site.answer(sequence);
    assert.equal(site.outbox.drained, true);
  });

  it('waits for the connection to take each', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    for (let n = 1; n <= 3; n += 1) site.put(`pod/${n}`, 'x');
    const sent: OutgoingFrame[] = [];
    const release: (() => void)[] = [];
    const session = new UpstreamSession((frame) => {
      sent.push(frame);
      return new Promise((resolve) => release.push(resolve));
    });
    site.outbox.attach(session);
    await settle();
    assert.equal(sent.length, 1);
    release[0]?.();
    await settle();
    assert.equal(sent.length, 2);
  });

  for (const status of [409, 429, 500, 503]) {
    it(`tries again after ${status}, in the time that the hub says and some more`, async () => {
      const site = new OutboxSite();
      await site.outbox.start();
      await site.connect();
      site.put('pod/x', '1');
      await settle();
      await site.answer(1, { status, retryAfterMs: 2_000 });
      await site.clock.advance(2_400);
      assert.equal(site.sent.length, 1);
      await site.clock.advance(200); // 2,000 + a first back-off of 500
      assert.equal(site.sent.length, 2);
      await site.answer(2, { status });
      await site.clock.advance(900);
      assert.equal(site.sent.length, 2);
      await site.clock.advance(200); // a second back-off of 1,000
      assert.equal(site.sent.length, 3);
      await site.answer(3);
      assert.equal(site.outbox.drained, true);
      assert.equal(site.outbox.counters().retried, 2);
      assert.deepEqual(site.refused, []);
    });
  }

  it('does not let a hub put an entry off for ever', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('pod/x', '1');
    await settle();
    await site.answer(1, { status: 503, retryAfterMs: 2 ** 32 - 1 });
    await site.clock.advance(10 * 60_000 + 600);
    assert.equal(site.sent.length, 2);
  });

  it('does not send a key earlier because there is something newer to say', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('pod/x', '1');
    await settle();
    await site.answer(1, { status: 429, retryAfterMs: 5_000 });
    site.put('pod/x', '2');
    await site.clock.advance(4_000);
    assert.equal(site.sent.length, 1);
    await site.clock.advance(2_000);
    assert.deepEqual(site.texts, ['pod/x=1', 'pod/x=2']);
  });

  it('sends again in the next session what was not answered, and only that', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('pod/x', '1');
    site.put('pod/y', '1');
    await settle();
    await site.answer(1);
    const before = site.session;
    site.outbox.detach();
    site.put('pod/y', '2');
    await site.connect();
    assert.deepEqual(site.texts, ['pod/y=2']);
    // An answer of the session before is none of this one.
    before?.onAck({ sequence: 2, status: 0, message: '', retryAfterMs: 0, body: new Uint8Array(0) });
    assert.equal(site.outbox.size, 1);
    await site.answer(1);
    assert.equal(site.outbox.drained, true);
  });

  it('survives a session that takes nothing', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    site.outbox.attach(new UpstreamSession(() => Promise.reject(new Error('the connection is over'))));
    await settle();
    site.outbox.detach();
    await site.connect();
    assert.deepEqual(site.texts, ['pod/x=1']);
  });

  it('says again what the hub asks for', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.outbox.reportRequested(['pod', 'node']);
    assert.deepEqual(site.asked, [['pod', 'node']]);
  });

  it('refuses a body that is too large, and more kept entries than there can be', async () => {
    const site = new OutboxSite({ bodyBytes: 100, kept: 2 });
    await site.outbox.start();
    assert.throws(() => site.put('pod/x', 'x'.repeat(101)), { code: 'ERR_SYNC_TOO_LARGE' });
    site.put('pod/1', '1');
    site.put('pod/2', '1');
    assert.throws(() => site.put('pod/3', '1'), { code: 'ERR_SYNC_LIMIT' });
    site.put('pod/2', '2');
    site.put('event/1', '1', false);
    assert.equal(site.outbox.size, 3);
  });
});

describe('Events in the outbox', () => {
  it('are bounded: the oldest go, counted, and what is kept stays', async () => {
    const site = new OutboxSite({ events: 3 });
    await site.outbox.start();
    site.put('pod/x', '1');
    for (let n = 1; n <= 5; n += 1) site.put(`event/${n}`, 'e', false);
    assert.equal(site.outbox.counters().dropped, 2);
    await site.connect();
    assert.deepEqual(site.texts, ['pod/x=1', 'event/3=e', 'event/4=e', 'event/5=e']);
  });

  it('that are on their way are not dropped', async () => {
    const site = new OutboxSite({ events: 2, inFlight: 1 });
    await site.outbox.start();
    await site.connect();
    for (let n = 1; n <= 4; n += 1) {
      site.put(`event/${n}`, 'e', false);
      await settle();
    }
    assert.equal(site.outbox.counters().dropped, 2);
    for (let sequence = 1; sequence <= 2; sequence += 1) await site.answer(sequence);
    assert.deepEqual(site.texts, ['event/1=e', 'event/4=e']);
    assert.equal(site.outbox.drained, true);
  });

  it('wait until what must be kept was sent', async () => {
    const site = new OutboxSite({ inFlight: 1 });
    await site.outbox.start();
    site.put('event/1', 'e', false);
    site.put('pod/x', '1');
    await site.connect();
    await site.answer(1);
    assert.deepEqual(site.texts, ['pod/x=1', 'event/1=e']);
  });

  it('leave room for what must be kept, however long the cloud takes over them', async () => {
    const site = new OutboxSite({ inFlight: 4, eventsInFlight: 2 });
    await site.outbox.start();
    await site.connect();
    for (let n = 1; n <= 4; n += 1) site.put(`event/${n}`, 'e', false);
    await settle();
    assert.deepEqual(site.texts, ['event/1=e', 'event/2=e']);
    site.put('pod/x', '1');
    await settle();
    assert.deepEqual(site.texts.slice(2), ['pod/x=1']);
    await site.answer(3);
    assert.equal(site.sent.length, 3);
    await site.answer(1);
    assert.deepEqual(site.texts.slice(3), ['event/3=e']);
    await site.connect();
    await settle();
    assert.equal(site.sent.length, 2, 'as many of them in the next session');
  });

  it('that go are gone from the disk too, and a disk with too many is cut down', async () => {
    const site = new OutboxSite({ events: 3 });
    await site.outbox.start();
    for (let n = 1; n <= 3; n += 1) site.put(`event/${n}`, 'e', false);
    await site.clock.advance(5_000);
    assert.equal(site.onDisk.length, 3);
    site.put('event/4', 'e', false);
    await settle();
    assert.deepEqual(site.onDisk, ['event/2=e', 'event/3=e']);
    await site.outbox.stop();
    const after = site.powerCut({ events: 2 });
    await after.outbox.start();
    await settle();
    assert.deepEqual(after.onDisk, ['event/3=e', 'event/4=e']);
    assert.equal(after.outbox.counters().dropped, 1);
  });
});

describe('The outbox and its disk', () => {
  it('writes what has waited for 5 s, all that is due in one write', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    site.put('pod/y', '1');
    await site.clock.advance(3_000);
    site.put('pod/x', '2'); // counts from the first
    site.put('pod/z', '1');
    await site.clock.advance(1_900);
    assert.equal(site.writes, 0);
    await site.clock.advance(100);
    assert.deepEqual(site.onDisk, ['pod/x=2', 'pod/y=1']);
    assert.equal(site.writes, 1);
    await site.clock.advance(3_000);
    assert.deepEqual(site.onDisk, ['pod/x=2', 'pod/y=1', 'pod/z=1']);
    assert.equal(site.writes, 2);
  });

  it('writes everything when the session ends, and when the edge stops', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('pod/x', '1');
    await settle();
    site.outbox.detach();
    await settle();
    assert.deepEqual(site.onDisk, ['pod/x=1']);
    site.put('pod/y', '1');
    await site.outbox.stop();
    assert.deepEqual(site.onDisk, ['pod/x=1', 'pod/y=1']);
    assert.equal(site.clock.pendingTimers, 0);
    await site.outbox.stop();
  });

  it('has after a power cut what was written, in its order, and numbers on', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    site.put('pod/y', '1');
    await site.clock.advance(5_000);
    site.put('pod/z', 'lost');
    const after = site.powerCut();
    await after.outbox.start();
    await after.connect();
    assert.deepEqual(after.texts, ['pod/x=1', 'pod/y=1']);
    after.put('pod/x', '2');
    await after.outbox.stop();
    const orders = (await new MemoryOutboxStore({ disk: after.disk }).load()).map(
      ({ key, order }: OutboxEntry) => [key, order] as const,
    );
    assert.deepEqual(
      orders.map(([key]) => key),
      ['pod/y', 'pod/x'],
    );
  });

  it('takes what was put before it was started for newer than what the disk has', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', 'old');
    site.put('pod/y', 'old');
    await site.outbox.stop();
    const after = site.powerCut();
    after.put('pod/x', 'new');
    await after.outbox.start();
    await after.outbox.start();
    await after.connect();
    assert.deepEqual(after.texts.toSorted(), ['pod/x=new', 'pod/y=old']);
  });

  it('forgets on the disk what was taken', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    await site.clock.advance(5_000);
    await site.connect();
    await site.answer(1);
    assert.deepEqual(site.onDisk, []);
    assert.equal(site.outbox.drained, true);
  });

  it('does not send over what the disk would bring back after a power cut', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    await site.clock.advance(5_000);
    await site.connect();
    assert.deepEqual(site.texts, ['pod/x=1']);
    site.put('pod/x', '2');
    let release = (): void => {};
    site.flush = () => new Promise((resolve) => (release = resolve));
    await site.answer(1);
    // The disk still has 1: if 2 were sent now and the power went, 1 would be said again after it.
    assert.deepEqual(site.texts, ['pod/x=1']);
    release();
    await settle();
    assert.deepEqual(site.onDisk, ['pod/x=2']);
    assert.deepEqual(site.texts, ['pod/x=1', 'pod/x=2']);
  });

  it('does not wait for a disk that stalls longer than 5 s', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    await site.clock.advance(5_000);
    site.flush = () => new Promise(() => {});
    await site.connect();
    site.put('pod/x', '2');
    await site.answer(1);
    await site.clock.advance(4_900);
    assert.deepEqual(site.texts, ['pod/x=1']);
    await site.clock.advance(200);
    assert.deepEqual(site.texts, ['pod/x=1', 'pod/x=2']);
  });

  it('does not wait for a disk that refuses, says so, and tries again', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    await site.clock.advance(5_000);
    site.flush = () => Promise.reject(new Error('the disk is full'));
    await site.connect();
    site.put('pod/x', '2');
    await site.answer(1);
    assert.deepEqual(site.texts, ['pod/x=1', 'pod/x=2']);
    assert.equal(site.outbox.diskError, 'the disk is full');
    await site.answer(2);
    assert.deepEqual(site.onDisk, ['pod/x=1']);
    site.flush = () => Promise.resolve();
    await site.clock.advance(10_000);
    assert.deepEqual(site.onDisk, []);
    assert.equal(site.outbox.diskError, undefined);
    assert.equal(site.outbox.drained, true);
    assert.ok(site.outbox.counters().failedWrites >= 1);
  });

  it('says at its stop what the disk refused', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    site.put('pod/x', '1');
    site.flush = () => Promise.reject(new Error('the disk is full'));
    await assert.rejects(site.outbox.stop(), /full/);
    assert.equal(site.clock.pendingTimers, 0);
    site.flush = () => Promise.resolve();
    await site.outbox.stop();
    assert.deepEqual(site.onDisk, ['pod/x=1']);
  });

  it('works without what the disk cannot give', async () => {
    const site = new OutboxSite();
    site.store.load = () => Promise.reject(new Error('the disk cannot read'));
    await assert.rejects(site.outbox.start(), /cannot read/);
    site.put('pod/x', '1');
    await site.connect();
    assert.deepEqual(site.texts, ['pod/x=1']);
  });

  it('forgets what was taken while it was being written', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    site.put('pod/x', '1');
    await settle();
    let release = (): void => {};
    site.flush = () => new Promise((resolve) => (release = resolve));
    await site.clock.advance(5_000);
    await site.answer(1);
    site.flush = () => Promise.resolve();
    release();
    await settle();
    assert.deepEqual(site.onDisk, []);
    assert.equal(site.outbox.drained, true);
  });
});
