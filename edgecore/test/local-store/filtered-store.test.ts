import assert from 'node:assert/strict';
import { randomBelow, seededRandom, systemClock } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import type { ObjectStore } from '@hawser/kube';
import type { PoolRoster } from '@hawser/sync';
import { filteredStore, type FilterContext, type FilterName } from '../../src/local-store/filtered-store.ts';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { Follower, withoutVersions } from './follower.ts';
import { ENDPOINTS, PoolModel, SERVICES, SLICES } from './pool-model.ts';

const SLICE_SCOPE = { group: 'discovery.k8s.io', resource: 'endpointslices' };
const ENDPOINTS_SCOPE = { group: '', resource: 'endpoints' };
const SERVICE_SCOPE = { group: '', resource: 'services' };

interface Spot {
  readonly ip: string;
  readonly node?: string;
  readonly zone?: string;
  readonly ready?: boolean;
}

/** `n1` is this node. */
function roster(...members: readonly (readonly [name: string, zone: string])[]): PoolRoster {
  return {
    ...{
      pool: 'shop',
      epoch: 1,
      leader: '',
      resources: [],
      revoked: [],
      graceSeconds: 30,
      heartbeatSeconds: 5,
    },
    members: members.map(([name, zone]) => ({ name, zone, endpoint: '', eligible: true })),
  };
}

function slice(service: string, ...spots: readonly Spot[]): object {
  return {
    addressType: 'IPv4',
    metadata: { labels: { 'kubernetes.io/service-name': service } },
    endpoints: spots.map(({ ip, node, zone, ready = true }) => ({
      addresses: [ip],
      conditions: { ready },
      ...(node !== undefined && { nodeName: node }),
      ...(zone !== undefined && { zone }),
    })),
  };
}

function keys(value: string): object {
  return { metadata: { annotations: { 'openyurt.io/topologyKeys': value } } };
}

describe('local store: filters', () => {
  let model: PoolModel;
  let store: LocalStore;
  let api: { address: string; port: number } | undefined;
  const context: FilterContext = { node: 'n1', api: () => api };

  beforeEach(async () => {
    api = undefined;
    model = new PoolModel(SLICES, ENDPOINTS, SERVICES);
    model.roster = roster(['n1', 'east'], ['n2', 'east'], ['n3', 'west']);
    store = new LocalStore({ pool: model, clock: systemClock });
    store.start();
    await model.commitAll();
  });

  afterEach(() => store.close());

  const filtered = (...names: FilterName[]): ObjectStore => filteredStore(store, names, context);
  const ipsOf = (name: string, from: ObjectStore = filtered('topology')): readonly string[] => {
    const object = from.get({ ...SLICE_SCOPE, namespace: 'x', name })?.object;
    return (object?.['endpoints'] as { addresses: string[] }[]).map(({ addresses: [ip = ''] }) => ip);
  };
  const spots: readonly Spot[] = [
    { ip: '1', node: 'n1' },
    { ip: '2', node: 'n2' },
    { ip: '3', node: 'n3' },
    { ip: '4', node: 'far', zone: 'east' },
    { ip: '5' },
  ];

  it('is the store itself where nothing is filtered, and one store for one kind of clients', () => {
    assert.equal(filtered(), store);
    assert.equal(filtered('topology'), filtered('topology'));
    assert.equal(filtered('api-server', 'topology'), filtered('topology', 'api-server'));
    assert.notEqual(filtered('topology'), filtered('api-server'));
  });

  describe('topology', () => {
    for (const [annotation, wanted] of [
      ['kubernetes.io/hostname', ['1']],
      ['openyurt.io/nodepool', ['1', '2', '3']],
      ['kubernetes.io/zone', ['1', '2', '4']],
      ['*', ['1', '2', '3', '4', '5']],
      ['kubernetes.io/hostname, openyurt.io/nodepool', ['1']],
      ['example.com/rack', []],
      ['example.com/rack,*', ['1', '2', '3', '4', '5']],
      ['', ['1', '2', '3', '4', '5']],
    ] as const) {
      it(`shows what ${annotation === '' ? 'no key' : annotation} wants`, async () => {
        model.put(SERVICES, 'x', 'web', keys(annotation));
        model.put(SLICES, 'x', 'web-1', slice('web', ...spots));
        model.put(SLICES, 'x', 'other', slice('other', ...spots));
        await model.commitAll();
        assert.deepEqual(ipsOf('web-1'), wanted);
        assert.deepEqual(ipsOf('other'), ['1', '2', '3', '4', '5']);
        assert.deepEqual(ipsOf('web-1', store), ['1', '2', '3', '4', '5']);
      });
    }

    it('goes by the first key that a ready endpoint of any slice of the Service is at', async () => {
      model.put(SERVICES, 'x', 'web', keys('kubernetes.io/hostname,openyurt.io/nodepool'));
      model.put(SLICES, 'x', 'web-1', slice('web', { ip: '2', node: 'n2' }));
      model.put(SLICES, 'x', 'web-2', slice('web', { ip: '3', node: 'n3' }));
      await model.commitAll();
      const follower = new Follower(() => filtered('topology'), SLICE_SCOPE);
      follower.connect();
      assert.deepEqual([ipsOf('web-1'), ipsOf('web-2')], [['2'], ['3']]);
      model.put(SLICES, 'x', 'web-2', slice('web', { ip: '1', node: 'n1' }, { ip: '3', node: 'n3' }));
      await model.commitAll();
      assert.deepEqual([ipsOf('web-1'), ipsOf('web-2')], [[], ['1']]);
      await follower.settle();
      assert.deepEqual(
        follower.latest.map(({ type, entry }) => `${type} ${entry.key.name}`),
        ['MODIFIED web-2', 'MODIFIED web-1'],
      );
      model.put(SLICES, 'x', 'web-2', slice('web', { ip: '1', node: 'n1', ready: false }));
      await model.commitAll();
      assert.deepEqual([ipsOf('web-1'), ipsOf('web-2')], [['2'], ['1']]);
    });

    it('shows Endpoints by the same keys', async () => {
      const address = (ip: string, nodeName: string): object => ({ ip, nodeName });
      model.put(SERVICES, 'x', 'web', keys('kubernetes.io/hostname'));
      model.put(ENDPOINTS, 'x', 'web', {
        subsets: [
          { addresses: [address('1', 'n1'), address('2', 'n2')], ports: [{ port: 80 }] },
          { notReadyAddresses: [address('3', 'n2')], ports: [{ port: 81 }] },
        ],
      });
      await model.commitAll();
      const object = filtered('topology').get({ ...ENDPOINTS_SCOPE, namespace: 'x', name: 'web' });
      const shown = JSON.parse(object?.json().toString() ?? '{}') as { subsets: unknown };
      assert.deepEqual(shown.subsets, [{ addresses: [address('1', 'n1')], ports: [{ port: 80 }] }]);
    });

    it('tells of slices when the annotation of a Service is another one, or the Service goes', async () => {
      model.put(SERVICES, 'x', 'web');
      model.put(SLICES, 'x', 'web-1', slice('web', ...spots));
      await model.commitAll();
      const follower = new Follower(() => filtered('topology'), SLICE_SCOPE);
      follower.connect();
      const told = async (): Promise<readonly string[]> => {
        await follower.settle();
        return follower.latest.map(({ type, entry }) => `${type} ${entry.key.name}`);
      };
      for (const [change, wanted] of [
        [() => model.put(SERVICES, 'x', 'web', keys('kubernetes.io/hostname')), ['1']],
        [() => model.put(SERVICES, 'x', 'web', keys('openyurt.io/nodepool')), ['1', '2', '3']],
        [() => model.remove(SERVICES, 'x', 'web'), ['1', '2', '3', '4', '5']],
      ] as const) {
        change();
        await model.commit(SERVICES);
        assert.deepEqual(await told(), ['MODIFIED web-1']);
        assert.deepEqual(ipsOf('web-1'), wanted);
      }
      model.put(SERVICES, 'x', 'web', { spec: { type: 'NodePort' } });
      await model.commit(SERVICES);
      assert.deepEqual(await told(), []);
      assert.equal(follower.lists, 1);
    });

    it('tells of slices when the pool is another', async () => {
      model.put(SERVICES, 'x', 'web', keys('openyurt.io/nodepool'));
      model.put(SLICES, 'x', 'web-1', slice('web', ...spots));
      await model.commitAll();
      const follower = new Follower(() => filtered('topology'), SLICE_SCOPE);
      follower.connect();
      model.roster = roster(['n1', ''], ['n3', '']);
      model.tell();
      await follower.settle();
      assert.equal(follower.events, 1);
      assert.deepEqual(ipsOf('web-1'), ['1', '3']);
      model.roster = undefined;
      model.tell();
      assert.deepEqual(ipsOf('web-1'), ['1'], 'a node without a pool is one of its own');
    });

    it('takes the pool for the zone of a node that has none', async () => {
      model.roster = roster(['n1', ''], ['n2', 'east']);
      model.put(SERVICES, 'x', 'web', keys('kubernetes.io/zone'));
      model.put(SLICES, 'x', 'web-1', slice('web', ...spots));
      await model.commitAll();
      assert.deepEqual(ipsOf('web-1'), ['1', '2']);
    });

    it('shows all while there are no Services, and filters as soon as they come', async () => {
      model.shared.delete('services');
      model.put(SERVICES, 'x', 'web', keys('kubernetes.io/hostname'));
      model.put(SLICES, 'x', 'web-1', slice('web', ...spots));
      await model.commit(SLICES);
      const follower = new Follower(() => filtered('topology'), SLICE_SCOPE);
      follower.connect();
      assert.equal(ipsOf('web-1').length, 5);
      model.store.forget('pool/shop/services');
      model.share(SERVICES);
      model.tell();
      await follower.settle();
      assert.equal(follower.events, 0, 'their replica is not there yet');
      await model.commit(SERVICES);
      await follower.settle();
      assert.equal(follower.events, 1);
      assert.deepEqual(ipsOf('web-1'), ['1']);
    });
  });

  describe('api-server', () => {
    beforeEach(async () => {
      const labels = { 'kubernetes.io/service-name': 'kubernetes' };
      const cloud = { endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }] };
      const ports = [{ name: 'https', port: 6443, protocol: 'TCP' }];
      model.put(SERVICES, 'default', 'kubernetes', {
        spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: 6443 }] },
      });
      model.put(SLICES, 'default', 'kubernetes', {
        metadata: { labels },
        addressType: 'IPv4',
        ...cloud,
        ports,
      });
      model.put(SLICES, 'default', 'six', { metadata: { labels }, addressType: 'IPv6', ...cloud, ports });
      model.put(SLICES, 'x', 'kubernetes', { metadata: { labels }, addressType: 'IPv4', ...cloud, ports });
      model.put(ENDPOINTS, 'default', 'kubernetes', {
        subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports }],
      });
      await model.commitAll();
      api = { address: '169.254.2.1', port: 10260 };
    });

    const shown = (scope: typeof SLICE_SCOPE, namespace: string, name: string): Record<string, unknown> =>
      JSON.parse(
        filtered('api-server')
          .get({ ...scope, namespace, name })
          ?.json()
          .toString() ?? '{}',
      ) as Record<string, unknown>;

    it('shows the local API as what the Service of the API server leads to', () => {
      const ports = [{ name: 'https', port: 10260, protocol: 'TCP' }];
      const slice = shown(SLICE_SCOPE, 'default', 'kubernetes');
      assert.deepEqual(
        (slice['endpoints'] as { addresses: string[] }[]).map(({ addresses }) => addresses),
        [['169.254.2.1']],
      );
      assert.deepEqual(slice['ports'], ports);
      assert.deepEqual(shown(SLICE_SCOPE, 'default', 'six')['endpoints'], []);
      assert.deepEqual(shown(ENDPOINTS_SCOPE, 'default', 'kubernetes')['subsets'], [
        { addresses: [{ ip: '169.254.2.1' }], ports },
      ]);
      assert.deepEqual(shown(SERVICE_SCOPE, 'default', 'kubernetes')['spec'], {
        clusterIP: '10.96.0.1',
        ports: [{ name: 'https', port: 443, targetPort: 10260 }],
      });
    });

    it('leaves all else as it is, and all of it where there is no local API', () => {
      const elsewhere = shown(SLICE_SCOPE, 'x', 'kubernetes');
      assert.deepEqual((elsewhere['endpoints'] as { addresses: string[] }[])[0]?.addresses, ['192.0.2.1']);
      api = undefined;
      const other = filteredStore(store, ['api-server'], { ...context });
      const key = { ...SLICE_SCOPE, namespace: 'default', name: 'kubernetes' };
      assert.equal(other.get(key)?.json().toString(), store.get(key)?.json().toString());
    });
  });

  it('has watches end with the store, and with a resource that goes', async () => {
    model.put(SLICES, 'x', 'web-1', slice('web', ...spots));
    await model.commitAll();
    const follower = new Follower(() => filtered('topology'), SLICE_SCOPE);
    follower.connect();
    model.shared.delete('endpointslices.discovery.k8s.io');
    model.tell();
    assert.equal(await follower.drain(), false);
    assert.throws(() => filtered('topology').list(SLICE_SCOPE), { code: 'ERR_KUBE_SERVICE_UNAVAILABLE' });
    model.share(SLICES);
    await follower.settle();
    assert.equal(follower.objects.size, 1);
    await store.close();
    assert.throws(() => filtered('topology').list(SLICE_SCOPE), { code: 'ERR_KUBE_STORE_CLOSED' });
  });

  it('shows what it would show to somebody who comes anew, whatever happens', async function () {
    this.timeout(scaled(20_000, 300_000));
    for (let seed = 1; seed <= scaled(15, 1000); seed += 1) {
      const random = seededRandom(seed);
      await store.close();
      model = new PoolModel(SLICES, ENDPOINTS, SERVICES);
      store = new LocalStore({ pool: model, clock: systemClock });
      store.start();
      await model.commitAll();
      const followers = [0, 1, 2].map(() => new Follower(() => filtered('topology'), SLICE_SCOPE));
      const annotations = [
        '',
        '*',
        'kubernetes.io/hostname',
        'kubernetes.io/hostname,openyurt.io/nodepool,*',
      ];
      const spot = (): Spot => ({
        ip: String(randomBelow(random, 9)),
        node: `n${randomBelow(random, 5)}`,
        ready: random.next() < 0.8,
      });
      for (let step = 0; step < 50; step += 1) {
        const chance = random.next();
        const service = `s${randomBelow(random, 3)}`;
        if (chance < 0.25) model.put(SERVICES, 'x', service, keys(annotations[randomBelow(random, 4)] ?? ''));
        else if (chance < 0.3) model.remove(SERVICES, 'x', service);
        else if (chance < 0.6) {
          const name = `slice-${randomBelow(random, 6)}`;
          model.put(SLICES, 'x', name, slice(service, ...Array.from({ length: 3 }, spot)));
        } else if (chance < 0.65) model.remove(SLICES, 'x', `slice-${randomBelow(random, 6)}`);
        else if (chance < 0.75) {
          model.roster = roster(['n1', ''], [`n${randomBelow(random, 5)}`, '']);
          model.tell();
        } else await model.commit(random.next() < 0.6 ? SLICES : SERVICES);
        for (const follower of followers) {
          const doing = random.next();
          if (doing < 0.15) follower.connect();
          else if (doing < 0.3) await follower.drain(2);
          else if (doing < 0.35) follower.cut();
        }
      }
      await model.commitAll();
      const anew = new Follower(() => filteredStore(store, ['topology'], { ...context }), SLICE_SCOPE);
      anew.list();
      for (const follower of followers) {
        await follower.settle();
        assert.deepEqual(withoutVersions(follower.objects), withoutVersions(anew.objects), `seed ${seed}`);
        follower.cut();
      }
    }
  });
});
