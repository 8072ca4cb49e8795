import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { compareVersions } from '../../src/pool/leader-order.ts';
import type { VirtualMember } from '../../testing/pool/virtual-member.ts';
import { VirtualPool } from '../../testing/pool/virtual-pool.ts';

const SLICES = 'endpointslices.discovery.k8s.io';

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

  function follower(): VirtualMember {
    const found = pool.running.find(({ leads }) => !leads);
    assert.ok(found !== undefined);
    return found;
  }

  it('has one stream for each resource, however many members it has', async () => {
    for (let second = 0; second < 60; second += 1) {
      pool.write(second % 5);
      await clock.advance(1_000);
      assert.ok(pool.cloud.mostStreams <= 1);
    }
    assert.ok(pool.isQuiet, pool.describe());
    assert.equal(pool.cloud.counts.direct, 0);
  });

  it('has another leader within 20 s of the death of one, and readers go on', async () => {
    const { leader } = pool.cloud;
    const { taken } = pool.cloud.counts;
    const reader = follower();
    const before = reader.commits.length;
    pool.get(leader).kill();
    const written = pool.write(1);
    await pool.until('another leader is ready', () => pool.isQuiet, 20_000);
    assert.notEqual(pool.cloud.leader, leader);
    assert.equal(pool.cloud.counts.direct, 0);
    assert.ok(pool.cloud.counts.taken - taken <= 3, 'each resource is read by the new leader only');
    const changes = reader.commits
      .slice(before)
      .flatMap((commit) => (commit.scope.endsWith(SLICES) ? commit.changes : []));
    assert.deepEqual(
      changes.map(({ content }) => content?.version),
      [written],
    );
  });

  it('has another leader within 20 s of the power cut of one', async () => {
    const { leader } = pool.cloud;
    pool.get(leader).kill(true);
    await pool.until('another leader is ready', () => pool.isQuiet, 20_000);
    assert.notEqual(pool.cloud.leader, leader);
    assert.equal(pool.cloud.counts.direct, 0);
  });

  it('is handed over within 3 s where its leader stops', async () => {
    const { leader } = pool.cloud;
    const stopped = pool.get(leader).stop();
    await pool.until('another leader is ready', () => pool.isQuiet && !pool.get(leader).runs, 3_000);
    await stopped;
    assert.equal(pool.cloud.counts.direct, 0);
  });

  it('changes nothing where its leader is without the cloud for 5 s', async () => {
    const { leader, epoch } = pool.cloud;
    pool.get(leader).cutCloud();
    await clock.advance(5_000);
    pool.get(leader).healCloud();
    await clock.advance(30_000);
    assert.deepEqual([pool.cloud.leader, pool.cloud.epoch], [leader, epoch]);
    pool.write(1);
    await pool.until('what is written is there', () => pool.isQuiet, 2_000);
  });

  for (const noticed of [true, false])
    it(`is handed over within 15 s where its leader loses the cloud (noticed ${noticed ? 'at once' : 'late'})`, async () => {
      const { leader } = pool.cloud;
      pool.get(leader).cutCloud(noticed);
      await pool.until(
        'another one leads',
        () => pool.cloud.leader !== leader && pool.isLed(pool.running),
        15_000,
      );
      assert.equal(pool.cloud.counts.direct, 0);
      pool.write(1);
      await pool.until('what is written is there', () => pool.isQuiet, 2_000);
      assert.equal(pool.get(leader).state, 'LIVE', 'the former leader follows');
      pool.get(leader).healCloud();
      await clock.advance(30_000);
      assert.ok(pool.isQuiet, pool.describe());
    });

  it('reads nothing from the cloud while its leader is away for 29 s', async () => {
    const { leader } = pool.cloud;
    pool.lan.isolate(leader);
    await clock.advance(28_900);
    assert.equal(pool.cloud.counts.direct, 0);
    pool.lan.heal();
    await pool.until('all follow again', () => pool.isLed(pool.running), 5_000);
    assert.equal(pool.cloud.counts.direct, 0);
    assert.equal(pool.cloud.leader, leader);
  });

  it('lets one member go without the leader that only it cannot reach, within 60 s, and back within 5 s', async () => {
    const member = follower();
    pool.lan.split([member.node], [pool.cloud.leader]);
    await pool.until('it is direct', () => member.state === 'DIRECT', 60_100);
    const written = pool.write(2);
    await pool.until('it reads from the cloud', () => pool.hasAll(member), 1_000);
    assert.ok(compareVersions(member.view(SLICES)?.version ?? '', written) >= 0);
    assert.ok(pool.cloud.counts.direct > 0);
    await clock.advance(400_000);
    assert.equal(member.state, 'DIRECT', 'the grant is renewed');
    pool.lan.heal();
    await pool.until('it follows', () => member.state === 'LIVE', 5_000);
    const isOver = (): boolean => [...pool.cloud.streams].every(({ direct }) => !direct);
    await pool.until('it reads nothing from the cloud', isOver, 500);
    pool.write(3);
    await pool.until('it has what is new', () => pool.isQuiet, 2_000);
  });

  it('lets no more members go without a leader than the cloud grants', async () => {
    pool.lan.isolate(pool.cloud.leader);
    for (let second = 0; second < 120; second += 1) {
      await clock.advance(1_000);
      const direct = new Set(
        [...pool.cloud.streams].flatMap((stream) => (stream.direct ? [stream.node] : [])),
      );
      assert.ok(direct.size <= 1);
    }
    const states = pool.running.map(({ state }) => state).sort();
    assert.deepEqual(states, ['DIRECT', 'LIVE', 'STALE', 'STALE', 'STALE']);
    pool.lan.heal();
    await pool.until('all follow again', () => pool.isLed(pool.running), 5_000);
  });

  it('fences a leader that wakes up from a SIGSTOP, and nobody follows it', async () => {
    const { leader } = pool.cloud;
    const stopped = pool.get(leader);
    stopped.process.stop();
    await pool.until(
      'another one leads',
      () => pool.isLed(pool.running.filter((one) => one !== stopped)),
      20_000,
    );
    const { leader: next } = pool.cloud;
    assert.notEqual(next, leader);
    stopped.process.goOn();
    await pool.until('it follows', () => pool.isLed(pool.running), 10_000);
    assert.equal(pool.cloud.leader, next);
    assert.equal(stopped.leader, next);
    assert.ok(pool.cloud.mostStreams <= 1);
  });

  it('does not care what the clocks on the walls say', async () => {
    for (const [index, member] of pool.running.entries()) member.process.skewMs = (index - 2) * 1_800_000;
    const { epoch } = pool.cloud;
    await clock.advance(120_000);
    assert.equal(pool.cloud.epoch, epoch);
    pool.get(pool.cloud.leader).kill();
    await pool.until('another leader is ready', () => pool.isQuiet, 20_000);
    assert.equal(pool.cloud.counts.direct, 0);
  });

  it('has another leader where one node takes the place of the leader’s', async () => {
    const { leader } = pool.cloud;
    pool.cloud.remove(leader);
    const fresh = pool.add('n9');
    await fresh.start();
    const others = pool.running.filter(({ node }) => node !== leader);
    await pool.until('another leader is ready', () => pool.isLed(others), 20_000);
    assert.equal(pool.get(leader).member.pool, `~${leader}`);
  });

  it('begins and ends to share a resource, and leaves the others alone', async () => {
    const nodes = { group: 'apps', version: 'v1', resource: 'wonders', kind: 'Wonder', namespaced: true };
    const { taken } = pool.cloud.counts;
    const slices = pool.running.map((member) => member.view(SLICES));
    pool.cloud.resources.put('wonders.apps', 'one');
    pool.cloud.share(nodes, true);
    const isThere = (member: VirtualMember): boolean => member.view('wonders.apps')?.size === 1;
    await pool.until('all have it', () => pool.running.every(isThere), 10_000);
    assert.equal(pool.cloud.counts.taken - taken, 1);
    pool.cloud.share(nodes, false);
    const isGone = (member: VirtualMember): boolean => member.view('wonders.apps') === undefined;
    await pool.until('it is gone', () => pool.running.every(isGone), 10_000);
    await clock.advance(10_000);
    assert.equal(pool.cloud.counts.taken - taken, 1, 'no other stream was begun anew');
    assert.deepEqual(
      pool.running.map((member) => member.view(SLICES)),
      slices,
    );
    assert.ok(pool.isQuiet, pool.describe());
  });

  it('lists everything once when all its members restart together', async () => {
    for (const member of pool.running) member.kill();
    for (const member of pool.members.values()) member.snapshots.kept.clear();
    const { taken } = pool.cloud.counts;
    for (const member of pool.members.values()) await member.start();
    await pool.until('all follow one leader', () => pool.isQuiet, 30_000);
    assert.equal(pool.cloud.counts.direct, 0);
    assert.ok(pool.cloud.counts.taken - taken <= 6, 'one stream for each resource, and of one leader before');
  });
});
