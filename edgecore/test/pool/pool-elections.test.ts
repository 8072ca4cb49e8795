import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { VirtualPool } from '../../testing/pool/virtual-pool.ts';

describe('A pool with a cloud', () => {
  let clock: FakeClock;
  let pool: VirtualPool;

  beforeEach(async () => {
    clock = new FakeClock();
    pool = new VirtualPool({ clock, members: 5 });
    await pool.start();
  });

  afterEach(async () => {
    const { faults } = pool;
    await pool.stop();
    assert.deepEqual(faults, []);
  });

  it('has one stream for each resource, however many members it has', async () => {
    for (let second = 0; second < 60; second += 1) {
      pool.write(second % 5);
      await clock.advance(1_000);
      assert.ok(pool.cloud.mostStreams <= 1);
    }
    assert.ok(pool.isQuiet, pool.describe());
    assert.equal(pool.cloud.counts.direct, 0);
  });

  it('has another leader within 20 s of the death of one', async () => {
    const { leader } = pool.cloud;
    const taken = pool.cloud.counts.taken;
    pool.get(leader).kill();
    const afterMs = await pool.until('another leader is ready', () => pool.isQuiet, 20_000);
    assert.notEqual(pool.cloud.leader, leader);
    assert.ok(afterMs <= 20_000);
    assert.equal(pool.cloud.counts.direct, 0);
    assert.ok(pool.cloud.counts.taken - taken <= 3, 'each resource is read by the new leader only');
  });
});
