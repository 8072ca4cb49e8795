import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { deferred, silentLogger, type Deferred } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { newBusCounters, type BusCounters } from '../../src/event-bus/bus-counters.ts';
import type { RetainedMessage, StoredWill } from '../../src/event-bus/embedded/journal/journal.ts';
import { LogFile } from '../../src/event-bus/embedded/journal/log-file.ts';
import { readJournal, type ReadJournal } from '../../src/event-bus/embedded/journal/read-journal.ts';
import { SessionJournal } from '../../src/event-bus/embedded/journal/session-journal.ts';
import { messageSize, type Session, type StoredMessage } from '../../src/event-bus/embedded/session.ts';
import { Sessions } from '../../src/event-bus/embedded/sessions.ts';
import { TopicRights } from '../../src/event-bus/topic-rights.ts';
import { ACCOUNTS } from './given-bus.ts';

/** A disk that refuses the first new file, and takes its time for the second. */
class BadFile extends LogFile {
  readonly gate: Deferred<undefined> = deferred();
  begun = 0;
  written = 0;

  override async replace(bytes: Buffer): Promise<void> {
    this.begun += 1;
    if (this.begun === 1) throw new Error('no space left');
    if (this.begun === 2) await this.gate.promise;
    await super.replace(bytes);
    this.written += 1;
  }
}

describe('journal of sessions, when the disk refuses for a while', () => {
  let dir: TempDir;
  let clock: FakeClock;
  let file: BadFile;
  let journal: SessionJournal;
  let sessions: Sessions;
  let counters: BusCounters;
  const retained = new Map<string, RetainedMessage>();
  const wills = new Map<string, StoredWill>();

  beforeEach(async () => {
    dir = await makeTempDir();
    clock = new FakeClock();
    file = new BadFile(dir.path);
    counters = newBusCounters();
    retained.clear();
    wills.clear();
    journal = new SessionJournal({
      file,
      source: {
        sessions: () => sessions.all(),
        retained: () => retained,
        wills: () => wills,
        sizeBytes: () => 1000,
      },
      counters,
      log: silentLogger,
      clock,
    });
    sessions = new Sessions({
      limits: {
        perSession: { messages: 10, bytes: 10_000 },
        sessions: 10,
        bytes: 100_000,
        expiryMs: 3_600_000,
      },
      rights: new TopicRights('edge-1', { protocolOf: () => undefined, protocolsNamed: () => [] }),
      journal,
      counters,
      log: silentLogger,
      clock,
    });
  });
  afterEach(async () => {
    file.gate.resolve(undefined);
    sessions.stop();
    await journal.stop();
    await dir.remove();
  });

  const message = (number: number): StoredMessage => {
    const it = {
      number,
      topic: `app/${number}`,
      payload: Buffer.from('x'),
      qos: 1,
      retained: false,
    } as const;
    return { ...it, atMs: clock.monotonicMs(), sizeBytes: messageSize(it) };
  };

  function open(id: string): Session {
    const account = ACCOUNTS.find(({ name }) => name === 'app');
    assert.ok(account !== undefined);
    return sessions.open(id, account, true);
  }

  /** A session with a message, neither of which gets on the disk. */
  async function refuse(): Promise<Session> {
    const early = open('app/early');
    const delivery = sessions.enqueue(early, message(1), 1, false);
    const written = [journal.session(early), journal.message(delivery.message, [[early, delivery]])];
    await clock.advance(10);
    await Promise.all(written);
    assert.equal(counters.diskErrors, 1);
    return early;
  }

  /** Something of everything; all of it is let go on at once. */
  async function happen(early: Session): Promise<void> {
    early.dropOldest();
    const late = open('app/late');
    await journal.session(late);
    const delivery = sessions.enqueue(late, message(2), 1, false);
    await journal.message(delivery.message, [[late, delivery]]);
    const entry = { message: message(3), from: { name: 'app', protocols: [] } };
    retained.set('app/3', entry);
    await journal.retained('app/3', entry);
    const will = { topic: 'app/gone', payload: Buffer.from('bye'), qos: 1, retain: false } as const;
    wills.set('app/late', will);
    await journal.will('app/late', will);
  }

  async function onDisk(): Promise<ReadJournal> {
    return readJournal(await readFile(file.path));
  }

  function assertAll({ sessions: read, messages, retained: kept, wills: left }: ReadJournal): void {
    assert.deepEqual(
      read.map(({ record }) => record.id),
      ['app/early', 'app/late'],
    );
    assert.deepEqual(
      messages.map(({ number }) => number),
      [2],
    );
    assert.deepEqual(
      kept.map(({ topic }) => topic),
      ['app/3'],
    );
    assert.deepEqual(
      left.map(([id]) => id),
      ['app/late'],
    );
  }

  it('writes what comes while the first new file is written, once', async () => {
    const early = await refuse();
    await clock.advance(5000);
    assert.equal(file.begun, 2);
    await happen(early);
    file.gate.resolve(undefined);
    await eventually('it is written again', async () => {
      await clock.advance(10);
      return file.written === 2;
    });
    assertAll(await onDisk());
    await clock.advance(300_000);
    assert.equal(file.begun, 3);
  });

  it('writes what comes while the last of it is written at the end', async () => {
    const early = await refuse();
    const stopped = journal.stop();
    assert.equal(file.begun, 2);
    await happen(early);
    file.gate.resolve(undefined);
    await stopped;
    assertAll(await onDisk());
    assert.equal(file.begun, 3);
  });

  it('writes one new file where nothing comes meanwhile', async () => {
    await refuse();
    await clock.advance(5000);
    file.gate.resolve(undefined);
    await eventually('it is written', () => file.written === 1);
    await clock.advance(300_000);
    assert.equal(file.begun, 2);
    assert.equal((await onDisk()).messages.length, 1);
  });
});
