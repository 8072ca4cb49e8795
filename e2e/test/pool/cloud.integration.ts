import assert from 'node:assert/strict';
import { delay } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import type { PoolStatus } from '@hawser/edgecore';
import { netnsAvailable, PoolSite, type NodeChild } from '../../src/index.ts';
import { givenPool } from './given-pool.ts';
import { POOL_HUB, POOL_SERVICES, poolTime, within } from './pool-fixture.ts';
import { PoolReader, SliceWriter } from './pool-reader.ts';

const HOUR_MS = 3_600_000;

describe('a pool and its ways to the cloud', function () {
  this.timeout(900_000);
  let site: PoolSite;

  givenPool({}, (opened) => {
    site = opened;
  });

  beforeEach(async () => {
    await site.heal();
  });

  const all = (): number[] => site.members.map((_, index) => index);
  const others = (...not: readonly number[]): number[] => all().filter((index) => !not.includes(index));
  const oneLeader = (statuses: readonly PoolStatus[]): boolean =>
    new Set(statuses.map(({ leader }) => leader)).size === 1 && statuses[0]?.leader !== '';

  it('lets a member go direct in 60 s that reaches the cloud and not the leader, and has it back in 5 s (P6)', async () => {
    const leader = await site.untilLed();
    const [alone = 0] = others(leader);
    const reader = await PoolReader.start(site, alone);
    await site.setPlugged(alone, 'lan', false);
    await site.until([alone], ([status]) => status?.state === 'DIRECT', within(60));
    assert.equal((await site.status(leader))?.leader, `edge-${leader}`);
    const writer = new SliceWriter(site).start();
    await delay(1_000);
    await writer.stop();
    await writer.check([reader]);
    await site.setPlugged(alone, 'lan', true);
    const startedMs = performance.now();
    await site.until(
      [alone],
      ([status]) => status?.state === 'LIVE' && status.leader === `edge-${leader}`,
      within(5),
    );
    console.log(`    back in ${Math.round(performance.now() - startedMs)} ms`);
    await site.untilLed();
    const again = new SliceWriter(site).start();
    await delay(500);
    await again.stop();
    await again.check([reader]); // the same watch
    assert.equal(await site.streams('direct'), 0);
    await reader.stop();
  });

  it('caps those that go direct at one of ten, and at one at least (P6)', async () => {
    const leader = await site.untilLed();
    const [one = 0, other = 0] = others(leader);
    for (const index of [one, other]) await site.setPlugged(index, 'lan', false);
    await site.until([one, other], (both) => both.some(({ state }) => state === 'DIRECT'), within(60));
    await delay(poolTime(30));
    const states = await Promise.all([one, other].map((index) => site.status(index)));
    assert.equal(states.filter((status) => status?.state === 'DIRECT').length, 1);
    for (const index of [one, other]) await site.setPlugged(index, 'lan', true);
    await site.untilLed();
  });

  it('elects by itself in 20 s when all is offline and the leader is killed; reads never fail (P7)', async () => {
    const leader = await site.untilLed();
    const [one = 0] = others(leader);
    const poller = await Poller.start(site, one);
    const reader = await PoolReader.start(site, one);
    await site.setCloud(false);
    await delay(poolTime(15));
    await site.member(leader).kill();
    const rest = others(leader);
    const elected = await site.until(
      rest,
      (statuses) => oneLeader(statuses) && statuses[0]?.leader !== `edge-${leader}`,
      within(20),
    );
    assert.ok(elected.every(({ provisional }) => provisional));
    await delay(1_000);
    await site.member(leader).start();
    await site.until(all(), oneLeader, within(30));
    await site.setCloud(true);
    await site.untilLed({ deadlineMs: within(60) });
    const writer = new SliceWriter(site).start();
    await delay(500);
    await writer.stop();
    await writer.check([reader]);
    await poller.check();
    for (const status of await Promise.all(all().map((index) => site.status(index))))
      assert.equal(status?.provisional, false);
    await reader.stop();
  });

  it('has one leader in 20 s after a split that happened offline is healed, and no version goes back (P8)', async () => {
    const leader = await site.untilLed();
    const [one = 0, two = 0] = others(leader);
    await site.setCloud(false);
    await delay(poolTime(15));
    await site.network.split([one, two]);
    await site.until(
      [one, two],
      (both) => oneLeader(both) && both[0]?.leader !== `edge-${leader}`,
      within(60),
    );
    const before = await versions();
    await site.network.split([]);
    await site.until(all(), oneLeader, within(20));
    await delay(poolTime(10));
    for (const [index, version] of (await versions()).entries())
      assert.ok(BigInt(version) >= BigInt(before[index] ?? '0'), `${version} after ${before[index]}`);
    await site.setCloud(true);
    await site.untilLed({ deadlineMs: within(60) });
  });

  it('does not care for clocks that are off by an hour (P10)', async () => {
    for (const [index, member] of site.members.entries()) {
      await member.stop();
      await member.start({ wallShiftMs: [0, HOUR_MS, -HOUR_MS, HOUR_MS, -HOUR_MS][index] ?? 0 });
    }
    const leader = await site.untilLed({ deadlineMs: within(60) });
    const [one = 0] = others(leader);
    const reader = await PoolReader.start(site, one);
    const writer = new SliceWriter(site).start();
    await site.member(leader).kill();
    await site.untilLed({ among: others(leader), not: leader, deadlineMs: within(20) });
    await delay(300);
    await writer.stop();
    await writer.check([reader]);
    await reader.stop();
    for (const member of site.members) {
      await member.stop();
      await member.start();
    }
    await site.untilLed({ deadlineMs: within(60) });
  });

  /** Of EndpointSlices, at each member. */
  async function versions(): Promise<readonly string[]> {
    const statuses = await Promise.all(all().map((index) => site.status(index)));
    return statuses.map(
      (status) => status?.resources.find(({ name }) => name.startsWith('endpointslices.'))?.version ?? '0',
    );
  }
});

describe('a pool whose only eligible leader is gone', function () {
  this.timeout(300_000);

  it('reads nothing from the cloud for 29 s (P5)', async function () {
    const available = await netnsAvailable();
    if (!available.ok) this.skip();
    const pool = { leaderElectionStrategy: 'mark', leaderNodeLabelSelector: { 'example.com/leader': 'yes' } };
    const site = await PoolSite.open({
      ...{ hub: POOL_HUB, members: 3, pool },
      edge: {},
      labels: { 0: { 'example.com/leader': 'yes' } },
    });
    try {
      assert.equal(await site.untilLed(), 0);
      const reader = await PoolReader.start(site, 1);
      const poller = await Poller.start(site, 1);
      await site.member(0).kill();
      // Until the hub has heard that its session ended.
      await eventually('its streams are closed', async () => (await site.streams()) === 0);
      const untilMs = performance.now() + poolTime(26);
      while (performance.now() < untilMs) {
        assert.equal(await site.streams(), 0);
        const status = await site.status(1);
        assert.ok(status?.state === 'GRACE' || status?.state === 'LIVE', status?.state);
        await delay(200);
      }
      await site.member(0).start();
      assert.equal(await site.untilLed(), 0);
      const writer = new SliceWriter(site).start();
      await delay(500);
      await writer.stop();
      await writer.check([reader]);
      await poller.check();
      await reader.stop();
    } finally {
      await site.close();
    }
  });
});

/** A program that reads all the time. */
class Poller {
  readonly #child: NodeChild;

  private constructor(child: NodeChild) {
    this.#child = child;
  }

  static async start(site: PoolSite, member: number): Promise<Poller> {
    const kubeconfig = await site.kubeconfig(member);
    const script = new URL('children/poller.js', import.meta.url);
    return new Poller(await site.start(member, { script, args: [kubeconfig] }));
  }

  /** Ends it, and checks that each read was answered with all that is there. */
  async check(): Promise<void> {
    await this.#child.stop();
    let reads = 0;
    for (;;) {
      // What it has said is kept, and then there is nothing more.
      const said = await this.#child.message(() => true, 300).catch(() => undefined);
      if (said === undefined) break;
      assert.deepEqual(said, { code: 200, count: POOL_SERVICES.slices.length });
      reads += 1;
    }
    assert.ok(reads > 10, `${reads} reads`);
  }
}
