import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { EventRecorder, type EventBody } from '../../src/events/event-recorder.ts';

const POD = { kind: 'Pod', apiVersion: 'v1', namespace: 'default', name: 'a', uid: 'uid-a' };

describe('EventRecorder', () => {
  let clock: FakeClock;
  let reported: { key: string; body: EventBody }[];
  let events: EventRecorder;

  beforeEach(() => {
    clock = new FakeClock();
    reported = [];
    events = new EventRecorder({
      report: (key, body) => reported.push({ key, body }),
      burst: 3,
      refillMs: 60_000,
      clock,
    });
  });

  it('reports an event as the API has it', () => {
    events.record(POD, 'Warning', 'Failed', 'it failed');
    const [{ key, body } = { key: '', body: undefined }] = reported;
    assert.match(body?.id ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(key, `event/${body?.id}`);
    assert.deepEqual(
      { ...body, id: '' },
      {
        id: '',
        regarding: POD,
        type: 'Warning',
        reason: 'Failed',
        message: 'it failed',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00.000Z',
        lastTimestamp: '2026-01-01T00:00:00.000Z',
        component: 'edgecore',
      },
    );
  });

  it('counts what happens again, under the same key', async () => {
    events.record(POD, 'Warning', 'Failed', 'it failed');
    await clock.advance(5_000);
    events.record(POD, 'Warning', 'Failed', 'it failed');
    events.record(POD, 'Warning', 'Failed', 'another way');
    const [first, second, third] = reported;
    assert.equal(second?.key, first?.key);
    assert.equal(second?.body.count, 2);
    assert.equal(second.body.firstTimestamp, '2026-01-01T00:00:00.000Z');
    assert.equal(second.body.lastTimestamp, '2026-01-01T00:00:05.000Z');
    assert.notEqual(third?.key, first?.key);
  });

  it('begins anew after ten quiet minutes', async () => {
    events.record(POD, 'Normal', 'Pulled', 'x');
    await clock.advance(600_000);
    events.record(POD, 'Normal', 'Pulled', 'x');
    assert.notEqual(reported[1]?.key, reported[0]?.key);
    assert.equal(reported[1]?.body.count, 1);
  });

  it('holds one object to its allowance, and no other', async () => {
    for (let n = 0; n < 10; n++) events.record(POD, 'Warning', 'Unhealthy', `probe ${n}`);
    assert.equal(reported.length, 3);
    assert.equal(events.dropped, 7);
    events.record({ ...POD, name: 'b', uid: 'uid-b' }, 'Warning', 'Unhealthy', 'probe');
    assert.equal(reported.length, 4);
    await clock.advance(60_000);
    events.record(POD, 'Warning', 'Unhealthy', 'later');
    events.record(POD, 'Warning', 'Unhealthy', 'too soon');
    assert.equal(reported.length, 5);
  });

  it('counts what was not reported: the next report has it', async () => {
    for (let n = 0; n < 10; n++) events.record(POD, 'Warning', 'BackOff', 'again');
    await clock.advance(60_000);
    events.record(POD, 'Warning', 'BackOff', 'again');
    assert.equal(reported.at(-1)?.body.count, 11);
  });

  it('remembers a bounded number of them', () => {
    for (let n = 0; n < 5000; n++) events.record({ ...POD, name: `p${n}`, uid: `u${n}` }, 'Normal', 'X', 'y');
    events.record({ ...POD, name: 'p0', uid: 'u0' }, 'Normal', 'X', 'y');
    assert.equal(reported.at(-1)?.body.count, 1, 'the first one was forgotten');
    events.record({ ...POD, name: 'p4999', uid: 'u4999' }, 'Normal', 'X', 'y');
    assert.equal(reported.at(-1)?.body.count, 2, 'the last one was not');
  });

  it('keeps the latest events about an object, also those that were not reported', async () => {
    assert.deepEqual(events.recent(POD), []);
    for (let at = 0; at < 5; at++) events.record(POD, 'Warning', 'Failed', `failure ${at}`);
    assert.equal(reported.length, 3);
    await clock.advance(1_000);
    events.record({ ...POD, fieldPath: 'spec.containers{main}' }, 'Normal', 'Started', 'it runs');
    events.record(POD, 'Warning', 'Failed', 'failure 0');
    const recent = events.recent(POD);
    assert.deepEqual(
      recent.map(({ message }) => message),
      ['failure 1', 'failure 2', 'failure 3', 'failure 4', 'it runs', 'failure 0'],
    );
    assert.deepEqual(recent.at(-1), {
      ...{ type: 'Warning', reason: 'Failed', message: 'failure 0', count: 2 },
      ...{ firstTimestamp: '2026-01-01T00:00:00.000Z', lastTimestamp: '2026-01-01T00:00:01.000Z' },
    });
    assert.equal(recent[4]?.fieldPath, 'spec.containers{main}');
  });

  it('keeps a dozen of each object, and 128 objects', () => {
    for (let at = 0; at < 20; at++) events.record(POD, 'Normal', 'Pulled', `image ${at}`);
    assert.deepEqual(
      events.recent(POD).map(({ message }) => message),
      Array.from({ length: 12 }, (_, at) => `image ${at + 8}`),
    );
    const other = (at: number): typeof POD => ({ ...POD, name: `p${at}`, uid: `uid-${at}` });
    for (let at = 0; at < 128; at++) events.record(other(at), 'Normal', 'Pulled', 'image');
    assert.deepEqual(events.recent(POD), []);
    assert.equal(events.recent(other(0)).length, 1);
  });
});
