import assert from 'node:assert/strict';
import type { UpstreamOutcome } from '../../src/index.ts';
import { OutboxSite } from './outbox-site.ts';
import { settle } from '../settle.ts';

/** Something that changes, and is said as it is when it is sent. */
class Reading {
  readonly answers: number[] = [];
  value = '0';
  asked = 0;
  readonly #site: OutboxSite;
  readonly #key: string;

  constructor(site: OutboxSite, key = 'device/d') {
    this.#site = site;
    this.#key = key;
  }

  put(): void {
    this.#site.outbox.putVolatile({
      key: this.#key,
      kind: 'device',
      body: () => {
        this.asked += 1;
        return Buffer.from(`${this.#key}=${this.value}`);
      },
      onAnswer: ({ status }: UpstreamOutcome) => this.answers.push(status),
    });
  }
}

describe('The outbox, of what is in memory only', () => {
  it('sends what is so then, and tells that it was taken', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    const reading = new Reading(site);
    reading.put();
    reading.value = '7';
    await site.connect();
    assert.deepEqual(site.texts, ['device/d=7']);
    assert.deepEqual(reading.answers, []);
    await site.answer(1);
    assert.deepEqual(reading.answers, [0]);
    assert.equal(site.outbox.drained, true);
  });

  it('never goes to the disk: not after its time, not at the end of a session, not at a stop', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    new Reading(site).put();
    await site.clock.advance(60_000);
    site.outbox.detach();
    await site.clock.advance(60_000);
    assert.equal(site.outbox.size, 1);
    await site.outbox.stop();
    assert.equal(site.writes, 0);
  });

  it('asks again what is so when it is sent again', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    const reading = new Reading(site);
    reading.put();
    await site.connect();
    reading.value = '1';
    await site.answer(1, { status: 429 });
    assert.deepEqual(reading.answers, [429]);
    reading.value = '2';
    await site.clock.advance(60_000);
    assert.deepEqual(site.texts, ['device/d=0', 'device/d=2']);
    site.outbox.detach();
    reading.value = '3';
    await site.connect();
    assert.deepEqual(site.texts, ['device/d=3']);
    assert.equal(reading.asked, 3);
  });

  it('sends once more what was put while it was on its way, and not before the answer', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    const reading = new Reading(site);
    reading.put();
    await settle();
    reading.value = '1';
    reading.put();
    reading.put();
    await settle();
    assert.deepEqual(site.texts, ['device/d=0']);
    await site.answer(1);
    assert.deepEqual(site.texts, ['device/d=0', 'device/d=1']);
    await site.answer(2);
    assert.deepEqual(reading.answers, [0, 0]);
    assert.equal(site.outbox.drained, true);
  });

  it('takes the place of what the disk has, which is gone before it is sent', async () => {
    const before = new OutboxSite();
    await before.outbox.start();
    before.put('device/d', 'old');
    await before.clock.advance(6_000);
    assert.deepEqual(before.onDisk, ['device/d=old']);
    const site = before.powerCut();
    const reading = new Reading(site);
    reading.put();
    await site.outbox.start();
    await site.connect();
    assert.deepEqual(site.onDisk, []);
    assert.deepEqual(site.texts, ['device/d=0']);
    await site.answer(1);
    assert.equal(site.outbox.drained, true);
  });

  it('gives its place to what is kept on the disk', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    new Reading(site).put();
    site.put('device/d', 'kept');
    await site.clock.advance(6_000);
    assert.deepEqual(site.onDisk, ['device/d=kept']);
    await site.connect();
    assert.deepEqual(site.texts, ['device/d=kept']);
  });

  it('withdraws what waits, on the disk too', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    new Reading(site).put();
    site.put('pod/x', '1');
    await site.clock.advance(6_000);
    site.outbox.withdraw('device/d');
    site.outbox.withdraw('pod/x');
    site.outbox.withdraw('nothing');
    await settle();
    assert.equal(site.outbox.drained, true);
    assert.deepEqual(site.onDisk, []);
    await site.connect();
    assert.deepEqual(site.texts, []);
  });

  it('sends nothing under a key whose withdrawn message is on its way before that was answered', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    const reading = new Reading(site);
    reading.put();
    await settle();
    site.outbox.withdraw('device/d');
    reading.value = '1';
    reading.put();
    await settle();
    assert.deepEqual(site.texts, ['device/d=0']);
    await site.answer(1);
    assert.deepEqual(site.texts, ['device/d=0', 'device/d=1']);
    site.outbox.withdraw('device/d');
    assert.equal(site.outbox.size, 0);
    assert.equal(site.outbox.drained, false, 'its answer is waited for');
    await site.answer(2);
    assert.equal(site.outbox.drained, true);
  });

  it('forgets a withdrawn message whose session ends before the answer', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    new Reading(site).put();
    await settle();
    site.outbox.withdraw('device/d');
    site.outbox.detach();
    assert.equal(site.outbox.drained, true);
  });

  it('tells what was refused for good, and puts what is put meanwhile', async () => {
    const site = new OutboxSite();
    await site.outbox.start();
    await site.connect();
    const reading = new Reading(site);
    reading.put();
    await settle();
    await site.answer(1, { status: 422 });
    assert.deepEqual(reading.answers, [422]);
    assert.deepEqual(site.refused, [['device/d', 422]]);
    assert.equal(site.outbox.drained, true);
  });

  it('goes on where a message cannot be made, or is too large', async () => {
    const site = new OutboxSite({ bodyBytes: 20 });
    await site.outbox.start();
    site.outbox.putVolatile({
      key: 'device/broken',
      kind: 'device',
      body: () => {
        throw new Error('no');
      },
    });
    site.outbox.putVolatile({ key: 'device/large', kind: 'device', body: () => Buffer.alloc(21) });
    new Reading(site).put();
    await site.connect();
    assert.deepEqual(site.texts, ['device/d=0']);
    await site.answer(1);
    assert.equal(site.outbox.drained, true);
  });

  it('counts with what is kept', async () => {
    const site = new OutboxSite({ kept: 1 });
    await site.outbox.start();
    new Reading(site).put();
    assert.throws(() => new Reading(site, 'device/e').put(), { code: 'ERR_SYNC_LIMIT' });
    new Reading(site).put();
  });
});
