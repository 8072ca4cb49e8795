import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readManifests } from '@hawser/cli';
import { DEVICES } from '@hawser/cloudcore';
import { RESOURCES, resourcePath, type KubeObject } from '@hawser/kube';
import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { eventually } from '@hawser/seams/testing';
import { parseAllDocuments } from 'yaml';
import type { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { untilServed } from '../../src/cluster-site/define-resources.ts';
import { conditionOf, reportedValue } from '../../src/devices-site/device-objects.ts';
import { DevicesSite } from '../../src/devices-site/devices-site.ts';
import { NODE_POOLS } from '../../src/pool-site/pool-cluster.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../../fixtures/coming-over');
const WAIT = { deadlineMs: 20_000, intervalMs: 20 };
const NODE = 'edge-1';

/** Definitions as KubeEdge has them: the status of a device is written with it, and has no conditions. */
async function defineAsOthers({ client }: ClusterSite): Promise<void> {
  for (const definition of await readManifests('crds')) {
    const isPool = definition.metadata.name === `${NODE_POOLS.resource}.${NODE_POOLS.group}`;
    const text = JSON.stringify(definition);
    const theirs = text
      .replaceAll('"subresources":{"status":{}},', '')
      .replaceAll('"conditions":', '"others":');
    const body = JSON.parse(isPool ? text : theirs) as KubeObject;
    await client.request({
      method: 'POST',
      path: resourcePath(RESOURCES.customresourcedefinitions, {}),
      body,
    });
  }
  await untilServed(client, [DEVICES, NODE_POOLS]);
}

// The steps of docs/comparison.md, with objects as those who come have them.
describe('coming over', function () {
  this.timeout(60_000);
  let peer: ModbusPeer;
  let site: DevicesSite;
  const close: (() => Promise<void>)[] = [];

  before(async function () {
    const missing = ModbusPeer.missing();
    if (missing !== undefined) {
      console.log(`    left out: ${missing}`);
      this.skip();
    }
    peer = await ModbusPeer.tcp();
    close.push(() => peer.stop());
    await peer.set(1, 'holding', 2, [20]);
    await peer.set(1, 'coil', 0, [1]);
    site = await DevicesSite.open({ prepare: defineAsOthers, hub: { pools: { heartbeatSeconds: 0.5 } } });
    close.push(() => site.close());
  });
  after(async () => {
    for (const each of close.reverse()) await each();
  });

  async function read(file: string): Promise<readonly KubeObject[]> {
    const text = (await readFile(path.join(FIXTURES, file), 'utf8')).replace(
      'port: 502',
      `port: ${peer.port}`,
    );
    return [...parseAllDocuments(text)].map((document) => document.toJS() as KubeObject);
  }

  /** The device as it is in the file, with some of its text otherwise. */
  async function apply(...otherwise: readonly (readonly [RegExp, string])[]): Promise<void> {
    const [, device] = await read('kubeedge.yaml');
    const text = otherwise.reduce(
      (text, [from, to]) => text.replaceAll(from, to),
      JSON.stringify(device?.['spec']),
    );
    const spec = JSON.parse(text) as object;
    const body = { ...(await site.device('boiler-1')), spec };
    const at = resourcePath(DEVICES, { namespace: 'default', name: 'boiler-1' });
    await site.cluster.client.request({ method: 'PUT', path: at, body });
  }

  /** Waits for a problem of the device. @returns what is to be done about it */
  async function remedyOf(at: string): Promise<string> {
    let remedy: string | undefined;
    await eventually(
      `a problem at ${at}`,
      async () => {
        const [device] = (await site.edge.admin.devices()).items;
        remedy = device?.problems.find((problem) => problem.path === at)?.remedy;
        return remedy !== undefined;
      },
      WAIT,
    );
    return remedy ?? '';
  }

  async function assign(pool: string): Promise<void> {
    const at = resourcePath(RESOURCES.nodes, { name: NODE });
    const body = { metadata: { labels: { 'apps.openyurt.io/nodepool': pool } } };
    const contentType = 'application/merge-patch+json';
    await site.cluster.client.request({ method: 'PATCH', path: at, body, contentType });
  }

  it('from KubeEdge, with what a mapper of theirs was told: each word that is not ours is named', async () => {
    await site.create(...(await read('kubeedge.yaml')));
    assert.match(await remedyOf('/spec/properties/0/collectCycle'), /milliseconds/);
    await apply([/10000000000/g, '500']);
    assert.match(await remedyOf('/spec/protocol/configData/timeout'), /timeoutMs/);
    assert.match(await remedyOf('/spec/properties/1/visitors/configData/dataType'), /type/);
  });

  it('brings a device to life under the definitions that are there', async () => {
    await apply([/10000000000/g, '500'], [/"timeout"/g, '"timeoutMs"'], [/,"dataType":"\w+"/g, '']);
    const device = await site.until(
      'boiler-1',
      (seen) => reportedValue(seen, 'temperature') === '30' && seen.status?.state === 'online',
    );
    assert.deepEqual(await peer.get(1, 'holding', 2, 1), [30]);
    assert.equal(reportedValue(device, 'heating'), 'true');
    assert.equal(conditionOf(device, 'Served'), undefined, 'their definition has no conditions');
  });

  it('from OpenYurt: a node is in a pool by its label, and gets what the pool has', async () => {
    for (const body of await read('openyurt.yaml')) {
      const version = body.apiVersion.split('/')[1] ?? '';
      await site.cluster.client.request({
        method: 'POST',
        path: resourcePath({ ...NODE_POOLS, version }, {}),
        body,
      });
    }
    const membersOf = async (pool: string): Promise<unknown> =>
      (
        (await site.cluster.objects.get(NODE_POOLS, pool))['status'] as
          { readonly nodes?: unknown } | undefined
      )?.nodes;
    const holds = (pool: string) => async () => JSON.stringify(await membersOf(pool)) === `["${NODE}"]`;
    await assign('beijing');
    await eventually('the pool of v1beta2 has the node', holds('beijing'), WAIT);
    await assign('hangzhou');
    await eventually('the pool of v1beta1 has the node', holds('hangzhou'), WAIT);
    const taint = { key: 'apps.openyurt.io/example', value: 'test-hangzhou', effect: 'NoSchedule' };
    const isTainted = async (): Promise<boolean> => {
      const { metadata, ...rest } = await site.cluster.objects.get(RESOURCES.nodes, NODE);
      const { taints = [] } = rest['spec'] as { readonly taints?: readonly (typeof taint)[] };
      const of = [metadata.labels, metadata.annotations].map((each) => each?.['apps.openyurt.io/example']);
      return (
        of.every((value) => value === 'test-hangzhou') &&
        taints.some(
          ({ key, value, effect }) => JSON.stringify({ key, value, effect }) === JSON.stringify(taint),
        )
      );
    };
    await eventually('the node has labels, annotations and taints of the pool', isTainted, WAIT);
  });
});
