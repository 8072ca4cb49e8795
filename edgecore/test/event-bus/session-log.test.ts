import assert from 'node:assert/strict';
import {
  encodeRecord,
  readRecords,
  type LogRecord,
} from '../../src/event-bus/embedded/journal/log-record.ts';
import { readJournal } from '../../src/event-bus/embedded/journal/read-journal.ts';

const SESSION: LogRecord = {
  t: 'session',
  id: 'app/1',
  name: 'app',
  protocols: [],
  hears: ['app/#'],
  subs: [['app/#', 1]],
  incoming: [],
};
const message = (n: number, messageId: number, via?: readonly [string, number]): Buffer =>
  encodeRecord(
    {
      t: 'message',
      n,
      topic: `app/${n}`,
      qos: 2,
      to: [['app/1', messageId, 1, false, false]],
      ...(via === undefined ? {} : { in: via }),
    },
    Buffer.from(`HWB\u0001payload ${n}`), // the mark of records in it
  );

/** A log as it grows, record by record. */
const RECORDS: readonly Buffer[] = [
  encodeRecord(SESSION),
  message(1, 1, ['app/1', 7]),
  message(2, 2),
  encodeRecord({ t: 'released', id: 'app/1', n: 2 }),
  encodeRecord({ t: 'done', of: [['app/1', [1]]] }),
  encodeRecord({ t: 'in-done', id: 'app/1', messageId: 7 }),
  encodeRecord({ t: 'retained', topic: 'app/state', qos: 1, name: 'app', protocols: [] }, Buffer.from('on')),
  encodeRecord({ t: 'will', id: 'app/1', topic: 'app/gone', qos: 1, retain: false }, Buffer.from('bye')),
  message(3, 3),
];

describe('log of sessions', () => {
  it('adds up to what was said last', () => {
    const read = readJournal(Buffer.concat(RECORDS));
    assert.equal(read.lostBytes, 0);
    assert.equal(read.lastNumber, 3);
    assert.deepEqual(
      read.messages.map(({ number, payload, to }) => [number, payload.toString('latin1'), to]),
      [
        [2, 'HWB\u0001payload 2', [['app/1', 2, 1, false, true]]],
        [3, 'HWB\u0001payload 3', [['app/1', 3, 1, false, false]]],
      ],
    );
    assert.equal(read.sessions[0]?.incoming.size, 0);
    assert.deepEqual(
      read.retained.map(({ topic, payload }) => [topic, payload.toString()]),
      [['app/state', 'on']],
    );
    assert.equal(read.wills[0]?.[0], 'app/1');
    const gone = readJournal(Buffer.concat([...RECORDS, encodeRecord({ t: 'gone', id: 'app/1' })]));
    assert.deepEqual([gone.sessions, gone.messages, gone.wills], [[], [], []]);
  });

  it('has every whole record, wherever it was cut', () => {
    const log = Buffer.concat(RECORDS);
    const ends = RECORDS.map((_, at) => Buffer.concat(RECORDS.slice(0, at + 1)).length);
    for (let length = 0; length <= log.length; length += 1) {
      const { records, lostBytes, isDamaged } = readRecords(log.subarray(0, length));
      const whole = ends.filter((end) => end <= length);
      assert.equal(records.length, whole.length, `cut at ${length}`);
      assert.equal(lostBytes, length - (whole.at(-1) ?? 0), `cut at ${length}`);
      assert.equal(isDamaged, false);
    }
  });

  it('loses the one record that a flipped bit is in, and says so', () => {
    const log = Buffer.concat(RECORDS);
    const ends = RECORDS.map((_, at) => Buffer.concat(RECORDS.slice(0, at + 1)).length);
    for (let at = 0; at < log.length; at += 1) {
      const damaged = Buffer.from(log);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const { records, lostBytes, isDamaged } = readRecords(damaged);
      const hit = ends.findIndex((end) => at < end);
      assert.equal(records.length, RECORDS.length - 1, `flipped at ${at}`);
      assert.equal(lostBytes, RECORDS[hit]?.length, `flipped at ${at}`);
      assert.equal(isDamaged, hit < RECORDS.length - 1, `flipped at ${at}`);
    }
  });
});
