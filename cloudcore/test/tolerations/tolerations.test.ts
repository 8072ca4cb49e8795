import assert from 'node:assert/strict';
import {
  defaultTolerationSeconds,
  HttpApiClient,
  MemoryStore,
  namespaceLifecycle,
  ResourceClient,
  RESOURCES,
  type KubeObject,
} from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { silentLogger } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { Registry } from 'prom-client';
import { TolerationsController } from '../../src/tolerations/tolerations-controller.ts';
import {
  policyOf,
  unboundedTolerations,
  type TolerationsPolicy,
} from '../../src/tolerations/tolerations-plan.ts';
import { GivenView } from '../given-view.ts';
import { WatchedClient } from '../watched-client.ts';

const NODE = 'edge-1';
const NOT_READY = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' };
const UNREACHABLE = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' };
const DEFAULTS = [NOT_READY, UNREACHABLE].map((toleration) => ({ ...toleration, tolerationSeconds: 300 }));

describe('the tolerations that a pod is to have', () => {
  it('are its defaults without an end, in their places', () => {
    const own = { key: 'dedicated', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
    assert.deepEqual(unboundedTolerations([own, ...DEFAULTS]), [own, NOT_READY, UNREACHABLE]);
  });

  it('are what they are where an author has chosen', () => {
    const chosen = [
      { ...NOT_READY, tolerationSeconds: 60 },
      { ...UNREACHABLE, tolerationSeconds: 0 },
      { key: UNREACHABLE.key, operator: 'Equal', value: 'x', effect: 'NoExecute', tolerationSeconds: 300 },
      { operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ];
    assert.equal(unboundedTolerations(chosen), undefined);
    assert.deepEqual(unboundedTolerations([chosen[0], DEFAULTS[1]]), [chosen[0], UNREACHABLE]);
  });

  it('are not changed twice, nor made up', () => {
    for (const nothing of [undefined, null, 'x', [], [NOT_READY, UNREACHABLE], [null, 'x', 1]]) {
      assert.equal(unboundedTolerations(nothing), undefined);
    }
  });

  it('follow the annotation of the Node', () => {
    const policy = (value: string) => policyOf({ annotations: { 'hawser.dev/tolerations': value } });
    assert.deepEqual([policy('keep'), policy('unbounded'), policy('?')], ['keep', 'unbounded', 'unbounded']);
    assert.equal(policyOf(undefined), 'unbounded');
  });

  it('follow the configuration of the hub where the Node says nothing', () => {
    const policy = (value: string) => policyOf({ annotations: { 'hawser.dev/tolerations': value } }, 'keep');
    assert.deepEqual([policy('keep'), policy('unbounded'), policy('?')], ['keep', 'unbounded', 'keep']);
    assert.equal(policyOf(undefined, 'keep'), 'keep');
  });
});

describe('the tolerations of pods on edge nodes', () => {
  let kube: KubeFixture;
  let view: GivenView;
  let client: WatchedClient;
  let direct: HttpApiClient;
  let pods: ResourceClient;
  let controllers: TolerationsController[];

  beforeEach(async () => {
    const store = new MemoryStore();
    const plugins = [namespaceLifecycle(store), defaultTolerationSeconds()];
    kube = await startKubeFixture({ store, server: { plugins } });
    view = new GivenView();
    client = new WatchedClient(new HttpApiClient({ server: kube.url }));
    direct = new HttpApiClient({ server: kube.url });
    pods = new ResourceClient(direct, RESOURCES.pods);
    controllers = [];
    view.setNode(NODE, {});
  });

  afterEach(async () => {
    for (const controller of controllers) await controller.stop();
    assert.equal(view.listeners, 0);
    client.close();
    direct.close();
    await kube.stop();
  });

  function start(policy?: TolerationsPolicy): { patched: () => Promise<number> } {
    const registry = new Registry();
    const options = { client, view, log: silentLogger, registry, ...(policy !== undefined && { policy }) };
    const controller = new TolerationsController(options);
    controllers.push(controller);
    controller.start();
    return {
      patched: async () =>
        (await registry.getSingleMetric('hawser_tolerations_unbounded_total')?.get())?.values[0]?.value ?? 0,
    };
  }

  async function create(name: string, tolerations: readonly object[] = []): Promise<KubeObject> {
    const spec = { nodeName: NODE, containers: [{ name: 'app', image: 'app' }], tolerations };
    return pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name }, spec });
  }

  function show(pod: KubeObject, content = true): void {
    const { uid = '', name = '' } = pod.metadata;
    view.setPod('default', name, { uid, nodeName: NODE }, content ? pod : undefined);
  }

  const tolerations = async (name: string): Promise<unknown> =>
    ((await pods.get('default', name))['spec'] as { tolerations?: unknown }).tolerations;
  const unbounded = async (name: string): Promise<boolean> =>
    JSON.stringify(await tolerations(name)) === JSON.stringify([NOT_READY, UNREACHABLE]);
  /** Until a pod that was shown after others is done, so are they. */
  async function settled(): Promise<void> {
    show(await create('last'));
    await eventually('the last pod is done', () => unbounded('last'));
  }

  for (const content of [true, false]) {
    it(`lose their end, the cache ${content ? 'holding' : 'not yet holding'} the pod`, async () => {
      const { patched } = start();
      const pod = await create('web');
      assert.deepEqual(await tolerations('web'), DEFAULTS);
      show(pod, content);
      await eventually('it is unbounded', () => unbounded('web'));
      assert.equal(await patched(), 1);
    });
  }

  it('stay where the hub is told so, until the Node says otherwise, also one that is seen late', async () => {
    const unboundedHere = { annotations: { 'hawser.dev/tolerations': 'unbounded' } };
    view.removeNode(NODE);
    start('keep');
    show(await create('web'));
    // They are looked at in turn: when this one is done, so is the one before.
    view.setNode('other', unboundedHere);
    const marker = await create('marker');
    view.setPod('default', 'marker', { uid: marker.metadata.uid ?? '', nodeName: 'other' }, marker);
    await eventually('the other is unbounded', () => unbounded('marker'));
    assert.deepEqual(await tolerations('web'), DEFAULTS);
    view.setNode(NODE, unboundedHere);
    await eventually('it is unbounded', () => unbounded('web'));
  });

  it('are left as an author wants them, without a call', async () => {
    start();
    show(await create('web', [{ ...NOT_READY, tolerationSeconds: 10 }, UNREACHABLE]));
    show(await create('daemon', [NOT_READY, UNREACHABLE]));
    await settled();
    assert.deepEqual(
      client.calls.filter((call) => !call.endsWith('/last')),
      [],
    );
  });

  it('cost no call when the pod passes by again', async () => {
    start();
    show(await create('web'));
    await eventually('it is unbounded', () => unbounded('web'));
    const done = await pods.get('default', 'web');
    client.calls.length = 0;
    for (let n = 0; n < 20; n += 1) show(done);
    await settled();
    assert.ok(client.calls.every((call) => call.endsWith('/last')));
  });

  it('are changed without reading a pod that passed by just now, unless there is a later one', async () => {
    const path = '/api/v1/namespaces/default/pods/';
    start();
    const pod = await create('web');
    view.recent.set('default/web', pod);
    show(pod);
    await eventually('it is unbounded', () => unbounded('web'));
    assert.deepEqual(client.calls, [`PATCH ${path}web`]);
    client.calls.length = 0;
    const other = await create('other');
    view.recent.set('default/other', other);
    await pods.patch('default', 'other', 'merge', { metadata: { labels: { by: 'somebody' } } });
    show(other);
    await eventually('it is unbounded', () => unbounded('other'));
    assert.deepEqual(client.calls, [`PATCH ${path}other`, `GET ${path}other`, `PATCH ${path}other`]);
  });

  it('are changed on top of what somebody else has changed in between', async () => {
    start();
    let raced = 0;
    client.before = async ({ method }) => {
      if (method !== 'PATCH' || raced >= 2) return;
      raced += 1;
      const body = [
        { op: 'add', path: '/spec/tolerations/-', value: { key: `k${raced}`, operator: 'Exists' } },
      ];
      await pods.patch('default', 'web', 'json', body);
    };
    show(await create('web'));
    await eventually(
      'it is unbounded',
      async () => !JSON.stringify(await tolerations('web')).includes('300'),
    );
    assert.deepEqual(
      ((await tolerations('web')) as { key: string }[]).map(({ key }) => key).sort(),
      ['k1', 'k2', NOT_READY.key, UNREACHABLE.key].sort(),
    );
  });

  it('are kept on a node whose annotation says so, until it says so no longer', async () => {
    start();
    view.setNode(NODE, { annotations: { 'hawser.dev/tolerations': 'keep' } });
    const pod = await create('web');
    show(pod);
    view.setNode('edge-2', {});
    const other = await pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'default', name: 'other' },
      spec: { nodeName: 'edge-2', containers: [{ name: 'app', image: 'app' }] },
    });
    view.setPod('default', 'other', { uid: other.metadata.uid ?? '', nodeName: 'edge-2' }, other);
    await eventually('the other is unbounded', () => unbounded('other'));
    assert.deepEqual(await tolerations('web'), DEFAULTS);
    view.setNode(NODE, { annotations: {} });
    await eventually('it is unbounded', () => unbounded('web'));
  });

  it('are changed once though two hubs look after them', async () => {
    const both = [start(), start()];
    const names = Array.from({ length: 10 }, (_, n) => `web-${n}`);
    for (const name of names) show(await create(name));
    for (const name of names) await eventually(`${name} is unbounded`, () => unbounded(name));
    await settled();
    const counts = await Promise.all(both.map(({ patched }) => patched()));
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      11,
    );
  });

  it('of a pod that is gone, being deleted, or another one by now, are nobody’s business', async () => {
    start();
    const pod = await create('web');
    view.setPod('default', 'web', { uid: 'older', nodeName: NODE });
    view.setPod('default', 'none', { uid: 'x', nodeName: NODE });
    view.setPod('default', 'going', { uid: pod.metadata.uid ?? '', nodeName: NODE, deleting: true });
    await settled();
    assert.deepEqual(await tolerations('web'), DEFAULTS);
    assert.equal(client.writes.length, 1);
  });
});
