import assert from 'node:assert/strict';
import type { KubeObject, ObjectStore } from '@hawser/kube';
import { delay, randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled, within } from '@hawser/seams/testing';
import { contentOf } from '@hawser/sync';
import { Registry } from 'prom-client';
import type { ClusterCache } from '../../src/cache/cluster-cache.ts';
import { podReferences, isTerminated } from '../../src/cache/pod-references.ts';
import { LABELS } from '../../src/cluster/names.ts';
import { ChaosClient } from './chaos-client.ts';
import { configMap, node, pod, secret, startClusterSite, type ClusterSite } from './cluster-site.ts';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const PODS = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'];
const CONFIG_MAPS = ['c1', 'c2', 'c3', 'c4'];
const SECRETS = ['s1', 's2', 's3'];
const CLAIMS = ['v1', 'v2'];
/** A node whose objects nobody touches: whatever happens elsewhere, they must stay in its view. */
const STABLE = 'stable';
const STABLE_KEYS = [
  'configmaps/default/stable',
  'nodes//stable',
  'pods/default/stable',
  'secrets/default/stable',
];

/** What each node is to have, computed from the store alone. */
function expected(store: ObjectStore, name: string, claimed: boolean): Map<string, string> {
  const all = (resource: string): KubeObject[] =>
    store.list({ group: '', resource }).entries.map(({ object }) => object);
  const byKey = new Map<string, KubeObject>();
  for (const resource of [
    'nodes',
    'pods',
    'configmaps',
    'secrets',
    'serviceaccounts',
    'persistentvolumeclaims',
    'persistentvolumes',
  ]) {
    for (const object of all(resource)) {
      byKey.set(`${resource}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`, object);
    }
  }
  const wanted = new Set<string>();
  const own = byKey.get(`nodes//${name}`);
  if (own?.metadata.labels?.[LABELS.edge] === undefined && !claimed) return new Map();
  wanted.add(`nodes//${name}`);
  for (const [key, object] of byKey) {
    if (!key.startsWith('pods/') || (object['spec'] as { nodeName?: string }).nodeName !== name) continue;
    wanted.add(key);
    if (isTerminated(object)) continue;
    for (const reference of podReferences(object)) {
      wanted.add(reference);
      const volume = (byKey.get(reference)?.['spec'] as { volumeName?: string } | undefined)?.volumeName;
      if (volume !== undefined) wanted.add(`persistentvolumes//${volume}`);
    }
  }
  const found = new Map<string, string>();
  for (const key of [...wanted].sort()) {
    const object = byKey.get(key);
    if (object !== undefined) found.set(key, contentOf(key.slice(0, key.indexOf('/')), object).hash);
  }
  return found;
}

class Churn {
  readonly site: ClusterSite;
  readonly random: Random;
  readonly cache: ClusterCache;
  readonly claims = new Map<string, () => void>();

  constructor(site: ClusterSite, random: Random, cache: ClusterCache) {
    this.site = site;
    this.random = random;
    this.cache = cache;
  }

  one(of: readonly string[]): string {
    return of[randomBelow(this.random, of.length)] ?? '';
  }

  some(of: readonly string[]): string[] {
    return of.filter(() => this.random.next() < 0.3);
  }

  get(resource: string, name: string): KubeObject | undefined {
    const namespace = resource === 'nodes' || resource === 'persistentvolumes' ? '' : 'default';
    return this.site.fixture.store.get({ group: '', resource, namespace, name })?.object;
  }

  async step(): Promise<void> {
    const actions: (() => Promise<unknown> | undefined)[] = [
      () => this.#node(),
      () => this.#claim(),
      () => this.#pod(),
      () => this.#pod(),
      () => this.#end(),
      () => this.#data('ConfigMap', 'configmaps', this.one(CONFIG_MAPS)),
      () => this.#data('Secret', 'secrets', this.one(SECRETS)),
      () => this.#volume(),
    ];
    await actions[randomBelow(this.random, actions.length)]?.();
  }

  #node(): Promise<unknown> {
    const name = this.one(NODES);
    const present = this.get('nodes', name);
    const edge = this.random.next() < 0.7;
    if (present === undefined) return this.site.create(node(name, { edge }));
    if (this.random.next() < 0.3) return this.site.remove('Node', name);
    const labels = edge ? { [LABELS.edge]: '', round: String(this.random.next()) } : {};
    return this.site.update({ ...present, metadata: { ...present.metadata, labels } });
  }

  #claim(): undefined {
    const name = this.one(NODES);
    const release = this.claims.get(name);
    if (release === undefined) this.claims.set(name, this.cache.claim(name));
    else release();
    if (release !== undefined) this.claims.delete(name);
    return undefined;
  }

  #pod(): Promise<unknown> {
    const name = this.one(PODS);
    if (this.get('pods', name) !== undefined) return this.site.remove('Pod', name);
    const names = {
      configMaps: this.some(CONFIG_MAPS),
      secrets: this.some(SECRETS),
      claims: this.some(CLAIMS),
    };
    return this.site.create(pod(name, this.one([...NODES, 'cloud']), names));
  }

  /** A pod ends, or changes what does not matter. */
  async #end(): Promise<void> {
    const name = this.one(PODS);
    const present = this.get('pods', name);
    if (present === undefined) return;
    const path = `/api/v1/namespaces/default/pods/${name}/status`;
    const status = {
      phase: this.random.next() < 0.5 ? 'Succeeded' : 'Running',
      message: String(this.random.next()),
    };
    await this.site.client.request({ method: 'PUT', path, body: { ...present, status } });
  }

  #data(kind: 'ConfigMap' | 'Secret', resource: string, name: string): Promise<unknown> {
    const present = this.get(resource, name);
    if (present !== undefined && this.random.next() < 0.4) return this.site.remove(kind, name);
    const value = String(this.random.next());
    const object = kind === 'ConfigMap' ? configMap(name, { value }) : secret(name, value);
    if (present === undefined) return this.site.create(object);
    return this.site.update({ ...present, data: object['data'] });
  }

  #volume(): Promise<unknown> {
    const name = this.one(CLAIMS);
    const present = this.get('persistentvolumeclaims', name);
    if (present !== undefined) return this.site.remove('PersistentVolumeClaim', name);
    const spec = {
      volumeName: this.one(['pv1', 'pv2']),
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    };
    return this.site.create({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
      ...{ metadata: { name, namespace: 'default' }, spec },
    });
  }
}

async function createStable(site: ClusterSite): Promise<void> {
  await site.create(node(STABLE));
  await site.create(configMap('stable'));
  await site.create(secret('stable'));
  await site.create(pod('stable', STABLE, { configMaps: ['stable'], secrets: ['stable'] }));
  for (const name of ['pv1', 'pv2']) {
    const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } };
    await site.create({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec });
  }
}

async function objectsKept(registry: Registry): Promise<number> {
  const metric = await registry.getSingleMetric('hawser_cache_objects')?.get();
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

async function run(seed: number, steps: number): Promise<void> {
  const random = seededRandom(seed);
  const site = await startClusterSite();
  try {
    await createStable(site);
    const chaos = { delayMs: 6, failure: 0.1, expiry: 0.4, cut: 0.15, refusal: 0.5 };
    const client = new ChaosClient(site.client, seededRandom(seed + 1000), chaos);
    const registry = new Registry();
    // Short pauses: back-off has full jitter.
    const hasty = { next: () => random.next() * 0.01 };
    const cache = site.cache({ client, registry, random: hasty, pageSize: 2 });
    const churn = new Churn(site, random, cache);
    const mirrors = new Map<string, Map<string, string>>();
    for (const name of [...NODES, STABLE]) {
      const view = cache.nodeView(name);
      const mirror = new Map<string, string>();
      mirrors.set(name, mirror);
      view.listen({
        changed(key) {
          const content = view.get(key);
          if (content === undefined) mirror.delete(key);
          else mirror.set(key, content.hash);
          if (name === STABLE && view.ready)
            assert.ok(content, `seed ${seed}: ${key} left the view of ${name}`);
        },
        ready() {},
      });
    }
    const half = Math.floor(steps / 2);
    for (let step = 0; step < steps; step += 1) {
      await churn.step();
      await delay(randomBelow(random, 4));
      if (step === half) await within('the first lists', cache.waitForSync(), 10_000);
      if (step <= half) continue;
      const present = [...cache.nodeView(STABLE).hashes()].map(([key]) => key).sort();
      assert.deepEqual(present, STABLE_KEYS, `seed ${seed}, step ${step}`);
    }
    client.calm();
    for (const name of [...NODES, STABLE])
      await agree(name, churn, mirrors.get(name) ?? new Map<string, string>(), seed);
    for (const release of churn.claims.values()) release();
    for (const name of PODS) if (churn.get('pods', name) !== undefined) await site.remove('Pod', name);
    await site.remove('Pod', 'stable');
    for (const name of [...NODES, STABLE])
      if (churn.get('nodes', name) !== undefined) await site.remove('Node', name);
    await eventually(
      `seed ${seed}: nothing is kept for nobody`,
      async () => (await objectsKept(registry)) === 0,
    );
  } finally {
    await site.stop();
  }
}

async function agree(name: string, churn: Churn, mirror: Map<string, string>, seed: number): Promise<void> {
  const { cache, site } = churn;
  const claimed = churn.claims.has(name);
  const view = cache.nodeView(name);
  // A node that is gone and that nobody claims has its pods for as long as the cache has seen it before; or not.
  if (!claimed && churn.get('nodes', name) === undefined) return;
  const want = expected(site.fixture.store, name, claimed);
  const has = (): Map<string, string> =>
    new Map([...view.hashes()].sort(([left], [right]) => (left < right ? -1 : 1)));
  try {
    await eventually('as the store', () => view.ready && equal(has(), want), { deadlineMs: 8000 });
  } catch {
    assert.deepEqual(has(), want, `seed ${seed}: view of ${name}, ready ${view.ready}`);
    assert.fail(`seed ${seed}: view of ${name} is not ready`);
  }
  assert.equal(view.size, want.size);
  await eventually('listeners know', () =>
    equal(new Map([...mirror].sort(([left], [right]) => (left < right ? -1 : 1))), want),
  );
  await within(`${name} catches up`, view.catchUp(AbortSignal.timeout(8000)), 9000);
}

function equal(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  return JSON.stringify([...left]) === JSON.stringify([...right]);
}

describe('ClusterCache on bad days', function () {
  this.timeout(scaled(60_000, 600_000));

  for (let seed = 1; seed <= scaled(4, 60); seed += 1) {
    it(`ends with what the API server has (seed ${seed})`, () => run(seed, scaled(120, 400)));
  }
});
