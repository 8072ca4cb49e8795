import assert from 'node:assert/strict';
import { encodeHubMessage, decodeHubMessage, type Credentials, type SessionFrame } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { FakeClock } from '@hawser/seams/testing';
import { SOLO_PREFIX } from '@hawser/sync';
import { MODEL_LIFE } from '../../testing/pool/model-resources.ts';
import type { VirtualMember } from '../../testing/pool/virtual-member.ts';
import { VirtualPool } from '../../testing/pool/virtual-pool.ts';

const SLICES = 'endpointslices.discovery.k8s.io';

describe('What members of a pool are given', () => {
  let clock: FakeClock;
  let pool: VirtualPool;

  beforeEach(() => {
    clock = new FakeClock();
    pool = new VirtualPool({ clock, members: 4 });
  });

  afterEach(async () => {
    const { faults } = pool;
    await pool.stop();
    assert.deepEqual(faults, []);
  });

  it('is refused where the leader alters it, and that leader is avoided', async () => {
    await pool.start();
    const { leader } = pool.cloud;
    const followers = pool.running.filter(({ leads }) => !leads);
    const before = followers.map((member) => textOf(member, 'slice-0'));
    pool.lan.tamper = (frame, from) => (from === leader ? altered(frame) : undefined);
    pool.write(0, 'as the cloud has it');
    await pool.until(
      'all have refused it',
      () => followers.every(({ refused }) => refused.length === 1),
      5_000,
    );
    for (const [index, member] of followers.entries()) {
      assert.deepEqual(member.refused, [leader]);
      assert.equal(textOf(member, 'slice-0'), before[index], 'nobody is shown what was altered');
      assert.ok(member.member.problems().some(({ code }) => code === 'ERR_SYNC_FORGED'));
      assert.equal(member.member.counters.refusals, 1);
    }
    // The hub hears the leader, and goes on with it: those that avoid it go without, as many as may.
    await pool.until('one goes without it', () => followers.some(({ state }) => state === 'DIRECT'), 70_000);
    const [direct] = followers.filter(({ state }) => state === 'DIRECT');
    assert.ok(direct !== undefined);
    await pool.until('it has what the cloud has', () => pool.hasAll(direct), 2_000);
    assert.ok(
      followers.every(({ refused }) => refused.length === 1),
      'nobody tries it again before its time',
    );
    pool.lan.tamper = undefined;
    pool.get(leader).kill();
    await pool.until('another one leads', () => pool.isQuiet, 40_000);
  });

  for (const first of ['its leader', 'a follower'])
    it(`counts in the present life of the cluster, of which ${first} hears first`, async () => {
      await pool.start();
      const { leader, epoch, resources } = pool.cloud;
      const [early, ...late] = [...pool.running].sort((one, other) => {
        const isFirst = (member: VirtualMember): boolean => member.leads === (first === 'its leader');
        return Number(isFirst(other)) - Number(isFirst(one));
      });
      for (const member of pool.running) member.cutCloud(true);
      resources.beginLife('second', resources.backup());
      pool.cloud.restored(leader, epoch);
      early?.healCloud();
      await clock.advance(4_000);
      for (const member of late) member.healCloud();
      const life = `${MODEL_LIFE.clusterUid}/second`;
      const isStamped = ({ member }: VirtualMember): boolean =>
        [...member.resources().keys()].every((resource) => member.run?.scopes.isOf(resource, life));
      // Nothing of it has changed: the stamps are all that is new.
      await pool.until('all show what was signed in it', () => pool.running.every(isStamped), 10_000);
      for (const member of pool.running) assert.equal(member.member.counters.refusals, 0, member.node);
      for (const member of pool.running) member.cutCloud(true);
      await clock.advance(15_000);
      pool.get(pool.leaders[0] ?? '').kill();
      await pool.until('another one leads', () => pool.isLed(pool.running), 20_000);
      for (const member of pool.running) assert.equal(member.member.counters.refusals, 0, member.node);
    });

  it('is there again after a crash, and only what has changed travels', async () => {
    await pool.start(300);
    await clock.advance(60_000);
    const [member] = pool.running.filter(({ leads }) => !leads);
    assert.ok(member !== undefined);
    member.kill();
    pool.write(7, 'while it was away');
    const { lanBytes } = pool.get(pool.cloud.leader).member.counters;
    const before = lanBytes.out;
    await member.start();
    assert.equal(member.view(SLICES)?.size, 300, 'readers have it before anybody was asked');
    await pool.until('it has what is new', () => pool.isQuiet, 5_000);
    assert.ok(lanBytes.out - before < 25_000, `${lanBytes.out - before} bytes`);
    assert.equal(pool.cloud.counts.direct, 0);
  });

  it('is what the cloud has, at a node without a pool, once somebody asks', async () => {
    pool.write(1);
    const alone = pool.add('alone', false);
    await alone.start();
    await clock.advance(5_000);
    assert.equal(alone.member.pool, `${SOLO_PREFIX}alone`);
    assert.equal(pool.cloud.streams.size, 0, 'nobody has asked');
    alone.member.needed();
    await pool.until('it has it', () => alone.view(SLICES)?.size === 1, 5_000);
    assert.equal(alone.member.roster, undefined);
    assert.equal(alone.state, 'LIVE');
    await clock.advance(20_000);
    alone.kill();
    await alone.start();
    assert.equal(alone.view(SLICES)?.size, 1, 'from the disk');
    pool.write(2);
    await pool.until('it goes on without being asked again', () => alone.view(SLICES)?.size === 2, 5_000);
    alone.cutCloud(true);
    await clock.advance(31_000);
    assert.equal(alone.state, 'STALE');
    alone.healCloud();
    await pool.until('it is back', () => alone.state === 'LIVE', 5_000);
  });

  it('is what the cloud has, at each member at once, in a pool that nobody is to lead', async () => {
    pool.cloud.leaderless = true;
    pool.write(0);
    for (const member of pool.members.values()) await member.start();
    const areDirect = (): boolean =>
      pool.running.every((member) => member.state === 'DIRECT' && pool.hasAll(member));
    await pool.until('all read for themselves', areDirect, 1_000);
    pool.write(1);
    await pool.until('all have what is new', () => pool.running.every((one) => pool.hasAll(one)), 1_000);
    pool.cloud.leaderless = false;
  });

  it('is held back where nearly all of it goes, and goes where the cloud means it', async () => {
    await pool.start(20);
    for (const name of pool.cloud.resources.names(SLICES)) pool.cloud.resources.remove(SLICES, name);
    await clock.advance(1_000);
    for (const member of pool.running) assert.equal(member.view(SLICES)?.size, 20);
    await pool.until(
      'it is gone everywhere',
      () => pool.running.every((member) => member.view(SLICES)?.size === 0),
      8_000,
    );
  });
});

describe('Addresses of pods after an offline reboot', () => {
  let clock: FakeClock;
  let pool: VirtualPool;
  let credentials: ReadonlyMap<string, Credentials>;

  before(async () => {
    const authority = await TestAuthority.create();
    const names = ['n1', 'n2', 'n3', 'n4'];
    const all = await Promise.all(names.map(async (name) => [name, await authority.edge(name)] as const));
    credentials = new Map(all);
  });

  beforeEach(async () => {
    clock = new FakeClock({ wallMs: Date.now() });
    const of = (node: string): Credentials => {
      const own = credentials.get(node);
      assert.ok(own !== undefined);
      return own;
    };
    pool = new VirtualPool({ clock, members: 4, credentials: of });
    await pool.start();
    for (const member of pool.running) member.cutCloud(true);
    await pool.until(
      'nobody hears the cloud',
      () => pool.running.every(({ member }) => !member.cloud),
      30_000,
    );
  });

  afterEach(() => pool.stop());

  it('are known everywhere within 5 s, by the word of each node', async () => {
    for (const [index, member] of pool.running.entries())
      member.pods = new Map([[`pod-${index}`, { ips: [`10.1.0.${index}`], ready: true }]]);
    const isKnown = ({ member }: VirtualMember): boolean => member.overlay().size === 4;
    await pool.until('all know all', () => pool.running.every(isKnown), 5_000);
    const [first] = pool.running;
    assert.deepEqual(first?.member.overlay().get('pod-2'), [{ node: 'n3', ips: ['10.1.0.2'], ready: true }]);
    pool.get('n4').pods = new Map([['pod-3', { ips: ['10.1.9.9'], ready: false }]]);
    const isNew = ({ member }: VirtualMember): boolean =>
      member.overlay().get('pod-3')?.[0]?.ips[0] === '10.1.9.9';
    await pool.until('all know the new one', () => pool.running.every(isNew), 5_000);
    for (const member of pool.running) member.healCloud();
    const isOver = ({ member }: VirtualMember): boolean => member.overlay().size === 0;
    await pool.until('the cloud says it again', () => pool.running.every(isOver), 20_000);
  });
});

/** The content of an object as text. */
function textOf(member: VirtualMember, name: string): string {
  return Buffer.from(member.view(SLICES)?.get(`${SLICES}/default/${name}`)?.bytes ?? []).toString();
}

/** Another stamp's contents under the stamp of what is right: what a leader can do that lies. */
function altered(frame: SessionFrame): SessionFrame | undefined {
  if (frame.body !== 'delta') return undefined;
  const message = decodeHubMessage(frame.delta.body);
  if (message.body !== 'batch') return undefined;
  // A removal that the hub has not signed, in place of what it has.
  const changes = message.batch.changes.map(({ key }) => ({ key, removed: true as const }));
  const { scope, sequence } = frame.delta;
  const body = encodeHubMessage({ batch: { ...message.batch, changes } });
  return { body: 'delta', delta: { scope, sequence, body } };
}
