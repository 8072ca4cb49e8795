import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import type { ObjectKey, StoreEvent, StoreWatch } from '@hawser/kube';
import { contentOf } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { NodeObjects } from '../../src/local-store/node-objects.ts';
import { isNodeVersion } from '../../src/local-store/own-versions.ts';
import type { NodeBody } from '../../src/node/node-body.ts';
import type { PodStatus } from '../../src/pods/pod-status-types.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { Follower } from './follower.ts';
import { PoolModel, SERVICES } from './pool-model.ts';

const NODE = 'n1';
const SCOPE = `node/${NODE}`;
const PODS = { group: '', resource: 'pods' };
const NODES = { group: '', resource: 'nodes' };
const CONFIG_MAPS = { group: '', resource: 'configmaps' };
const START_MS = Date.UTC(2026, 10, 22);

/** What tells of its changes. */
class Source<T extends readonly unknown[]> {
  readonly #listeners = new Set<(...told: T) => void>();

  listen(listener: (...told: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(...told: T): void {
    for (const listener of [...this.#listeners]) listener(...told);
  }
}

class Pods extends Source<[]> {
  all: readonly Pod[] = [];

  pods(): readonly Pod[] {
    return this.all;
  }
}

class Statuses extends Source<[uid: string]> {
  readonly of = new Map<string, PodStatus>();

  get(uid: string): PodStatus | undefined {
    return this.of.get(uid);
  }
}

class Reporter extends Source<[]> {
  body: NodeBody | undefined;
}

function pod(name: string, uid: string, more: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name, namespace: 'shop', uid, labels: { app: name }, ...more },
    spec: { nodeName: NODE, containers: [{ name: 'main' }] },
  };
}

function status(phase: PodStatus['phase']): PodStatus {
  return { phase, conditions: [], startTime: '', containerStatuses: [], qosClass: 'BestEffort' };
}

describe('local store: what is of the node', () => {
  let replica: MemoryReplicaStore;
  let pods: Pods;
  let statuses: Statuses;
  let reporter: Reporter;
  let clock: FakeClock;
  let model: PoolModel;
  let store: LocalStore;
  let version = 100;

  const start = (wallMs = START_MS): void => {
    const node = new NodeObjects({
      ...{ node: NODE, scope: SCOPE, replica, pods, statuses, reporter, clock },
      wallMs: () => wallMs,
      log: silentLogger,
    });
    store = new LocalStore({ pool: model, node, clock });
    store.start();
  };

  const put = async (
    resource: string,
    namespace: string,
    name: string,
    fields: object = {},
  ): Promise<void> => {
    version += 1;
    const { metadata = {}, ...rest } = fields as { metadata?: object };
    const content = contentOf(resource, {
      apiVersion: 'v1',
      kind: 'Any',
      metadata: {
        name,
        ...(namespace !== '' && { namespace }),
        resourceVersion: String(version),
        ...metadata,
      },
      ...rest,
    });
    await replica.apply(SCOPE, [{ put: content }]);
  };

  const settled = (uid: string, phase: PodStatus['phase']): void => {
    statuses.of.set(uid, status(phase));
    statuses.tell(uid);
  };

  beforeEach(() => {
    replica = new MemoryReplicaStore();
    pods = new Pods();
    statuses = new Statuses();
    reporter = new Reporter();
    clock = new FakeClock();
    model = new PoolModel(SERVICES);
    version = 100;
    start();
  });

  afterEach(() => store.close());

  describe('pods', () => {
    it('has what the cloud wants, with the status that the node has', () => {
      pods.all = [pod('web', 'u1'), pod('db', 'u2')];
      statuses.of.set('u1', status('Running'));
      const { entries, resourceVersion } = store.list(PODS);
      assert.deepEqual(
        entries.map(({ key, object }) => [key.name, (object['status'] as PodStatus).phase]),
        [
          ['db', 'Pending'],
          ['web', 'Running'],
        ],
      );
      const web = JSON.parse(entries[1]?.json().toString() ?? '') as Record<string, unknown>;
      assert.deepEqual(Object.keys(web), ['kind', 'apiVersion', 'metadata', 'spec', 'status']);
      assert.deepEqual(web['metadata'], {
        ...pod('web', 'u1').metadata,
        resourceVersion: String(resourceVersion),
      });
      assert.deepEqual(entries[1]?.labels, { app: 'web' });
      assert.ok(isNodeVersion(String(resourceVersion)));
    });

    it('tells of each change of spec or status, of pods that come and go, and of another one of a name', async () => {
      pods.all = [pod('web', 'u1')];
      const follower = new Follower(() => store, PODS);
      follower.connect();
      const told = async (): Promise<readonly string[]> => {
        await follower.settle();
        return follower.latest.map(
          ({ type, entry }) => `${type} ${entry.key.name} ${(entry.object['status'] as PodStatus).phase}`,
        );
      };
      settled('u1', 'Running');
      assert.deepEqual(await told(), ['MODIFIED web Running']);
      statuses.tell('u1');
      pods.tell();
      assert.deepEqual(await told(), [], 'nothing has changed');
      const db = pod('db', 'u2');
      pods.all = [pod('web', 'u1', { deletionTimestamp: 'now' }), db];
      pods.tell();
      assert.deepEqual(await told(), ['MODIFIED web Running', 'ADDED db Pending']);
      pods.all = [pod('web', 'u3'), db];
      pods.tell();
      assert.deepEqual(await told(), ['DELETED web Running', 'ADDED web Pending']);
      pods.all = [];
      pods.tell();
      assert.deepEqual(await told(), ['DELETED web Pending', 'DELETED db Pending']);
      assert.equal(follower.lists, 1);
      settled('u3', 'Failed');
      assert.deepEqual(await told(), []);
    });

    it('goes on from any version that it has given, and not from those of before a restart', async () => {
      pods.all = [pod('web', 'u1')];
      const { resourceVersion } = store.list(PODS);
      settled('u1', 'Running');
      settled('u1', 'Succeeded');
      const watch = store.watch(PODS, { fromVersion: resourceVersion + 1 });
      const next = await watch[Symbol.asyncIterator]().next();
      assert.equal((next.value as StoreEvent).entry.resourceVersion, resourceVersion + 2);
      watch.close();
      await store.close();
      start(START_MS + 1000);
      assert.throws(() => store.watch(PODS, { fromVersion: resourceVersion + 2 }), {
        code: 'ERR_KUBE_EXPIRED',
      });
      assert.ok(store.list(PODS).resourceVersion > resourceVersion + 2);
    });
  });

  describe('the Node', () => {
    const body = (images: number): NodeBody => ({
      ...{ labels: {}, annotations: {}, taints: [] },
      status: { images: Array.from({ length: images }, () => ({ names: [] })) },
    });

    it('is what the cloud has of it, with the status that it reports', async () => {
      const key: ObjectKey = { ...NODES, namespace: '', name: NODE };
      assert.equal(store.serves(NODES, '', NODE, ''), false, 'the cloud has not given it yet');
      reporter.body = body(1);
      await put('nodes', '', NODE, { metadata: { labels: { zone: 'a' } } });
      assert.equal(store.serves(NODES, '', NODE, ''), true);
      assert.equal(store.serves(NODES, '', 'n2', ''), false);
      assert.equal(store.serves(NODES, '', '', `metadata.name=${NODE}`), true);
      await store.load(key);
      const object = store.get(key)?.object;
      assert.deepEqual(object?.['status'], { images: [{ names: [] }] });
      assert.deepEqual(object.metadata.labels, { zone: 'a' });
      const follower = new Follower(() => store, NODES);
      follower.connect();
      reporter.body = body(2);
      reporter.tell();
      await follower.settle();
      await put('nodes', '', NODE, { metadata: { labels: { zone: 'b' } } });
      await eventually('the labels are shown', async () => {
        await follower.settle();
        return follower.latest.some(({ entry }) => entry.labels?.['zone'] === 'b');
      });
      assert.equal(follower.lists, 1);
    });
  });

  describe('single objects', () => {
    const key = (name: string): ObjectKey => ({ ...CONFIG_MAPS, namespace: 'shop', name });

    it('are read from the disk before they are asked for, and show the version of the API server', async () => {
      await put('configmaps', 'shop', 'settings', { data: { a: 'b' } });
      assert.equal(store.serves(CONFIG_MAPS, 'shop', 'settings', ''), true);
      assert.throws(() => store.get(key('settings'))?.json(), { code: 'ERR_KUBE_SERVICE_UNAVAILABLE' });
      await store.load(key('settings'));
      const object = store.get(key('settings'))?.object;
      assert.deepEqual(object?.['data'], { a: 'b' });
      assert.equal(object.metadata.resourceVersion, '101');
      assert.ok(isNodeVersion(String(store.versionOf(CONFIG_MAPS))));
      await store.load(key('none'));
      assert.equal(store.get(key('none')), undefined);
    });

    it('tell whoever watches of what they are now, and were', async () => {
      await put('configmaps', 'shop', 'settings', { data: { a: '1' } });
      await put('configmaps', 'shop', 'others', { data: { a: '1' } });
      await store.load(key('settings'));
      const { resourceVersion } = store.list({ ...CONFIG_MAPS, namespace: 'shop' });
      const watch = store.watch({ ...CONFIG_MAPS, namespace: 'shop' }, { fromVersion: resourceVersion });
      const told = collect(watch);
      await put('configmaps', 'shop', 'settings', { data: { a: '2' } });
      await put('secrets', 'shop', 'settings', {});
      await replica.apply(SCOPE, [{ remove: 'configmaps/shop/settings' }]);
      await put('configmaps', 'shop', 'settings', { data: { a: '3' } });
      await eventually('all are told', () => told.length === 3);
      assert.deepEqual(
        told.map(({ type, entry, previous }) => [
          type,
          entry.object['data'],
          previous?.object['data'],
          entry.resourceVersion - resourceVersion,
        ]),
        [
          ['MODIFIED', { a: '2' }, { a: '1' }, 1],
          ['DELETED', { a: '2' }, { a: '2' }, 2],
          ['ADDED', { a: '3' }, undefined, 3],
        ],
      );
      const late = store.watch(CONFIG_MAPS, { fromVersion: resourceVersion + 1 });
      const rest = collect(late);
      await eventually('what came later', () => rest.length === 2);
      watch.close();
      late.close();
      await put('configmaps', 'shop', 'settings', { data: { a: '4' } });
      await eventually('it is noticed', () => store.versionOf(CONFIG_MAPS) > resourceVersion + 3);
      assert.throws(() => store.watch(CONFIG_MAPS, { fromVersion: resourceVersion + 3 }), {
        code: 'ERR_KUBE_EXPIRED',
      });
    });

    it('are forgotten after a while, and refused where too much is needed at a time', async () => {
      const data = { text: 'x'.repeat(900_000) };
      for (let n = 0; n < 20; n += 1) await put('configmaps', 'shop', `big${n}`, { data });
      for (let n = 0; n < 18; n += 1) await store.load(key(`big${n}`));
      await assert.rejects(store.load(key('big18')), { code: 'ERR_KUBE_TOO_MANY_REQUESTS' });
      assert.ok(store.get(key('big0'))?.json());
      await clock.advance(31_000);
      await store.load(key('big19'));
      assert.throws(() => store.get(key('big0'))?.json(), { code: 'ERR_KUBE_SERVICE_UNAVAILABLE' });
    });

    it('are no more than what an API server has', async () => {
      await put('poolmemberships.hawser.dev', '', 'shop');
      const resource = { group: 'hawser.dev', resource: 'poolmemberships' };
      assert.equal(store.serves(resource, '', 'shop', ''), false);
    });
  });

  it('answers what there is for a name, pods of this node, and nothing else', async () => {
    pods.all = [pod('web', 'u1')];
    await put('configmaps', 'shop', 'settings');
    model.put(SERVICES, 'shop', 'web');
    await model.commitAll();
    for (const [resource, namespace, name, selector, wanted] of [
      [PODS, '', '', `spec.nodeName=${NODE}`, true],
      [PODS, 'shop', '', `spec.nodeName=${NODE},status.phase!=Failed`, true],
      [PODS, '', '', 'spec.nodeName=n2', false],
      [PODS, '', '', `spec.nodeName!=${NODE}`, false],
      [PODS, '', '', '', false],
      [PODS, 'shop', 'web', '', true],
      [PODS, 'shop', 'db', '', false],
      [PODS, 'shop', '', 'metadata.name=web', true],
      [PODS, '', '', 'metadata.name=web', false],
      [CONFIG_MAPS, 'shop', 'settings', '', true],
      [CONFIG_MAPS, 'shop', '', 'metadata.name=settings', true],
      [CONFIG_MAPS, 'shop', '', '', false],
      [CONFIG_MAPS, 'shop', 'none', '', false],
      [{ group: '', resource: 'secrets' }, 'shop', 'settings', '', false],
      [SERVICES, '', '', '', true],
      [SERVICES, 'any', 'any', '', true],
      [SERVICES, '', '', 'metadata.name=x', true],
    ] as const) {
      const about = `${resource.resource} ${namespace}/${name} ${selector}`;
      assert.equal(store.serves(resource, namespace, name, selector), wanted, about);
    }
    assert.throws(() => store.serves(PODS, '', '', 'a'), { code: 'ERR_KUBE_BAD_REQUEST' });
  });
});

/** Events as they come. */
function collect(watch: StoreWatch): StoreEvent[] {
  const told: StoreEvent[] = [];
  void (async () => {
    for await (const event of watch) told.push(event);
  })();
  return told;
}
