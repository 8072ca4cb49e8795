import assert from 'node:assert/strict';
import { HttpApiClient, ResourceClient, RESOURCES, type KubeObject } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { silentLogger, systemClock, systemRandom } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { DigestTree, readSignedState } from '@hawser/sync';
import type { PoolScope } from '../../src/pools/pool-scope.ts';
import { PoolSigner } from '../../src/pools/pool-signer.ts';
import { ResourceScopes } from '../../src/pools/resource-scopes.ts';
import { WatchedClient } from '../watched-client.ts';

const SLICES = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
const NAME = 'endpointslices.discovery.k8s.io';
const MAPS = { group: 'example.com', version: 'v1', resource: 'maps' };

function slice(name: string, address = '10.0.0.1'): KubeObject {
  return {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
    metadata: { namespace: 'default', name },
    endpoints: [{ addresses: [address] }],
    ports: [],
  };
}

/** Maps, which an operator defines. */
const DEFINITION: KubeObject = {
  ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
  metadata: { name: 'maps.example.com' },
  spec: {
    group: 'example.com',
    names: { kind: 'Map', listKind: 'MapList', plural: 'maps', singular: 'map' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

describe('resources that pools share', () => {
  let kube: KubeFixture;
  let client: WatchedClient;
  let slices: ResourceClient;
  let scopes: ResourceScopes;
  let changes: string[];
  let rollbacks: string[];
  const life = { uid: 'cluster', incarnation: 'first' };

  beforeEach(async () => {
    kube = await startKubeFixture({ server: { limits: { stopMs: 50 } } });
    client = new WatchedClient(new HttpApiClient({ server: kube.url }));
    slices = new ResourceClient(client, RESOURCES.endpointslices);
    changes = [];
    rollbacks = [];
    scopes = make();
  });

  afterEach(async () => {
    await scopes.stop();
    client.close();
    await kube.stop();
  });

  const make = (over = client): ResourceScopes => {
    const made = new ResourceScopes({
      ...{ client: over, clock: systemClock, random: systemRandom, log: silentLogger },
      signer: new PoolSigner({ seed: new Uint8Array(32).fill(7), life: () => life }),
      onRollback: (reason) => {
        rollbacks.push(reason);
        return Promise.resolve();
      },
      onOlderList: () => {},
      onChange: (name) => changes.push(`${name} ${made.state(name)}`),
      events: { unreadable: () => {}, replaced: () => {} },
      presenceIntervalMs: 25,
      lingerMs: 25,
    });
    made.start();
    return made;
  };
  const ready = async (name = NAME, from = scopes): Promise<PoolScope> => {
    await eventually(`${name} is there`, () => from.scope(name)?.ready === true);
    const scope = from.scope(name);
    assert.ok(scope);
    return scope;
  };
  const lists = (): number => client.calls.filter((call) => call.includes(`/${SLICES.resource}`)).length;

  it('are followed once, whoever wants them, and given up when nobody does', async () => {
    await slices.create(slice('a'));
    client.calls.length = 0;
    scopes.want('one', [SLICES]);
    scopes.want('two', [SLICES]);
    const scope = await ready();
    assert.equal(scope.size, 1);
    assert.equal(lists(), 0, 'a streaming list is the watch');
    scopes.want('one', []);
    await slices.create(slice('b'));
    await eventually('it goes on', () => scope.size === 2);
    scopes.want('two', []);
    scopes.want('three', [SLICES]);
    assert.equal(scopes.scope(NAME), scope);
    scopes.want('three', []);
    await eventually('it is given up', () => scopes.scope(NAME) === undefined);
    assert.deepEqual(changes, [`${NAME} followed`]);
  });

  it('are told while they change, so that each stamp is of what was told', async () => {
    scopes.want('one', [SLICES]);
    const scope = await ready();
    const told = new Map<string, string>();
    const mismatches: string[] = [];
    let stamps = 0;
    scope.listen({
      changed: (key) => {
        const content = scope.get(key);
        if (content === undefined) told.delete(key);
        else told.set(key, content.hash);
        const state = readSignedState(scope.stamp());
        stamps += 1;
        const digest = Buffer.from(DigestTree.of(told).digest());
        if (state === undefined || !digest.equals(state.digest)) mismatches.push(key);
      },
      ready: () => {},
    });
    for (const name of ['a', 'b', 'c']) await slices.create(slice(name));
    await slices.patch('default', 'b', 'merge', { endpoints: [{ addresses: ['10.0.0.2'] }] });
    await slices.delete('default', 'a');
    await eventually('all was told', () => stamps === 5);
    assert.deepEqual(mismatches, []);
    assert.equal(scope.stamp(), scope.stamp(), 'signed once');
    assert.ok(BigInt(readSignedState(scope.stamp())?.version ?? 0) > 0n);
  });

  it('go on from a stamp of another replica, at a version that is as high', async () => {
    scopes.want('one', [SLICES]);
    const scope = await ready();
    await slices.create(slice('a'));
    await eventually('it is there', () => scope.size === 1);
    const late = make();
    try {
      late.want('one', [SLICES]);
      const other = await ready(NAME, late);
      // Something else happens, which only the first one hears of.
      await new ResourceClient(client, RESOURCES.configmaps).create({
        ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'x' } },
      });
      await scope.catchUp(new AbortController().signal);
      const stamp = scope.stamp();
      assert.ok(BigInt(scope.version) > BigInt(other.version), 'it has seen more');
      await other.admit(stamp, new AbortController().signal);
      assert.ok(BigInt(other.version) >= BigInt(scope.version), 'the same state, as new');
      assert.deepEqual(other.digest(), scope.digest());
      assert.deepEqual(rollbacks, []);
    } finally {
      await late.stop();
    }
  });

  it('tell that the API server went back by a stamp of its future, and by no other', async () => {
    scopes.want('one', [SLICES]);
    const scope = await ready();
    const { signal } = new AbortController();
    const signer = (uid: string, fill = 7): PoolSigner =>
      new PoolSigner({
        seed: new Uint8Array(32).fill(fill),
        life: () => ({ ...life, uid }),
      });
    const state = { version: '900000000000', digest: new Uint8Array(16) };
    await scope.admit(new Uint8Array(0), signal);
    await scope.admit(signer('another cluster').sign(NAME, state).stamp, signal);
    await scope.admit(signer('cluster', 8).sign(NAME, state).stamp, signal);
    await scope.admit(signer('cluster').sign('services', state).stamp, signal);
    assert.deepEqual(rollbacks, []);
    const genuine = signer('cluster').sign(NAME, state).stamp;
    await assert.rejects(scope.admit(genuine, signal), { code: 'ERR_CLOUDCORE_ROLLBACK' });
    assert.equal(rollbacks.length, 1);
  });

  it('come with their definition, go with it, and come again', async () => {
    scopes.want('one', [MAPS]);
    const name = 'maps.example.com';
    await eventually('it is looked for', () => scopes.state(name) === 'absent');
    const definitions = new ResourceClient(client, RESOURCES.customresourcedefinitions);
    const maps = new ResourceClient(client, { ...MAPS, kind: 'Map', namespaced: true });
    for (const round of [1, 2]) {
      await definitions.create(DEFINITION);
      const scope = await ready(name);
      await eventually('it is known', () => scopes.resource(name) !== undefined);
      assert.deepEqual(scopes.resource(name), { ...MAPS, kind: 'Map', namespaced: true });
      await maps.create({
        ...{ apiVersion: 'example.com/v1', kind: 'Map' },
        metadata: { namespace: 'default', name: `map-${round}` },
      });
      await eventually('its objects are', () => scope.size === 1);
      await definitions.delete('', 'maps.example.com');
      await eventually('it is gone', () => scopes.state(name) === 'absent', { deadlineMs: 8000 });
      assert.deepEqual([scope.size, scopes.resource(name)], [0, undefined]);
    }
  }).timeout(20_000);

  it('are listed anew after the API server has got another life, and not ready until then', async () => {
    scopes.want('one', [SLICES]);
    const scope = await ready();
    scopes.relist();
    assert.equal(scope.ready, false);
    await ready();
  });
});
