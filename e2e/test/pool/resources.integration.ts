import assert from 'node:assert/strict';
import { delay } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { resourcePath, RESOURCES, type ApiResource, type KubeObject } from '@hawser/kube';
import type { PoolSite } from '../../src/index.ts';
import { NODE_POOLS, POOL, poolSlice } from '../../src/index.ts';
import { givenPool } from './given-pool.ts';
import { POOL_SERVICES, poolTime, within } from './pool-fixture.ts';
import { PoolReader, SliceWriter } from './pool-reader.ts';

const WIDGETS: ApiResource = {
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
const POOL_LABEL = 'apps.openyurt.io/nodepool';

describe('what a pool shares', function () {
  this.timeout(600_000);
  let site: PoolSite;

  givenPool({ members: 4 }, (opened) => {
    site = opened;
  });

  beforeEach(async () => {
    await site.heal();
  });

  const others = (...not: readonly number[]): number[] =>
    site.members.map((_, index) => index).filter((index) => !not.includes(index));

  async function shared(index: number): Promise<readonly string[]> {
    return (await site.status(index))?.resources.map(({ name }) => name) ?? [];
  }

  async function setShared(metadata: readonly Readonly<Record<string, string>>[]): Promise<void> {
    await site.cluster.objects.patch(NODE_POOLS, POOL, { spec: { poolScopeMetadata: metadata } });
  }

  it('can be changed while it runs, custom resources included; the rest is undisturbed (P13)', async () => {
    const leader = await site.untilLed();
    const [member = 0] = others(leader);
    const reader = await PoolReader.start(site, member);
    await defineWidgets(site);
    const slices = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
    const services = { group: '', version: 'v1', resource: 'services' };
    const writer = new SliceWriter(site).start();
    await setShared([slices, services, { group: 'example.com', version: 'v1', resource: 'widgets' }]);
    await site.until(others(), (all) => {
      return all.every(({ resources }) => {
        const names = resources.map(({ name }) => name);
        return names.includes('widgets.example.com') && !names.includes('endpoints');
      });
    });
    await site.untilLed();
    const status = await site.status(member);
    assert.equal(status?.resources.find(({ name }) => name === 'widgets.example.com')?.objects, 1);
    await setShared([slices, services]);
    await site.until(others(), (all) => {
      return all.every(({ resources }) => !resources.some(({ name }) => name === 'widgets.example.com'));
    });
    await writer.stop();
    await writer.check([reader]);
    await reader.stop();
    await setShared([]);
    await eventually('endpoints are shared again', async () => (await shared(member)).includes('endpoints'));
    await site.untilLed();
  });

  it('is kept when a list is suddenly empty, and goes when it was looked at again (P14)', async () => {
    const leader = await site.untilLed();
    const [member = 0] = others(leader);
    const names = POOL_SERVICES.slices.map(({ metadata }) => metadata.name ?? '');
    const startedMs = performance.now();
    await site.cluster.objects.remove(RESOURCES.endpointslices, names);
    const count = async (): Promise<number | undefined> =>
      (await site.status(member))?.resources.find(({ name }) => name.startsWith('endpointslices.'))?.objects;
    const deletedMs = performance.now();
    while ((await count()) !== 0) {
      assert.ok(performance.now() - deletedMs < within(20), 'all are gone in time');
      await delay(50);
    }
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs >= poolTime(2), `gone after ${Math.round(tookMs)} ms: not looked at again`);
    for (const [index] of POOL_SERVICES.slices.entries())
      await site.cluster.client.request({
        method: 'POST',
        path: resourcePath(RESOURCES.endpointslices, { namespace: 'default' }),
        body: poolSlice(index),
      });
    await site.untilLed();
    assert.equal(await count(), names.length);
  });

  it('has another leader when the Node of the leader goes while the number of nodes stays (P12)', async () => {
    const leader = await site.untilLed();
    const [moved = 0, ...rest] = others(leader);
    const before = await site.status(moved);
    // One leaves the pool at the moment in which its leader does.
    await Promise.all(
      [leader].map((index) =>
        site.cluster.objects.patch(RESOURCES.nodes, `edge-${index}`, {
          metadata: { labels: { [POOL_LABEL]: 'elsewhere' } },
        }),
      ),
    );
    const next = await site.untilLed({ among: [moved, ...rest], not: leader, deadlineMs: within(20) });
    assert.notEqual(next, leader);
    const after = await site.status(moved);
    assert.ok((after?.epoch ?? 0) > (before?.epoch ?? 0));
    await site.cluster.objects.patch(RESOURCES.nodes, `edge-${leader}`, {
      metadata: { labels: { [POOL_LABEL]: POOL } },
    });
    await site.untilLed({ deadlineMs: within(40) });
  });

  it('tells of itself: status of the NodePool, events', async () => {
    const leader = await site.untilLed();
    const pool = (await site.cluster.objects.get(NODE_POOLS, POOL)) as KubeObject & {
      readonly status?: { readonly leaderEndpoints?: readonly { readonly nodeName: string }[] };
    };
    assert.equal(pool.status?.leaderEndpoints?.[0]?.nodeName, `edge-${leader}`);
    const events = (await site.cluster.objects.list(RESOURCES.events)) as readonly (KubeObject & {
      readonly reason?: string;
      readonly involvedObject?: { readonly kind?: string };
    })[];
    const reasons = events.filter(({ involvedObject }) => involvedObject?.kind === 'NodePool');
    assert.ok(reasons.some(({ reason }) => reason === 'LeaderElected'));
  });
});

async function defineWidgets(site: PoolSite): Promise<void> {
  const { client } = site.cluster;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const version = { name: 'v1', served: true, storage: true, schema };
  const body: KubeObject = {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: WIDGETS.group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
      versions: [version],
    },
  };
  await client.request({ method: 'POST', path: resourcePath(RESOURCES.customresourcedefinitions, {}), body });
  const widget: KubeObject = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'one', namespace: 'default' },
    spec: { size: 1 },
  };
  for (;;)
    try {
      await client.request({
        method: 'POST',
        path: resourcePath(WIDGETS, { namespace: 'default' }),
        body: widget,
      });
      return;
    } catch {
      await delay(100); // not served yet
    }
}
