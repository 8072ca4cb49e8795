import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { Outbox, unpackJson, type OutboxEntry } from '@hawser/sync';
import { MemoryOutboxStore } from '@hawser/sync/testing';
import { Reporter } from '../../src/hub/reporter.ts';
import type { EventBody } from '../../src/events/event-recorder.ts';

describe('Events that an edge reports', () => {
  let clock: FakeClock;
  let store: MemoryOutboxStore;
  let outbox: Outbox;
  let reporter: Reporter;

  beforeEach(async () => {
    clock = new FakeClock();
    store = new MemoryOutboxStore();
    outbox = new Outbox({ store, clock });
    await outbox.start();
    reporter = new Reporter({ outbox, clock, log: silentLogger });
  });

  function eventOf(count: number): EventBody {
    const time = '2026-01-01T00:00:00Z';
    const regarding = { kind: 'Pod', apiVersion: 'v1', namespace: 'default', name: 'a' };
    const times = { firstTimestamp: time, lastTimestamp: time };
    return {
      ...{ id: 'x', regarding, type: 'Normal', reason: 'Pulled', message: 'it is here', count },
      ...{ ...times, component: 'edgecore' },
    };
  }

  async function entries(): Promise<readonly OutboxEntry[]> {
    await outbox.stop();
    return store.load();
  }

  it('wait a second for others, of which the last with a key counts', async () => {
    for (let count = 1; count <= 3; count += 1) reporter.event('event/x', eventOf(count));
    reporter.event('event/y', eventOf(1));
    await clock.advance(999);
    assert.deepEqual([outbox.size, reporter.waiting], [0, 2]);
    await clock.advance(1);
    assert.deepEqual([outbox.size, reporter.waiting], [2, 0]);
    const [first] = await entries();
    assert.equal(first?.key, 'event/x');
    assert.equal((unpackJson(first.body) as EventBody).count, 3);
    assert.equal(clock.pendingTimers, 0);
  });

  it('wait for the last of many starts, but no longer than four seconds', async () => {
    const told: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      reporter.event(`event/${n}`, eventOf(1));
      await clock.advance(500);
      told.push(outbox.size);
    }
    // Those of the first 3.5 s at 4 s; the others when there have been none for a second.
    assert.deepEqual(told, [0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8, 8]);
    await clock.advance(500);
    assert.equal(outbox.size, 12);
    await outbox.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('of anything but a start go at once, after those that wait', async () => {
    reporter.event('event/x', eventOf(1));
    reporter.event('event/y', { ...eventOf(1), reason: 'Killing' });
    assert.equal(reporter.waiting, 0);
    assert.deepEqual(
      (await entries()).map(({ key }) => key),
      ['event/x', 'event/y'],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  it('go at once when the edge stops, and where too many wait', async () => {
    reporter.event('event/x', eventOf(1));
    reporter.flush();
    assert.equal(outbox.size, 1);
    for (let n = 0; n < 256; n += 1) reporter.event(`event/${n}`, eventOf(1));
    assert.equal(outbox.size, 257);
    reporter.flush();
    assert.equal(outbox.size, 257);
    await outbox.stop();
  });
});
