import assert from 'node:assert/strict';
import { deferred, silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { packJson, unpackJson, type VolatileMessage } from '@hawser/sync';
import { HubWords, type HubWordsOptions } from '../../src/pool/hub-words.ts';
import { poolTimes } from '../../src/pool/pool-times.ts';

/** What a member reports that has nothing yet. */
const SILENT = {
  pool: 'shop',
  endpoint: '',
  epoch: 0,
  version: '',
  complete: false,
  writable: true,
  peers: 0,
};

describe('What a member says to the hub', () => {
  it('is claimed once at a time, and nobody looks again before the answer is there', async () => {
    const clock = new FakeClock();
    const answer = deferred<Uint8Array>();
    let changes = 0;
    let asked = 0;
    const options: HubWordsOptions = {
      requests: {
        request: () => {
          asked += 1;
          return answer.promise;
        },
      },
      outbox: { putVolatile: () => {}, withdraw: () => {} },
      report: () => undefined,
      place: () => 'searching',
      onClaimed: () => {},
      onRefused: () => {},
      times: () => poolTimes(),
      onChange: () => (changes += 1),
      clock,
      log: silentLogger,
    };
    const words = new HubWords(options);
    const claim = { pool: 'shop', epoch: 1, silentMs: 20_000 };
    const { claimMs } = poolTimes();
    assert.equal(words.claim(claim), claimMs);
    await clock.advance(claimMs * 2);
    assert.equal(words.claim(claim), Infinity, 'it would be looked at all the time');
    assert.equal(asked, 1);
    answer.resolve(packJson({ epoch: 2, leader: 'n1' }));
    await clock.advance(0);
    assert.equal(changes, 1);
    assert.equal(words.claim(claim), claimMs * 3);
    assert.equal(asked, 2);
  });

  it('is how it stands: at once what the hub goes by, the rest once a minute', async () => {
    const clock = new FakeClock();
    const { reportMs, versionReportMs } = poolTimes();
    let place: ReturnType<HubWordsOptions['place']> = 'searching';
    const body = { ...SILENT };
    let reports = 0;
    const words = new HubWords({
      requests: { request: () => Promise.reject(new Error('nothing is asked')) },
      outbox: { putVolatile: () => (reports += 1), withdraw: () => {} },
      report: () => ({ ...body }),
      place: () => place,
      onClaimed: () => {},
      onRefused: () => {},
      times: () => poolTimes(),
      onChange: () => {},
      clock,
      log: silentLogger,
    });
    const after = async (ms: number): Promise<number> => {
      await clock.advance(ms);
      words.look();
      return reports;
    };
    assert.equal(await after(0), 1);
    body.version = '7';
    assert.equal(await after(reportMs), 2, 'who has the highest version leads');
    place = 'following';
    assert.equal(await after(reportMs), 2, 'that there is a leader it hears from the leader');
    Object.assign(body, { version: '8', epoch: 3, complete: true, peers: 2 });
    assert.equal(await after(reportMs), 2);
    body.endpoint = '10.0.0.1:10550';
    assert.equal(await after(reportMs), 3, 'it could lead');
    body.version = '9';
    assert.equal(await after(versionReportMs - 1), 3);
    assert.equal(await after(1), 4);
    place = 'leading';
    body.version = '10';
    assert.equal(await after(reportMs), 4);
    body.complete = false;
    assert.equal(await after(reportMs), 5, 'its followers wait');
  });

  it('is reported as it was when it was sent, and not once more', async () => {
    const clock = new FakeClock();
    const { reportMs, versionReportMs } = poolTimes();
    const body = { ...SILENT };
    const queued: VolatileMessage[] = [];
    const words = new HubWords({
      requests: { request: () => Promise.reject(new Error('nothing is asked')) },
      outbox: { putVolatile: (message) => queued.push(message), withdraw: () => {} },
      report: () => ({ ...body }),
      place: () => 'searching',
      onClaimed: () => {},
      onRefused: () => {},
      times: () => poolTimes(),
      onChange: () => {},
      clock,
      log: silentLogger,
    });
    words.look();
    // There is no session yet: what is sent is made once there is one.
    await clock.advance(reportMs / 2);
    Object.assign(body, { endpoint: '10.0.0.1:10550', version: '7', complete: true });
    assert.equal(queued.length, 1);
    const sent = unpackJson(queued[0]?.body() ?? new Uint8Array(0));
    assert.deepEqual(sent, body);
    await clock.advance(versionReportMs);
    assert.equal(words.look(), Infinity, 'the hub knows it all');
    assert.equal(queued.length, 1);
    body.endpoint = '10.0.0.2:10550';
    words.look();
    assert.equal(queued.length, 2);
  });
});
