import assert from 'node:assert/strict';
import { delay } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import type { PoolSite } from '../../src/index.ts';
import { givenPool } from './given-pool.ts';
import { poolTime, within } from './pool-fixture.ts';
import { PoolReader, SliceWriter } from './pool-reader.ts';

/**
 * 5 s with heartbeats of 5 s. With shorter ones it is shorter than in proportion: TCP sends again 0.2, 0.6 and 1.4 s after
 * what was lost, whatever the heartbeat, and until then the hub is not heard.
 */
const SHORT_CUT_MS = scaled(500, 5_000);

describe('the leader of a pool', function () {
  this.timeout(600_000);
  let site: PoolSite;

  givenPool({}, (opened) => {
    site = opened;
  });

  beforeEach(async () => {
    await site.heal();
  });

  const others = (...not: readonly number[]): number[] =>
    site.members.map((_, index) => index).filter((index) => !not.includes(index));

  /** Samples streams without a leader while something goes on. @returns the most that there were */
  async function mostDirect(work: () => Promise<void>): Promise<number> {
    let most = 0;
    let going = true;
    const sampling = (async () => {
      while (going) {
        most = Math.max(most, await site.streams('direct'));
        await delay(200);
      }
    })();
    try {
      await work();
    } finally {
      going = false;
      await sampling;
    }
    return most;
  }

  it('is followed by another one in 20 s when it is killed; readers miss nothing, list nothing again (P2)', async () => {
    const leader = await site.untilLed();
    const [one = 0, other = 0] = others(leader);
    const readers = [await PoolReader.start(site, one), await PoolReader.start(site, other)];
    const writer = new SliceWriter(site).start();
    await delay(500);
    const direct = await mostDirect(async () => {
      await site.member(leader).kill();
      const next = await site.untilLed({ among: others(leader), not: leader, deadlineMs: within(20) });
      assert.notEqual(next, leader);
      await delay(500);
    });
    await writer.stop();
    await writer.check(readers);
    assert.equal(direct, 0);
    for (const reader of readers) await reader.stop();
    await site.member(leader).start();
    await site.untilLed();
  });

  it('hands over in 3 s when it is stopped (P3)', async () => {
    const leader = await site.untilLed();
    const [reader = 0] = others(leader);
    const heard = await PoolReader.start(site, reader);
    const writer = new SliceWriter(site).start();
    await delay(300);
    const stopping = site.member(leader).stop();
    const startedMs = performance.now();
    await site.until(
      others(leader),
      (all) => {
        return all.every(
          (status) => status.leader !== `edge-${leader}` && status.leader !== '' && status.state === 'LIVE',
        );
      },
      15_000,
    );
    const tookMs = performance.now() - startedMs;
    await stopping;
    assert.ok(tookMs <= 3_000, `handed over in ${Math.round(tookMs)} ms`);
    await delay(300);
    await writer.stop();
    await writer.check([heard]);
    await heard.stop();
    await site.member(leader).start();
    await site.untilLed();
  });

  it('stays when it loses the cloud for 5 s (P4)', async () => {
    const leader = await site.untilLed();
    const before = await site.status(leader);
    await site.setPlugged(leader, 'cloud', false);
    await delay(SHORT_CUT_MS);
    await site.setPlugged(leader, 'cloud', true);
    await delay(poolTime(10));
    const after = await site.status(leader);
    assert.deepEqual([after?.leader, after?.epoch], [before?.leader, before?.epoch]);
    assert.equal(await site.untilLed(), leader);
  });

  it('hands over in 15 s when it alone loses the cloud for longer, and reads from its successor (P4)', async () => {
    const leader = await site.untilLed();
    await site.setPlugged(leader, 'cloud', false);
    const startedMs = performance.now();
    const writer = new SliceWriter(site).start();
    await site.until(
      others(),
      (all) => {
        return all.every(
          (status) => status.leader !== `edge-${leader}` && status.leader !== '' && status.state === 'LIVE',
        );
      },
      within(15),
    );
    const tookMs = performance.now() - startedMs;
    await writer.stop();
    const reader = await PoolReader.start(site, leader);
    const again = new SliceWriter(site).start();
    await delay(1_000);
    await again.stop();
    await again.check([reader]); // by the LAN: its own way to the cloud is still cut
    await reader.stop();
    await site.setPlugged(leader, 'cloud', true);
    await site.untilLed();
    console.log(`    ${Math.round(tookMs)} ms`);
  });

  it('is fenced when it wakes from a stop that others have noticed (P9)', async () => {
    const leader = await site.untilLed();
    const before = await site.status(leader);
    await site.member(leader).process.freeze();
    const next = await site.untilLed({ among: others(leader), not: leader, deadlineMs: within(30) });
    const reader = await PoolReader.start(site, next);
    site.member(leader).process.thaw();
    assert.equal(await site.untilLed(), next);
    const after = await site.status(leader);
    assert.ok((after?.epoch ?? 0) > (before?.epoch ?? 0));
    const writer = new SliceWriter(site).start();
    await delay(1_000);
    await writer.stop();
    await writer.check([reader]);
    await reader.stop();
  });

  it('goes on from disk after a crash: only what has changed travels (P18)', async () => {
    const leader = await site.untilLed();
    const [member = 0] = others(leader);
    await site.member(member).stop(); // writes its snapshots
    await site.member(member).start();
    await site.untilLed();
    await site.member(member).kill();
    const slices = new SliceWriter(site).start(20);
    await delay(200);
    await slices.stop();
    const before = await site.station(member).counters('lan');
    await site.member(member).start();
    await site.untilLed();
    const after = await site.station(member).counters('lan');
    const bytes = after.received.bytes - before.received.bytes;
    assert.ok(bytes < 30_000, `${bytes} bytes came by the LAN`);
  });
});
