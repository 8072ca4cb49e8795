import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { randomBelow, seededRandom, systemClock, type Random } from '@hawser/seams';
import { eventually, FakeClock, scaled } from '@hawser/seams/testing';
import type { StoreWatch } from '@hawser/kube';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { Follower, withoutVersions } from './follower.ts';
import { ENDPOINTS, PoolModel, SERVICES, SLICES } from './pool-model.ts';

const SLICE_SCOPE = { group: 'discovery.k8s.io', resource: 'endpointslices' };
const SERVICE_SCOPE = { group: '', resource: 'services' };

/** The next events of a watch, which is closed then; one more would have come by now. */
async function take(watch: StoreWatch, count: number): Promise<string[]> {
  const told: string[] = [];
  const reading = (async () => {
    for await (const { type, entry } of watch)
      told.push(`${type} ${entry.key.name} ${entry.resourceVersion}`);
  })();
  await eventually('all are told', () => told.length >= count);
  await nextTurn();
  watch.close();
  await reading;
  return told;
}

describe('local store: resources of the pool', () => {
  let model: PoolModel;
  let store: LocalStore;
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
    model = new PoolModel(SLICES, SERVICES);
    store = new LocalStore({ pool: model, clock });
    store.start();
  });

  afterEach(() => store.close());

  const follow = (): Follower => new Follower(() => store, SLICE_SCOPE);

  it('has no resource before its replica is there, and answers writes with 405', async () => {
    assert.equal(store.serves(SLICE_SCOPE, '', '', ''), false);
    assert.throws(() => store.list(SLICE_SCOPE), { code: 'ERR_KUBE_SERVICE_UNAVAILABLE' });
    assert.throws(() => store.watch(SLICE_SCOPE, { fromVersion: 1 }), {
      code: 'ERR_KUBE_SERVICE_UNAVAILABLE',
    });
    assert.equal(store.get({ ...SLICE_SCOPE, namespace: 'a', name: 'b' }), undefined);
    assert.equal(store.versionOf(SLICE_SCOPE), 0);
    await model.commit(SLICES);
    assert.equal(store.serves(SLICE_SCOPE, '', '', ''), true);
    assert.deepEqual(store.list(SLICE_SCOPE).entries, []);
    await assert.rejects(store.create(), { code: 'ERR_KUBE_METHOD_NOT_ALLOWED' });
    await assert.rejects(store.update(), { code: 'ERR_KUBE_METHOD_NOT_ALLOWED' });
    await assert.rejects(store.delete(), { code: 'ERR_KUBE_METHOD_NOT_ALLOWED' });
  });

  it('has a version for each resource', async () => {
    model.put(SLICES, 'a', 'one');
    await model.commit(SLICES);
    model.put(SERVICES, 'a', 'svc');
    model.put(SERVICES, 'a', 'svc2');
    await model.commit(SERVICES);
    assert.equal(store.versionOf(SLICE_SCOPE), 1);
    assert.equal(store.versionOf(SERVICE_SCOPE), 3);
    assert.equal(store.list(SLICE_SCOPE).resourceVersion, 1);
    assert.equal(store.resourceVersion, 3);
  });

  it('tells a commit in order, and goes on from each of its versions', async () => {
    for (const name of ['a', 'b', 'c', 'd']) model.put(SLICES, 'x', name); // 1 to 4
    await model.commit(SLICES);
    const { resourceVersion } = store.list(SLICE_SCOPE);
    model.remove(SLICES, 'x', 'a'); // 5
    model.put(SLICES, 'x', 'b', { ports: [] }); // 6
    model.remove(SLICES, 'x', 'c'); // 7
    model.put(SLICES, 'x', 'e'); // 8
    model.put(SERVICES, 'x', 'other'); // 9
    await model.commit(SLICES);
    const wanted = ['MODIFIED b 6', 'DELETED a 7', 'ADDED e 8', 'DELETED c 9'];
    for (const from of [resourceVersion, 6, 7, 8, 9]) {
      const watch = store.watch(SLICE_SCOPE, { fromVersion: from });
      const expected = wanted.slice(from === resourceVersion ? 0 : from - 5);
      const told = await take(watch, expected.length);
      assert.deepEqual(told, expected);
    }
    assert.equal(store.list(SLICE_SCOPE).resourceVersion, 9);
  });

  it('begins anew, with 410, where versions go back', async () => {
    model.put(SLICES, 'x', 'a');
    model.put(SLICES, 'x', 'b');
    await model.commit(SLICES);
    const follower = follow();
    follower.connect();
    model.life = 'second';
    model.version = 0;
    model.wipe();
    model.put(SLICES, 'x', 'c');
    await model.commit(SLICES);
    assert.equal(await follower.drain(), false);
    await follower.settle();
    assert.equal(follower.lists, 2);
    assert.deepEqual([...follower.objects.keys()], ['x/c']);
    assert.equal(follower.version, 1);
  });

  it('ends watches with 410 when a resource goes, and leaves the others alone', async () => {
    model.put(SLICES, 'x', 'a');
    await model.commitAll();
    const [slices, services] = [follow(), new Follower(() => store, SERVICE_SCOPE)];
    slices.connect();
    services.connect();
    model.shared.delete('endpointslices.discovery.k8s.io');
    model.tell();
    assert.equal(await slices.drain(), false);
    assert.equal(store.serves(SLICE_SCOPE, '', '', ''), false);
    assert.equal(await services.drain(), true);
    model.share(SLICES);
    model.share(ENDPOINTS);
    model.tell();
    assert.equal(store.serves(SLICE_SCOPE, '', '', ''), true);
    assert.equal(store.serves(ENDPOINTS, '', '', ''), false);
    await model.commit(ENDPOINTS);
    assert.equal(store.serves(ENDPOINTS, '', '', ''), true);
    await slices.settle();
    assert.deepEqual([...slices.objects.keys()], ['x/a']);
  });

  it('ends watches with 410 in another pool', async () => {
    model.put(SLICES, 'x', 'a');
    await model.commitAll();
    const slices = follow();
    slices.connect();
    model.pool = 'mill';
    await model.commitAll();
    model.tell();
    assert.equal(await slices.drain(), false);
    await slices.settle();
    assert.deepEqual([...slices.objects.keys()], ['x/a']);
  });

  it('notices a replica that was emptied and filled again', async () => {
    model.put(SLICES, 'x', 'a');
    model.put(SLICES, 'x', 'b');
    await model.commit(SLICES);
    const slices = follow();
    slices.connect();
    model.store.forget('pool/shop/endpointslices.discovery.k8s.io');
    model.remove(SLICES, 'x', 'b');
    await model.commit(SLICES);
    await slices.settle();
    assert.deepEqual([...slices.objects.keys()], ['x/a']);
  });

  it('does not show resources whose replicas lack the status', async () => {
    const pods = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true };
    model.share(pods);
    model.put(pods, 'x', 'a');
    await model.commit(pods);
    assert.equal(store.serves(pods, '', '', ''), false);
  });

  describe('after a restart from a snapshot', () => {
    async function restarted(): Promise<void> {
      const snapshots = model.snapshots();
      await store.close();
      model.restart(snapshots);
      store = new LocalStore({ pool: model, clock });
      store.start();
    }

    it('goes on with whoever has seen the last change', async () => {
      model.put(SLICES, 'x', 'a'); // 1
      model.remove(SLICES, 'x', 'a'); // 2
      await model.commit(SLICES);
      model.put(SERVICES, 'x', 'a'); // 3
      await model.commit(SLICES);
      const slices = follow();
      slices.list();
      await restarted();
      assert.equal(store.versionOf(SLICE_SCOPE), 3);
      assert.throws(() => store.watch(SLICE_SCOPE, { fromVersion: 1 }), { code: 'ERR_KUBE_EXPIRED' });
      store.watch(SLICE_SCOPE, { fromVersion: 2 }).close();
      slices.connect();
      model.put(SLICES, 'x', 'b');
      await model.commit(SLICES);
      assert.ok(await slices.drain());
      assert.deepEqual([...slices.objects.keys()], ['x/b']);
      assert.equal(slices.lists, 1);
    });

    it('waits for what a client has seen before, and tells removals that it may not have seen', async () => {
      for (const name of ['a', 'b', 'c']) model.put(SLICES, 'x', name);
      await model.commit(SLICES);
      const snapshots = model.snapshots();
      model.remove(SLICES, 'x', 'a'); // 4
      model.put(SLICES, 'x', 'd'); // 5
      await store.close();
      model.restart(snapshots);
      store = new LocalStore({ pool: model, clock });
      store.start();
      const watch = store.watch(SLICE_SCOPE, { fromVersion: 5 });
      assert.equal(watch.deliveredVersion, 5);
      await model.commit(SLICES);
      model.put(SLICES, 'x', 'e'); // 6
      await model.commit(SLICES);
      await clock.advance(20_000);
      assert.deepEqual(await take(watch, 2), ['DELETED a 4', 'ADDED e 6']);
    });

    it('says 410 where what a client has seen does not come', async () => {
      await model.commit(SLICES);
      const watch = store.watch(SLICE_SCOPE, { fromVersion: 50 });
      const ended = assert.rejects(watch[Symbol.asyncIterator]().next(), { code: 'ERR_KUBE_EXPIRED' });
      await clock.advance(9_999);
      await model.commit(SLICES);
      await clock.advance(1);
      await ended;
    });
  });
});

/** Something happens in the cluster. */
function write(model: PoolModel, random: Random): void {
  const resource = random.next() < 0.7 ? SLICES : SERVICES;
  const name = `n${randomBelow(random, 12)}`;
  const namespace = `ns${randomBelow(random, 3)}`;
  const exists = model.objects(resource).some(({ key }) => key.endsWith(`/${namespace}/${name}`));
  if (exists && random.next() < 0.4) model.remove(resource, namespace, name);
  else model.put(resource, namespace, name, { ports: [{ port: randomBelow(random, 4) }] });
}

describe('local store: whatever happens to a pool', () => {
  it('tells each change once, to watchers that come, go and go on', async function () {
    this.timeout(scaled(30_000, 600_000));
    for (let seed = 1; seed <= scaled(25, 2000); seed += 1) {
      const random = seededRandom(seed);
      const model = new PoolModel(SLICES, SERVICES);
      const limits = { events: 10 + randomBelow(random, 200), bytes: 1e6 };
      const store = new LocalStore({ pool: model, clock: systemClock, limits });
      store.start();
      await model.commitAll();
      const followers = Array.from({ length: 6 }, (_, index) => {
        const scope = index % 3 === 2 ? SERVICE_SCOPE : SLICE_SCOPE;
        return new Follower(() => store, index % 2 === 0 ? scope : { ...scope, namespace: 'ns1' });
      });
      for (let step = 0; step < 60; step += 1) {
        for (let writes = randomBelow(random, 8); writes > 0; writes -= 1) write(model, random);
        if (random.next() < 0.6) await model.commit(random.next() < 0.6 ? SLICES : SERVICES);
        for (const follower of followers) {
          const chance = random.next();
          if (chance < 0.3) follower.connect();
          else if (chance < 0.5) {
            // Cut in the middle of what one commit has told.
            await follower.drain(randomBelow(random, 4));
            follower.cut();
          } else if (chance < 0.7) await follower.drain();
        }
      }
      await model.commitAll();
      for (const [index, follower] of followers.entries()) {
        await follower.settle();
        const truth = new Follower(() => store, index % 3 === 2 ? SERVICE_SCOPE : SLICE_SCOPE);
        truth.list();
        const wanted = new Map([...truth.objects].filter(([id]) => index % 2 === 0 || id.startsWith('ns1/')));
        const seen = new Map([...follower.objects].sort(([a], [b]) => (a < b ? -1 : 1)));
        assert.deepEqual(seen, wanted, `seed ${seed}`);
        const cluster = model.objects(index % 3 === 2 ? SERVICES : SLICES);
        assert.equal(truth.objects.size, cluster.length);
        for (const { key, bytes } of cluster) {
          const shown = withoutVersions(truth.objects)[key.slice(key.indexOf('/') + 1)];
          assert.deepEqual(shown, JSON.parse(Buffer.from(bytes).toString()));
        }
        follower.cut();
      }
      const told = followers.reduce((sum, { events }) => sum + events, 0);
      assert.ok(told > 50, `seed ${seed}: only ${told} events`);
      await store.close();
    }
  });
});
