import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { VirtualPool } from '../../testing/pool/virtual-pool.ts';

const SLICES = 'endpointslices.discovery.k8s.io';

describe('A larger pool without a cloud', () => {
  let clock: FakeClock;
  let pool: VirtualPool;

  beforeEach(async () => {
    clock = new FakeClock();
    pool = new VirtualPool({ clock, members: 12 });
    await pool.start();
    for (const member of pool.running) member.cutCloud(true);
    await clock.advance(20_000);
  });

  afterEach(async () => {
    const { faults } = pool;
    await pool.stop();
    assert.deepEqual(faults, []);
  });

  it('has a leader in each of its parts within 20 s, though most members cannot be reached', async () => {
    const names = [...pool.members.keys()];
    const parts = [names.slice(0, 2), names.slice(2, 5), names.slice(5)];
    pool.lan.split(...parts);
    const areLed = (): boolean => parts.every((part) => pool.isLed(part.map((name) => pool.get(name))));
    await pool.until('each part has its leader', areLed, 20_000);
    pool.lan.heal();
    await pool.until('there is one leader', () => pool.isLed(pool.running), 20_000);
  });

  it('has another leader within 20 s each time that the power of one is cut, and of one that has only just begun', async () => {
    for (const silently of [true, false, false, true]) {
      const [leader = ''] = pool.leaders;
      pool.get(leader).kill(silently);
      await pool.until('another one leads', () => pool.isLed(pool.running), 20_000);
    }
  });

  it('is led by whoever has all, where one knows of a resource that it has nothing of', async () => {
    const [leader = ''] = pool.leaders;
    const [one, other] = pool.running.filter(({ leads }) => !leads);
    assert.ok(one !== undefined && other !== undefined);
    // It begins with an empty disk, and hears of the pool from the others, who do not lead.
    one.kill();
    one.snapshots.kept.clear();
    pool.get(leader).kill();
    pool.lan.isolate(other.node);
    await one.start();
    await pool.until('one of the others leads', () => pool.leaders.length > 0, 20_000);
    assert.ok(!pool.leaders.includes(one.node));
  });
});

describe('A pool without a cloud', () => {
  let clock: FakeClock;
  let pool: VirtualPool;
  /** As the cloud had appointed it. */
  let leader: string;
  let epoch: number;

  beforeEach(async () => {
    clock = new FakeClock();
    pool = new VirtualPool({ clock, members: 5 });
    await pool.start();
    ({ leader, epoch } = pool.cloud);
    for (const member of pool.running) member.cutCloud(true);
    await clock.advance(20_000);
  });

  afterEach(async () => {
    const { faults } = pool;
    await pool.stop();
    assert.deepEqual(faults, []);
  });

  function healAll(): void {
    for (const member of pool.running) member.healCloud();
  }

  it('goes on with its leader, which shows how old it is', async () => {
    assert.ok(pool.isLed(pool.running), pool.describe());
    assert.equal(pool.get(leader).state, 'STALE');
    const status = pool.get(pool.leaders[0] === 'n1' ? 'n2' : 'n1').member.status();
    assert.equal(status?.state, 'LIVE');
    assert.ok((status.ageSeconds ?? 0) > 15, `${status.ageSeconds}`);
    healAll();
    await pool.until('the cloud is used again', () => pool.get(leader).state === 'LIVE', 5_000);
    assert.equal(pool.cloud.epoch, epoch);
    pool.write(1);
    await pool.until('what is written is there', () => pool.isQuiet, 2_000);
  });

  for (const silently of [false, true])
    it(`chooses another leader within 20 s of the ${silently ? 'power cut' : 'death'} of one`, async () => {
      pool.get(leader).kill(silently);
      await pool.until('another one leads', () => pool.isLed(pool.running), 20_000);
      const [next = ''] = pool.leaders;
      assert.deepEqual(
        pool.running.map(({ member }) => [member.status()?.provisional, member.status()?.epoch]),
        pool.running.map(() => [true, epoch]),
      );
      for (const member of pool.running) assert.equal(member.view(SLICES)?.size, 3);
      healAll();
      await pool.until('the cloud has a leader', () => pool.isQuiet && pool.cloud.epoch > epoch, 20_000);
      assert.ok(next !== '');
      assert.equal(pool.cloud.counts.direct, 0);
    });

  it('is handed over within 3 s where its leader stops', async () => {
    const stopped = pool.get(leader).stop();
    await pool.until('another one leads', () => !pool.get(leader).runs && pool.isLed(pool.running), 3_000);
    await stopped;
  });

  it('has one leader in each half of a split, and one within 20 s of its end', async () => {
    const halves = [
      ['n1', 'n2', 'n3'],
      ['n4', 'n5'],
    ] as const;
    pool.lan.split(...halves);
    const of = (names: readonly string[]): boolean => pool.isLed(names.map((name) => pool.get(name)));
    await pool.until('each half has its leader', () => halves.every(of), 40_000);
    assert.equal(pool.leaders.length, 2);
    pool.lan.heal();
    await pool.until('there is one leader', () => pool.isLed(pool.running), 20_000);
    healAll();
    await pool.until('the cloud is used again', () => pool.isQuiet, 20_000);
  });

  it('finds a leader after all of it was dark, from what the disks have', async () => {
    for (const member of pool.running) member.kill(true);
    await clock.advance(5_000);
    for (const member of pool.members.values()) await member.start();
    for (const member of pool.running) assert.equal(member.view(SLICES)?.size, 3, 'readers have all at once');
    await pool.until('one leads', () => pool.isLed(pool.running), 20_000);
  });

  it('follows the cloud where one half of it has one', async () => {
    const [first, ...others] = pool.running.filter(({ leads }) => !leads);
    assert.ok(first !== undefined);
    first.healCloud();
    await pool.until('it leads', () => pool.cloud.leader === first.node && pool.isLed(pool.running), 20_000);
    pool.write(4);
    await pool.until('those without a cloud have it too', () => pool.isQuiet, 3_000);
    assert.ok(others.every(({ member }) => member.cloud));
  });

  it('gets rid of two members that follow each other', async () => {
    // Each of the two knows of the other one only, and that it leads.
    pool.get(leader).kill();
    await clock.advance(200);
    const names = pool.running.map(({ node }) => node);
    const [one = '', other = ''] = names;
    for (const [node, leads] of [
      [one, other],
      [other, one],
    ] as const) {
      const run = pool.get(node).member.run;
      run?.table.hear({ ...claimOf(leads), epoch, version: '999999', leader: leads }, clock.monotonicMs());
      run?.soon();
    }
    await pool.until('one leads', () => pool.isLed(pool.running), 20_000);
  });
});

function claimOf(node: string) {
  return {
    ...{ node, pool: 'shop', endpoint: `${node}.lan:10263`, rosterVersion: '', complete: true, leads: true },
    ...{
      provisional: true,
      ready: true,
      cloud: false,
      cloudMs: -1,
      electing: false,
      life: '',
      stopping: false,
      state: 'STALE' as const,
    },
  };
}
