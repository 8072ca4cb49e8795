import assert from 'node:assert/strict';
import { deferred } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { POOL_RESOURCES, type PoolRoster, type UpstreamBodies } from '@hawser/sync';
import { readRoster } from '../../src/pool/pool-documents.ts';
import { endpointOf } from '../../testing/pool/virtual-lan.ts';
import type { VirtualMember } from '../../testing/pool/virtual-member.ts';
import { VirtualPool } from '../../testing/pool/virtual-pool.ts';

type Said = UpstreamBodies['pool-report'] & { readonly node: string };

describe('What a pool is told of members that start', () => {
  let clock: FakeClock;
  let pool: VirtualPool;
  /** Reports that the cloud has heard. */
  let said: Said[];

  beforeEach(() => {
    clock = new FakeClock();
    pool = new VirtualPool({ clock, members: 5 });
    said = [];
    const report = pool.cloud.report.bind(pool.cloud);
    pool.cloud.report = (node, body) => {
      said.push({ ...body, node });
      report(node, body);
    };
  });

  afterEach(async () => {
    const { faults } = pool;
    await pool.stop();
    assert.deepEqual(faults, []);
  });

  /** Keeps the next port from being open until it may be. */
  function holdPort(): () => void {
    const mayOpen = deferred<undefined>();
    const join = pool.lan.join.bind(pool.lan);
    pool.lan.join = (node, process) => {
      const link = join(node, process);
      const open = link.open.bind(link);
      return Object.assign(link, {
        open: async (gate: Parameters<typeof open>[0]) => {
          await mayOpen.promise;
          await open(gate);
        },
      });
    };
    return () => mayOpen.resolve(undefined);
  }

  /** Rosters that a member was shown since it had so many commits. */
  function rostersSince(before: number, { commits }: VirtualMember): readonly PoolRoster[] {
    return commits
      .slice(before)
      .filter(({ scope }) => scope.endsWith(POOL_RESOURCES.roster))
      .flatMap(({ changes }) => changes.flatMap(({ content }) => (content && readRoster(content)) ?? []));
  }

  /** A stop waits for time that only this test moves. */
  async function stopped(member: VirtualMember): Promise<void> {
    let isOver = false;
    const over = member.stop().then(() => (isOver = true));
    await pool.until('it has stopped', () => isOver, 10_000, 100);
    await over;
  }

  it('is first said once the port is open, by one that comes into the pool', async () => {
    await pool.start();
    const open = holdPort();
    const fresh = pool.add('n9', false);
    await fresh.start();
    await clock.advance(5_000);
    const before = pool.get('n1').commits.length;
    said = [];
    pool.cloud.add('n9');
    await clock.advance(5_000);
    // Another session: whoever runs says again how it is.
    fresh.cutCloud(true);
    fresh.healCloud();
    await clock.advance(5_000);
    assert.deepEqual(said, [], 'its port is not open yet');
    open();
    await pool.until('it follows', () => pool.isQuiet, 5_000);
    await clock.advance(10_000);
    assert.deepEqual([...new Set(said.map(({ endpoint }) => endpoint))], [endpointOf('n9')]);
    assert.equal(rostersSince(before, pool.get('n1')).length, 2, 'it is there, and where it is');
  });

  for (const [how, end] of [
    ['crashed', (member: VirtualMember) => member.kill()],
    ['been stopped', (member: VirtualMember) => stopped(member)],
  ] as const)
    it(`is said once by each of those that have ${how} one after another, and changes nothing`, async () => {
      await pool.start();
      await clock.advance(60_000);
      const { leader, epoch } = pool.cloud;
      const { version } = pool.cloud.resources;
      const followers = pool.running.filter(({ leads }) => !leads);
      // A leader that stops is replaced: that is another roster.
      for (const member of how === 'crashed' ? [...followers, pool.get(leader)] : followers) {
        said = [];
        await end(member);
        await clock.advance(500);
        await member.start();
        await pool.until(`${member.node} is there again`, () => pool.isQuiet, 10_000);
        await clock.advance(60_000);
        const ofIt = said.filter(({ resign }) => resign !== true);
        assert.deepEqual(
          ofIt.map(({ node, endpoint }) => `${node} ${endpoint}`),
          [`${member.node} ${endpointOf(member.node)}`],
        );
      }
      assert.equal(pool.cloud.resources.version, version, 'the roster is as it was');
      assert.deepEqual([pool.cloud.leader, pool.cloud.epoch], [leader, epoch]);
    });

  it('is that another one leads where the leader is stopped, and nothing else when it is back', async () => {
    await pool.start();
    const stopping = pool.get(pool.cloud.leader);
    const [reader] = pool.running.filter(({ leads }) => !leads);
    assert.ok(reader !== undefined);
    const before = reader.commits.length;
    await stopped(stopping);
    await pool.until('another one leads', () => pool.isQuiet, 10_000);
    await stopping.start();
    await pool.until('it is there again', () => pool.isQuiet, 10_000);
    await clock.advance(10_000);
    const rosters = rostersSince(before, reader);
    assert.deepEqual(
      rosters.map(({ leader }) => leader),
      [pool.cloud.leader],
    );
    const places = rosters.flatMap(({ members }) => members.map(({ endpoint }) => endpoint));
    assert.deepEqual(places, [...pool.members.keys()].map(endpointOf));
  });
});
