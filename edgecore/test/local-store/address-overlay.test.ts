import assert from 'node:assert/strict';
import { randomBelow, seededRandom, systemClock } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { isNodeVersion } from '../../src/local-store/own-versions.ts';
import { overlaidEndpoints, overlaidSlice } from '../../src/local-store/overlaid-endpoints.ts';
import type { PodAddress, PodPlaces } from '../../src/pool/pool-types.ts';
import { Follower, withoutVersions } from './follower.ts';
import { ENDPOINTS, PoolModel, SERVICES, SLICES } from './pool-model.ts';

const SLICE_SCOPE = { group: 'discovery.k8s.io', resource: 'endpointslices' };

function addresses(made: Readonly<Record<string, Partial<PodAddress>>>): PodPlaces {
  return new Map(
    Object.entries(made).map(([uid, address]) => [uid, [{ node: 'n1', ips: [], ready: true, ...address }]]),
  );
}

function target(uid: string): object {
  return { nodeName: 'n1', targetRef: { kind: 'Pod', name: `pod-${uid}`, namespace: 'x', uid } };
}

function slice(...pods: readonly (readonly [uid: string, ip: string])[]): object {
  return {
    addressType: 'IPv4',
    metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
    endpoints: pods.map(([uid, ip]) => ({
      addresses: [ip],
      conditions: { ready: true, serving: true, terminating: false },
      ...target(uid),
    })),
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  };
}

describe('local store: endpoints where pods are now', () => {
  it('takes no word of a node for pods of another one', () => {
    const made = slice(['a', '10.0.0.1']) as Record<string, unknown>;
    const claimed = addresses({ a: { node: 'n2', ips: ['10.9.0.1'] } });
    assert.equal(overlaidSlice(made, claimed, false), undefined);
    const both = new Map([
      ['a', [...(claimed.get('a') ?? []), { node: 'n1', ips: ['10.0.0.7'], ready: true }]],
    ]);
    const shown = overlaidSlice(made, both, false) as { endpoints: { addresses: string[] }[] };
    assert.deepEqual(
      shown.endpoints[0]?.addresses,
      ['10.0.0.7'],
      'nor does it keep that of its own node away',
    );
    const subsets = [{ addresses: [{ ip: '10.0.0.1', ...target('a') }] }];
    assert.equal(overlaidEndpoints({ subsets }, claimed, false), undefined);
  });

  it('rewrites addresses and conditions of a slice by UID, in its own family', () => {
    const made = slice(['a', '10.0.0.1'], ['b', '10.0.0.2'], ['c', '10.0.0.3'], ['d', '10.0.0.4']);
    const now = addresses({
      a: { ips: ['fd00::1', '10.9.0.1'] },
      b: { ips: ['10.0.0.2'] },
      c: { ips: [], ready: true },
      d: { ips: ['fd00::4'] },
    });
    const shown = overlaidSlice(made as Record<string, unknown>, now, false) as {
      endpoints: { addresses: string[]; conditions: object; nodeName: string }[];
    };
    assert.deepEqual(
      shown.endpoints.map(({ addresses: [ip], conditions }) => [ip, conditions]),
      [
        ['10.9.0.1', { ready: true, serving: true, terminating: false }],
        ['10.0.0.2', { ready: true, serving: true, terminating: false }],
        ['10.0.0.3', { ready: false, serving: false, terminating: false }],
        ['10.0.0.4', { ready: true, serving: true, terminating: false }],
      ],
    );
    assert.equal(shown.endpoints[0]?.nodeName, 'n1');
    const v6 = { ...made, addressType: 'IPv6' };
    const six = overlaidSlice(v6, addresses({ a: { ips: ['fd00::1'] } }), false) as typeof shown;
    assert.deepEqual(six.endpoints[0]?.addresses, ['fd00::1']);
  });

  it('leaves a slice as it is where the nodes say the same, or nothing', () => {
    const made = slice(['a', '10.0.0.1']) as Record<string, unknown>;
    assert.equal(overlaidSlice(made, addresses({ a: { ips: ['10.0.0.1'] } }), false), undefined);
    assert.equal(overlaidSlice(made, addresses({ z: { ips: ['10.0.0.9'] } }), false), undefined);
    assert.equal(overlaidSlice({ ...made, endpoints: null }, addresses({ a: {} }), false), undefined);
    const names = { ...made, addressType: 'FQDN' };
    assert.equal(overlaidSlice(names, addresses({ a: { ips: ['10.9.0.1'] } }), false), undefined);
  });

  it('shows what is not ready as ready where the Service says so, yet not as serving', () => {
    const made = slice(['a', '10.0.0.1']) as Record<string, unknown>;
    const now = addresses({ a: { ips: ['10.9.0.1'], ready: false } });
    const shown = overlaidSlice(made, now, true) as { endpoints: { conditions: object }[] };
    assert.deepEqual(shown.endpoints[0]?.conditions, { ready: true, serving: false, terminating: false });
  });

  it('moves addresses of Endpoints between those that are ready and those that are not', () => {
    const object = {
      subsets: [
        {
          addresses: [
            { ip: '10.0.0.1', ...target('a') },
            { ip: '10.0.0.2', ...target('b') },
          ],
          notReadyAddresses: [{ ip: '10.0.0.3', ...target('c') }],
          ports: [{ port: 80 }],
        },
        { notReadyAddresses: [{ ip: '10.0.0.4', ...target('d') }], ports: [{ port: 81 }] },
      ],
    };
    const now = addresses({
      a: { ips: ['10.9.0.1'], ready: false },
      c: { ips: ['10.9.0.3'], ready: true },
    });
    assert.deepEqual(overlaidEndpoints(object, now, false), {
      subsets: [
        {
          addresses: [
            { ip: '10.0.0.2', ...target('b') },
            { ip: '10.9.0.3', ...target('c') },
          ],
          notReadyAddresses: [{ ip: '10.9.0.1', ...target('a') }],
          ports: [{ port: 80 }],
        },
        object.subsets[1],
      ],
    });
    assert.equal(overlaidEndpoints(object, addresses({ a: { ips: ['10.0.0.1'] } }), false), undefined);
  });
});

describe('local store: after an offline reboot', () => {
  let model: PoolModel;
  let store: LocalStore;

  beforeEach(() => {
    model = new PoolModel(SLICES, ENDPOINTS, SERVICES);
    store = new LocalStore({ pool: model, clock: systemClock });
    store.start();
  });

  afterEach(() => store.close());

  const ipOf = (name: string): string | undefined => {
    const object = store.get({ ...SLICE_SCOPE, namespace: 'x', name })?.object;
    return (object?.['endpoints'] as { addresses: string[] }[] | undefined)?.[0]?.addresses[0];
  };
  const versionOf = (name: string): string | undefined =>
    store.get({ ...SLICE_SCOPE, namespace: 'x', name })?.object.metadata.resourceVersion;

  it('tells of other addresses, and of the former ones once the cloud is heard', async () => {
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.1'])); // 1
    model.put(SLICES, 'x', 'db', slice(['b', '10.0.0.2'])); // 2
    await model.commitAll();
    const follower = new Follower(() => store, SLICE_SCOPE);
    follower.connect();
    model.offline({});
    await follower.settle();
    assert.equal(follower.events, 0);

    model.offline({ a: { ips: ['10.9.0.1'] }, b: { ips: ['10.0.0.2'] } });
    await follower.settle();
    assert.deepEqual(
      follower.latest.map(({ type, entry }) => `${type} ${entry.key.name}`),
      ['MODIFIED web'],
    );
    assert.equal(ipOf('web'), '10.9.0.1');
    // Informers take an object of the version that they have for the one that they have.
    const told = follower.version;
    assert.equal(versionOf('web'), String(told));
    assert.equal(store.versionOf(SLICE_SCOPE), told);
    assert.ok(isNodeVersion(String(told)));
    model.tell();
    await follower.settle();
    assert.equal(follower.events, 1, 'the same is told once');

    model.offline(undefined);
    await follower.settle();
    assert.deepEqual(
      follower.latest.map(({ type, entry }) => `${type} ${entry.key.name} ${entry.resourceVersion - told}`),
      ['MODIFIED web 1'],
    );
    assert.equal(ipOf('web'), '10.0.0.1');
    assert.equal(versionOf('web'), '1', 'what is read can be written back');
    assert.equal(follower.lists, 1);
  });

  it('has readers begin anew with the next state of the cloud, in its versions again', async () => {
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.1'])); // 1
    await model.commitAll();
    const follower = new Follower(() => store, SLICE_SCOPE);
    follower.connect();
    model.offline({ a: { ips: ['10.9.0.1'] } });
    model.offline(undefined);
    await follower.settle();
    const { version } = follower;
    model.put(SLICES, 'x', 'web', slice(['a', '10.9.0.1'])); // 2
    await model.commitAll();
    assert.equal(await follower.drain(), false);
    assert.throws(() => store.watch(SLICE_SCOPE, { fromVersion: version }), { code: 'ERR_KUBE_EXPIRED' });
    await follower.settle();
    assert.equal(follower.version, 2);
    assert.equal(ipOf('web'), '10.9.0.1');
    assert.equal(versionOf('web'), '2');
  });

  it('goes on with what peers have of the cloud’s later states while the cloud is away', async () => {
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.1']));
    model.put(SLICES, 'x', 'db', slice(['b', '10.0.0.2']));
    await model.commitAll();
    const follower = new Follower(() => store, SLICE_SCOPE);
    follower.connect();
    model.offline({ a: { ips: ['10.9.0.1'] } });
    model.put(SLICES, 'x', 'db', slice(['b', '10.0.0.7']));
    model.remove(SLICES, 'x', 'web');
    await model.commitAll();
    await follower.settle();
    assert.deepEqual(
      follower.latest.map(({ type, entry }) => `${type} ${entry.key.name}`),
      ['MODIFIED web', 'MODIFIED db', 'DELETED web'],
    );
    assert.equal(versionOf('db'), '3');
    assert.equal(follower.lists, 1);
  });

  it('lets nobody who was told of other addresses go on after a restart', async () => {
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.1'])); // 1
    await model.commitAll();
    const quiet = store.list(SLICE_SCOPE).resourceVersion;
    const follower = new Follower(() => store, SLICE_SCOPE);
    follower.connect();
    model.offline({ a: { ips: ['10.9.0.1'] } });
    await follower.settle();
    const snapshots = model.snapshots();
    await store.close();
    model.offline(undefined);
    model.restart(snapshots);
    store = new LocalStore({ pool: model, clock: systemClock });
    store.start();
    assert.throws(() => store.watch(SLICE_SCOPE, { fromVersion: follower.version }), {
      code: 'ERR_KUBE_EXPIRED',
    });
    store.watch(SLICE_SCOPE, { fromVersion: quiet }).close();
  });

  it('believes what the cloud says meanwhile, until a pod is somewhere else again', async () => {
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.1']));
    model.put(SERVICES, 'x', 'web');
    await model.commitAll();
    const follower = new Follower(() => store, SLICE_SCOPE);
    follower.connect();
    model.offline({ a: { ips: ['10.9.0.1'] } });
    assert.equal(ipOf('web'), '10.9.0.1');
    model.version += 10;
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.7']));
    await model.commitAll();
    assert.equal(ipOf('web'), '10.0.0.7');
    model.offline({});
    model.offline({ a: { ips: ['10.9.0.1'] } });
    assert.equal(ipOf('web'), '10.0.0.7', 'nodes that say nothing for a while have said nothing new');
    model.offline({ a: { ips: ['10.9.0.8'] } });
    assert.equal(ipOf('web'), '10.9.0.8');
    await follower.settle();
    assert.equal(follower.lists, 1);
  });

  it('shows addresses that are other ones when it is first asked, as of a version of their own', async () => {
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.1']));
    await model.commitAll();
    model.offline({ a: { ips: ['10.9.0.1'] } });
    assert.equal(ipOf('web'), '10.9.0.1');
    assert.ok(isNodeVersion(versionOf('web') ?? ''));
  });

  it('keeps not ready pods of a Service that publishes them', async () => {
    const notReady = (name: string): boolean | undefined => {
      const object = store.get({ ...SLICE_SCOPE, namespace: 'x', name })?.object;
      const endpoints = object?.['endpoints'] as { conditions: { ready: boolean } }[] | undefined;
      return endpoints?.[0]?.conditions.ready;
    };
    model.put(SERVICES, 'x', 'web', { spec: { publishNotReadyAddresses: true } });
    model.put(SLICES, 'x', 'web', slice(['a', '10.0.0.1']));
    const labels = { 'kubernetes.io/service-name': 'db' };
    model.put(SLICES, 'x', 'db', { ...slice(['b', '10.0.0.2']), metadata: { labels } });
    await model.commitAll();
    model.offline({ a: { ips: ['10.9.0.1'], ready: false }, b: { ips: ['10.0.0.2'], ready: false } });
    assert.equal(notReady('web'), true);
    assert.equal(notReady('db'), false);
  });

  it('shows each slice as it is to be, whatever happens', async function () {
    this.timeout(scaled(20_000, 300_000));
    for (let seed = 1; seed <= scaled(15, 1000); seed += 1) {
      const random = seededRandom(seed);
      await store.close();
      model = new PoolModel(SLICES, ENDPOINTS, SERVICES);
      store = new LocalStore({ pool: model, clock: systemClock });
      store.start();
      await model.commitAll();
      const follower = new Follower(() => store, SLICE_SCOPE);
      const ip = (): string => `10.0.0.${randomBelow(random, 5)}`;
      let now: Record<string, Partial<PodAddress>> | undefined;
      /** What the addresses were when the cloud last said something of a slice. */
      const known = new Map<string, Readonly<Record<string, Partial<PodAddress>>>>();
      for (let step = 0; step < 40; step += 1) {
        const chance = random.next();
        const uids = ['a', 'b', 'c'];
        if (chance < 0.4) {
          const name = `s${randomBelow(random, 4)}`;
          const before = model.objects(SLICES).find(({ key }) => key.endsWith(`/${name}`))?.hash;
          const of = uids.filter(() => random.next() < 0.7).map((uid) => [uid, ip()] as const);
          const { hash } = model.put(SLICES, 'x', name, slice(...of));
          await model.commitAll();
          if (hash !== before) known.set(name, now ?? {});
        } else if (chance < 0.75) {
          now = Object.fromEntries(
            uids.filter(() => random.next() < 0.7).map((uid) => [uid, { ips: [ip()] }]),
          );
          model.offline(now);
        } else if (chance < 0.85) {
          now = undefined;
          known.clear();
          model.offline(undefined);
        } else if (chance < 0.93) follower.connect();
        else await follower.settle();
        const said = (uid: string, name: string): string | undefined => {
          const ips = now?.[uid]?.ips?.[0];
          return ips === undefined || known.get(name)?.[uid]?.ips?.[0] === ips ? undefined : ips;
        };
        for (const { object, key } of store.list(SLICE_SCOPE).entries) {
          const cloud = model.objects(SLICES).find((one) => one.key.endsWith(`/${key.name}`));
          const wanted = JSON.parse(Buffer.from(cloud?.bytes ?? '').toString()) as {
            endpoints: { addresses: string[]; targetRef: { uid: string } }[];
          };
          const shown = object['endpoints'] as typeof wanted.endpoints;
          assert.deepEqual(
            shown.map((endpoint) => endpoint.addresses[0]),
            wanted.endpoints.map((one) => said(one.targetRef.uid, key.name) ?? one.addresses[0]),
            `seed ${seed} step ${step} ${key.name}`,
          );
        }
      }
      await follower.settle();
      const truth = new Follower(() => store, SLICE_SCOPE);
      truth.list();
      assert.deepEqual(withoutVersions(follower.objects), withoutVersions(truth.objects), `seed ${seed}`);
      follower.cut();
    }
  });
});
