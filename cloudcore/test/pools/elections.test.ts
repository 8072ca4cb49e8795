import assert from 'node:assert/strict';
import { HAWSER_NAMESPACE } from '../../src/cluster/names.ts';
import { eventually } from '@hawser/seams/testing';
import { ElectionSite, POOL, TIMES, type ElectionReplica } from './election-site.ts';

describe('elections of pools', function () {
  this.timeout(20_000);

  let site: ElectionSite;
  let hub: ElectionReplica;

  beforeEach(async () => {
    site = await ElectionSite.open();
    hub = site.replica('hub-0');
  });

  afterEach(() => site.close());

  const led = (leader: string, epoch: number, by = hub): Promise<void> =>
    eventually(
      `${leader} leads in epoch ${epoch}, not ${by.leader} in ${by.epoch}`,
      () => by.leader === leader && by.epoch === epoch,
    );
  const renewed = async (): Promise<void> => {
    const before = (await site.lease()).spec?.renewTime;
    await eventually('the Lease is renewed', async () => (await site.lease()).spec?.renewTime !== before);
  };

  it('take the one with the highest version, then with the lowest name, and keep it', async () => {
    hub.leases.relist(); // nothing is decided before the Leases were seen
    hub.connect('c', { version: '9' });
    hub.connect('b', { version: '10' });
    hub.connect('a', { version: '' });
    await led('b', 1);
    hub.report('a', { version: '1000' });
    await renewed();
    await renewed();
    assert.deepEqual([hub.leader, hub.epoch, hub.elected], ['b', 1, ['first b']]);
    const { metadata, spec } = await site.lease();
    assert.equal(spec?.leaseDurationSeconds, 1);
    assert.deepEqual(metadata.annotations, {
      'hawser.dev/pool-claim': '',
      'hawser.dev/pool-epoch': '1',
      'hawser.dev/replica': 'hub-0',
    });
    assert.deepEqual(metadata.ownerReferences, [
      { apiVersion: 'apps.openyurt.io/v1beta2', kind: 'NodePool', name: POOL, uid: 'uid-of-shop' },
    ]);
  });

  it('take nobody whose disk, port or labels are not fit, or who does not want to', async () => {
    site.pool = site.pool && { ...site.pool, leaderLabels: { strong: 'yes' } };
    site.labels.set('a', { strong: 'yes' });
    hub.connect('b');
    hub.connect('a', { writable: false });
    await eventually('the Leases are known', () => hub.leases.decided);
    hub.report('a', { endpoint: '' });
    hub.report('a', { resign: true });
    assert.equal(hub.leader, '');
    hub.report('a');
    await led('a', 1);
    site.labels.set('a', {});
    hub.keeper.look(POOL);
    await led('', 1);
    site.labels.set('b', { strong: 'yes' });
    hub.keeper.look(POOL);
    await led('b', 2);
    assert.deepEqual(hub.elected, ['first a', 'unfit ', 'first b']);
  });

  it('wait for a leader whose session has ended, and no longer than that', async () => {
    hub.connect('a');
    await led('a', 1);
    hub.connect('b');
    hub.disconnect('a');
    hub.connect('a');
    await renewed();
    assert.equal(hub.leader, 'a');
    const goneMs = performance.now();
    hub.disconnect('a');
    await led('b', 2);
    assert.ok(performance.now() - goneMs >= TIMES.comeBackMs);
    assert.deepEqual(hub.elected, ['first a', 'expired b']);
  });

  it('follow at once when the leader resigns or leaves', async () => {
    hub.connect('a');
    await led('a', 1);
    hub.connect('b');
    hub.connect('c');
    hub.report('a', { resign: true });
    await led('b', 2);
    site.nodes = ['a', 'c'];
    hub.keeper.look(POOL);
    await led('c', 3);
    site.nodes = [];
    hub.keeper.look(POOL);
    await led('', 3);
  });

  it('give way to a claim where nothing was heard of the leader, and not before', async () => {
    hub.connect('a');
    await led('a', 1);
    hub.connect('b');
    await assert.rejects(hub.claim('b', 1), { status: 409, reason: 'state' });
    hub.silence('a');
    await eventually('the claim is taken', () =>
      hub.claim('b', 1).then(
        ({ leader, epoch }) => leader === 'b' && epoch === 2,
        () => false,
      ),
    );
    assert.ok((hub.members.silentMs('a') ?? 0) >= TIMES.silentMs);
    await assert.rejects(hub.claim('c', 1), /c may not lead: it has not said how it is/);
    hub.connect('c');
    assert.deepEqual(await hub.claim('c', 1), { epoch: 2, leader: 'b' }, 'what is so is told');
    assert.deepEqual(await hub.claim('b', 2), { epoch: 2, leader: 'b' });
  });

  it('never go back to an epoch that was there, whoever knew it', async () => {
    hub.connect('a', { epoch: 7 });
    await led('a', 8);
    await site.leases.delete(HAWSER_NAMESPACE, `pool-${POOL}`);
    await eventually(
      'it is made again',
      async () => (await site.lease().catch(() => undefined)) !== undefined,
    );
    await led('a', 9);
    const other = site.replica('hub-1');
    await eventually('the other knows', () => other.epoch === 9);
    other.connect('b', { epoch: 20 });
    hub.disconnect('a');
    await led('b', 21, other);
    hub.connect('a', { epoch: 2 ** 48 });
    other.disconnect('b');
    await eventually('a leads again', () => hub.leader === 'a');
    assert.equal(hub.epoch, 21 + 1_000_000 + 1, 'who lies cannot use all epochs up');
  });

  it('are held by several replicas, of which one writes', async () => {
    const other = site.replica('hub-1');
    hub.connect('a');
    other.connect('b');
    await eventually('one leads', () => hub.leader !== '' && hub.leader === other.leader);
    assert.equal(hub.epoch, 1);
    assert.equal(hub.elected.length + other.elected.length, 1);
    const [first, second] = hub.leader === 'a' ? [hub, other] : [other, hub];
    const [one, two] = hub.leader === 'a' ? ['a', 'b'] : ['b', 'a'];
    await renewed();
    await renewed();
    assert.equal(second.leader, one, 'the other one does not take it for run out');
    first.disconnect(one);
    await led(two, 2, second);
    await led(two, 2, first);
  });

  it('go on when the leader comes to another replica', async () => {
    const other = site.replica('hub-1');
    hub.connect('a');
    await led('a', 1);
    await led('a', 1, other);
    hub.connect('b');
    hub.disconnect('a');
    other.connect('a');
    await eventually('the other renews', async () => {
      const { metadata } = await site.lease();
      return metadata.annotations?.['hawser.dev/replica'] === 'hub-1';
    });
    await renewed();
    assert.deepEqual([hub.leader, hub.epoch], ['a', 1]);
  });

  it('end when a replica dies with the leader, by the clock of another one', async () => {
    const other = site.replica('hub-1');
    hub.connect('a');
    await led('a', 1);
    other.connect('b');
    await led('a', 1, other);
    hub.client.before = () => Promise.reject(new Error('cut off'));
    const cutMs = performance.now();
    await led('b', 2, other);
    assert.ok(performance.now() - cutMs >= TIMES.leaseMs - TIMES.renewMs);
    assert.deepEqual(other.elected, ['expired b']);
  });

  it('give way to a claim of a member whose leader is silent at another replica', async () => {
    const other = site.replica('hub-1');
    hub.connect('a');
    await led('a', 1);
    other.connect('b');
    await led('a', 1, other);
    await assert.rejects(other.claim('b', 1, 0), { status: 409 });
    await eventually('it was asked and refused', async () => {
      const { metadata } = await site.lease();
      return metadata.annotations?.['hawser.dev/pool-claim'] === '' && hub.leader === 'a';
    });
    hub.silence('a');
    await eventually('the claim is taken', () =>
      other.claim('b', 1, 0).then(
        ({ leader }) => leader === 'b',
        () => false,
      ),
    );
    await led('b', 2, hub);
  });
});
