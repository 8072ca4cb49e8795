import assert from 'node:assert/strict';
import { deferred, silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { packJson } from '@hawser/sync';
import { HubWords, type HubWordsOptions } from '../../src/pool/hub-words.ts';
import { poolTimes } from '../../src/pool/pool-times.ts';

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
});
