import assert from 'node:assert/strict';
import { eventually, within } from '@hawser/seams/testing';
import { POOL_RESOURCES, type PoolRoster } from '@hawser/sync';
import { HAWSER_NAMESPACE } from '../../src/cluster/names.ts';
import { revokeNode } from '../../src/identity/node-records.ts';
import { PoolSite, WAIT } from './pool-site.ts';

const SLICES = 'endpointslices.discovery.k8s.io';
const ROSTER = POOL_RESOURCES.roster;

describe('pools at the hub', function () {
  this.timeout(30_000);

  let site: PoolSite;

  afterEach(() => site.close());

  describe('with members', () => {
    beforeEach(async () => {
      site = await PoolSite.open();
    });

    const rosterOf = (edge: (typeof site.edges)[number], pool: string): PoolRoster | undefined => {
      const [content] = [...edge.view(pool, ROSTER).contents()];
      if (content === undefined) return undefined;
      return (JSON.parse(Buffer.from(content.bytes).toString()) as { spec: PoolRoster }).spec;
    };

    it('have one leader, whose streams are signed, and nobody else’s', async () => {
      const [one, two] = await site.members('shop', ['edge-1', 'edge-2']);
      assert.ok(one !== undefined && two !== undefined);
      await site.slice('web');
      const { epoch, endpoint } = await one.told('who leads', ({ leader }) => leader === 'edge-1');
      assert.equal(endpoint, '127.0.0.1:10001');
      one.follow('shop', SLICES, { epoch });
      one.follow('shop', ROSTER, { epoch });
      await eventually('the slice is committed', () => one.names('shop', SLICES).join() === 'web', WAIT);
      await eventually('the roster is', () => rosterOf(one, 'shop') !== undefined, WAIT);
      await eventually(
        'it names both',
        () =>
          rosterOf(one, 'shop')
            ?.members.map(({ name }) => name)
            .join() === 'edge-1,edge-2',
        WAIT,
      );
      const roster = rosterOf(one, 'shop');
      assert.deepEqual(
        roster?.resources.map(({ resource }) => resource),
        [
          'endpoints',
          'endpointslices',
          'services',
          'roles',
          'rolebindings',
          'clusterroles',
          'clusterrolebindings',
        ],
      );
      assert.deepEqual([roster.leader, roster.epoch, roster.heartbeatSeconds], ['edge-1', epoch, 0.2]);

      const refused = await two.error(two.follow('shop', SLICES, { epoch: 0 }));
      assert.equal(refused.code, 'ERR_CLOUDCORE_NOT_LEADER');
      assert.match(refused.message, new RegExp(`edge-1 leads shop, in epoch ${epoch}`));
      const conflict = await two.error(two.follow('shop', SLICES, { epoch }));
      assert.equal(conflict.code, 'ERR_CLOUDCORE_EPOCH_CONFLICT');
      for (const [pool, resource] of [
        ['other', SLICES],
        ['shop', 'secrets'],
        ['~edge-2', SLICES],
        ['~edge-1', SLICES],
      ] as const) {
        const scope = two.follow(pool, resource, { epoch });
        assert.equal((await two.error(scope)).code, 'ERR_CLOUDCORE_FORBIDDEN', `${pool}/${resource}`);
      }
      assert.equal(await site.metric('hawser_pool_streams', { mode: 'leader' }), 2);
      assert.equal(await site.metric('hawser_pool_streams'), 2);

      await site.slice('api');
      await eventually('a change is', () => one.names('shop', SLICES).join() === 'api,web', WAIT);
      assert.equal(one.failed, undefined);
      const isWritten = async (): Promise<boolean> =>
        (await site.pools.get('', 'shop'))['status'] !== undefined;
      await eventually('the NodePool says so', isWritten, WAIT);
    });

    it('are led by another one in a higher epoch when the leader goes, and the old one is fenced', async () => {
      const [one, two] = await site.members('shop', ['edge-1', 'edge-2']);
      assert.ok(one !== undefined && two !== undefined);
      const before = await one.told('who leads', ({ leader }) => leader === 'edge-1');
      const scope = one.follow('shop', SLICES, { epoch: before.epoch });
      await eventually('it follows', () => one.view('shop', SLICES).ready, WAIT);
      await one.report('shop', { resign: true });
      const after = await two.told('that it leads', ({ leader }) => leader === 'edge-2');
      assert.equal(after.epoch, before.epoch + 1);
      const { code, message } = await one.error(scope);
      assert.equal(code, 'ERR_CLOUDCORE_FENCED');
      assert.match(message, /edge-2 leads shop now/);
      two.follow('shop', SLICES, { epoch: after.epoch });
      await eventually('the new one follows', () => two.view('shop', SLICES).ready, WAIT);

      await two.disconnect();
      await one.report('shop', { epoch: 40 });
      const again = await one.told('that it leads', ({ leader }) => leader === 'edge-1');
      assert.equal(again.epoch, 41);
      const lease = await site.lease('shop');
      assert.equal(lease.spec?.holderIdentity, 'edge-1');
      assert.equal(lease.metadata.annotations?.['hawser.dev/pool-epoch'], '41');
      assert.equal(lease.metadata.ownerReferences?.[0]?.kind, 'NodePool');

      await site.leases.delete(HAWSER_NAMESPACE, 'pool-shop');
      const made = await one.told('a higher epoch', ({ epoch }) => epoch > 41);
      assert.deepEqual([made.leader, made.epoch], ['edge-1', 42]);

      const reasons = async (): Promise<string> => {
        const { items } = await site.events.list('default');
        return [...new Set(items.map(({ reason }) => String(reason)))].sort().join();
      };
      await eventually('events', async () => (await reasons()) === 'LeaderElected,LeaderLost', WAIT);
      await eventually(
        'the status',
        async () => {
          const { status } = await site.pools.get('', 'shop');
          const { leaderEndpoints } = (status ?? {}) as { leaderEndpoints?: { nodeName: string }[] };
          return leaderEndpoints?.[0]?.nodeName === 'edge-1';
        },
        WAIT,
      );
    });

    it('keep what they have when a list is emptied, until it is confirmed', async () => {
      const [one] = await site.members('shop', ['edge-1']);
      assert.ok(one !== undefined);
      for (const name of ['a', 'b', 'c', 'd']) await site.slice(name);
      const { epoch } = await one.told('who leads', ({ leader }) => leader === 'edge-1');
      one.follow('shop', SLICES, { epoch });
      await eventually('all are there', () => one.names('shop', SLICES).length === 4, WAIT);
      const begunMs = performance.now();
      for (const name of ['a', 'b', 'c', 'd']) await site.slices.delete('default', name);
      await eventually(
        'the removals are held',
        () => (one.replica('shop', SLICES)?.state.heldRemovals ?? 0) > 0,
        WAIT,
      );
      assert.ok(one.names('shop', SLICES).length > 0, 'readers go on');
      await eventually('they are confirmed', () => one.names('shop', SLICES).length === 0, WAIT);
      // 2 s at the speed of this test: 80 ms, after the last removal at the earliest.
      assert.ok(performance.now() - begunMs >= 80);
      assert.equal(one.failed, undefined);
    });

    it('may go without a leader one at a time, for as long as their session lasts', async () => {
      const [one, two, three] = await site.members('shop', ['edge-1', 'edge-2', 'edge-3']);
      assert.ok(one !== undefined && two !== undefined && three !== undefined);
      const early = await two.error(two.follow('shop', SLICES, { direct: true }));
      assert.equal(early.code, 'ERR_CLOUDCORE_NOT_LEADER');
      const granted = await two.say('pool-direct', { pool: 'shop' });
      assert.equal(granted.status, 0, granted.message);
      const { afterMs, forMs } = granted.answer as { afterMs: number; forMs: number };
      assert.ok(afterMs >= 0 && afterMs <= 1200, String(afterMs));
      assert.equal(forMs, 12_000);
      const capped = await three.say('pool-direct', { pool: 'shop' });
      assert.equal(capped.status, 429);
      assert.ok(capped.retryAfterMs > 0);
      assert.equal((await three.say('pool-direct', { pool: 'other' })).status, 403);
      await within('its time', new Promise((resolve) => setTimeout(resolve, afterMs + 1)));
      const scope = two.follow('shop', SLICES, { direct: true });
      await eventually('it follows', () => two.view('shop', SLICES).ready, WAIT);
      assert.equal(await site.metric('hawser_pool_streams', { mode: 'direct' }), 1);
      assert.equal(two.errors.filter((error) => error.scope === scope).length, 0);
      await two.disconnect();
      await eventually(
        'there is room again',
        async () => (await three.say('pool-direct', { pool: 'shop' })).status === 0,
        WAIT,
      );
    });

    it('share what their NodePool says, as it changes, custom resources too', async () => {
      const [one] = await site.members('shop', ['edge-1']);
      assert.ok(one !== undefined);
      const { epoch } = await one.told('who leads', ({ leader }) => leader === 'edge-1');
      one.follow('shop', ROSTER, { epoch });
      const shared = (): string =>
        (rosterOf(one, 'shop')?.resources ?? [])
          .filter(({ group }) => group !== 'rbac.authorization.k8s.io')
          .map(({ kind }) => kind)
          .join();
      await eventually('the default', () => shared() === 'Endpoints,EndpointSlice,Service', WAIT);
      const slices = one.follow('shop', SLICES, { epoch });
      await eventually('slices', () => one.view('shop', SLICES).ready, WAIT);
      const poolScopeMetadata = [
        { group: '', version: 'v1', resource: 'services' },
        { group: 'example.com', version: 'v1', resource: 'maps' },
        { group: '', version: 'v1', resource: 'secrets' },
      ];
      await site.pools.patch('', 'shop', 'merge', { spec: { poolScopeMetadata } });
      assert.equal((await one.error(slices)).code, 'ERR_CLOUDCORE_FENCED');
      await eventually('services alone', () => shared() === 'Service', WAIT);
    });

    it('stay where they were while they stop and come back', async () => {
      const [one, two] = await site.members('shop', ['edge-1', 'edge-2']);
      assert.ok(one !== undefined && two !== undefined);
      const { epoch } = await one.told('who leads', ({ leader }) => leader === 'edge-1');
      one.follow('shop', ROSTER, { epoch });
      const places = (): string =>
        (rosterOf(one, 'shop')?.members ?? []).map(({ endpoint }) => endpoint).join();
      const both = '127.0.0.1:10001,127.0.0.1:10002';
      await eventually('both are there', () => places() === both, WAIT);
      const noted = async (): Promise<boolean> => {
        const { metadata } = await site.nodes.get('', 'edge-2');
        return metadata.annotations?.['hawser.dev/pool-endpoint'] === '127.0.0.1:10002';
      };
      await eventually('its Node has it', noted, WAIT);
      const shown = new Set([both]);
      one.view('shop', ROSTER).listen(() => shown.add(places()));

      await two.report('shop', { endpoint: '', resign: true });
      await two.disconnect();
      // What the pool is told next is told without it.
      await site.node('edge-3', 'shop');
      await eventually('another member', () => places().split(',').length === 3, WAIT);
      await two.connect();
      await two.report('shop');
      await site.node('edge-4', 'shop');
      await eventually('one more', () => places().split(',').length === 4, WAIT);
      assert.deepEqual([...shown], [both, `${both},`, `${both},,`]);
      assert.ok(await noted());
    });

    it('are told what other replicas know, and go on at another one where they were', async () => {
      const hub = await site.hub();
      const [one] = await site.members('shop', ['edge-1']);
      assert.ok(one !== undefined);
      const two = await site.edge('edge-2', 'shop', hub);
      await two.report('shop');
      const { epoch } = await two.told('who leads, and where', ({ leader, endpoint }) => {
        return leader === 'edge-1' && endpoint === '127.0.0.1:10001';
      });
      await site.slice('web');
      one.follow('shop', SLICES, { epoch });
      await eventually('the slice', () => one.names('shop', SLICES).join() === 'web', WAIT);
      await one.disconnect();
      await one.connect(hub.websocketPort);
      await one.report('shop');
      let scope = one.follow('shop', SLICES, { epoch });
      const isInSync = (): boolean => {
        // As members do: this hub may not have seen the Lease yet.
        if (one.errors.some((error) => error.scope === scope)) scope = one.follow('shop', SLICES, { epoch });
        return one.replica('shop', SLICES)?.state.synced === true;
      };
      await eventually('it is in sync again', isInSync, WAIT);
      assert.ok((one.bytes.get(scope) ?? 0) < 256, 'nothing was said again');
      await eventually(
        'the other hub renews',
        async () => (await site.lease('shop')).metadata.annotations?.['hawser.dev/replica'] === 'hub-1',
        WAIT,
      );
      assert.equal((await two.membership())?.epoch, epoch, 'it has led on');

      const { items } = await site.events.list('default');
      assert.ok(!items.some(({ reason }) => reason === 'PoolStateRefused'));
      const at = new Date().toISOString();
      const told = await two.say('report', { code: 'PoolStateRefused', message: 'edge-1 gave it', at });
      assert.equal(told.status, 0);
      await eventually(
        'the Event on the NodePool',
        async () =>
          (await site.events.list('default')).items.some(({ reason, involvedObject }) => {
            const { kind, name } = involvedObject as { kind: string; name: string };
            return reason === 'PoolStateRefused' && kind === 'NodePool' && name === 'shop';
          }),
        WAIT,
      );
      assert.equal(await site.metric('hawser_pool_states_refused_total', {}, hub), 1);
    });

    it('have the labels, annotations and taints of their NodePool, and it their number', async () => {
      const taints = [{ key: 'site', value: 'north', effect: 'NoSchedule' }];
      const spec = { labels: { site: 'north' }, annotations: { owner: 'us' }, taints };
      await site.members('shop', ['edge-1', 'edge-2'], spec);
      await eventually(
        'the Node has them',
        async () => {
          const { metadata, spec: is } = await site.nodes.get('', 'edge-2');
          const { taints: has } = (is ?? {}) as { taints?: unknown[] };
          return (
            metadata.labels?.['site'] === 'north' &&
            metadata.annotations?.['owner'] === 'us' &&
            metadata.annotations['hawser.dev/pool-endpoint'] === '127.0.0.1:10002' &&
            JSON.stringify(has) === JSON.stringify(taints)
          );
        },
        WAIT,
      );
      await site.pools.patch('', 'shop', 'merge', {
        spec: { labels: null, annotations: null, taints: null },
      });
      await eventually(
        'they are gone with it',
        async () => {
          const { metadata, spec: is } = await site.nodes.get('', 'edge-2');
          const { taints: has = [] } = (is ?? {}) as { taints?: unknown[] };
          return metadata.labels?.['site'] === undefined && has.length === 0;
        },
        WAIT,
      );
      interface Status {
        readonly nodes?: string[];
        readonly leaderNum?: number;
        readonly leaderLastElectedTime?: string;
        readonly leaderEndpoints?: unknown[];
        readonly unreadyNodeNum?: number;
        readonly conditions?: { readonly type: string; readonly status: string }[];
      }
      let status: Status = {};
      await eventually(
        'the status',
        async () => {
          status = (await site.pools.get('', 'shop'))['status'] ?? {};
          return (
            status.conditions?.some((one) => one.type === 'LeaderReady' && one.status === 'True') === true
          );
        },
        WAIT,
      );
      assert.deepEqual(status.nodes, ['edge-1', 'edge-2']);
      assert.deepEqual(status.leaderEndpoints, [{ nodeName: 'edge-1', address: '127.0.0.1' }]);
      assert.deepEqual([status.leaderNum, status.unreadyNodeNum], [1, 2]);
      assert.ok(Math.abs(Date.parse(status.leaderLastElectedTime ?? '') - Date.now()) < 60_000);
    });

    it('are no members while they are revoked', async () => {
      const [one, two] = await site.members('shop', ['edge-1', 'edge-2']);
      assert.ok(one !== undefined && two !== undefined);
      const { epoch } = await two.told('who leads', ({ leader }) => leader === 'edge-1');
      await revokeNode(site.api, 'edge-1', { evenIfUnknown: true });
      const led = await two.told('that it leads', ({ leader }) => leader === 'edge-2');
      assert.equal(led.epoch, epoch + 1);
      two.follow('shop', ROSTER, { epoch: led.epoch });
      await eventually('it is alone', () => rosterOf(two, 'shop')?.members.length === 1, WAIT);
    });

    it('come and go', async () => {
      const [one, two] = await site.members('shop', ['edge-1', 'edge-2']);
      assert.ok(one !== undefined && two !== undefined);
      const { epoch } = await one.told('who leads', ({ leader }) => leader === 'edge-1');
      const scope = one.follow('shop', SLICES, { epoch });
      await eventually('it follows', () => one.view('shop', SLICES).ready, WAIT);
      await site.nodes.patch('', 'edge-1', 'merge', {
        metadata: { labels: { 'apps.openyurt.io/nodepool': null } },
      });
      await one.told('that it is alone', ({ pool }) => pool === '~edge-1');
      assert.equal((await one.error(scope)).code, 'ERR_CLOUDCORE_FENCED');
      const led = await two.told('that it leads', ({ leader }) => leader === 'edge-2');
      assert.ok(led.epoch > epoch);
      const solo = await one.told('its keys', ({ keys }) => keys.length > 0);
      assert.deepEqual(
        { ...solo, keys: [] },
        { pool: '~edge-1', leader: '', endpoint: '', epoch: 0, keys: [] },
      );
      await site.slice('web');
      one.follow('~edge-1', SLICES);
      one.follow('~edge-1', ROSTER);
      await eventually('the slice', () => one.names('~edge-1', SLICES).join() === 'web', WAIT);
      await eventually('its roster', () => (rosterOf(one, '~edge-1')?.resources.length ?? 0) === 7, WAIT);
      assert.equal(await site.metric('hawser_pool_streams', { mode: 'solo' }), 2);
      await site.pools.delete('', 'shop');
      await two.told('that it is alone', ({ pool }) => pool === '~edge-2');
    });
  });

  it('leave each node alone where no NodePools are defined', async () => {
    site = await PoolSite.open({ definition: false });
    const alone = await site.edge('edge-1', undefined);
    assert.equal((await alone.membership())?.pool, '~edge-1');
  });
});
