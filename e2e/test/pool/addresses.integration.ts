import assert from 'node:assert/strict';
import { delay } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { resourcePath, RESOURCES, type KubeObject } from '@hawser/kube';
import type { PoolSite } from '../../src/index.ts';
import { ask } from '../../src/cluster-site/ipc-calls.ts';
import type { NodeChild } from '../../src/processes/node-child.ts';
import { givenPool } from './given-pool.ts';
import { poolTime, within } from './pool-fixture.ts';

const POD = 'web';
const SLICE = 'web-abcde';
const NEW_ADDRESS = '198.18.10.99';
const OVERLAY_LIMIT_MS = 5_000;

describe('addresses of pods after a reboot without a cloud (P15)', function () {
  this.timeout(300_000);
  let site: PoolSite;
  let asker: NodeChild;

  givenPool({ members: 3 }, (opened) => {
    site = opened;
  });

  after(async () => {
    await (asker as NodeChild | undefined)?.stop();
  });

  async function shown(): Promise<readonly string[]> {
    const slice = await ask<KubeObject>(
      asker,
      'get',
      `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/${SLICE}`,
    );
    const endpoints = slice['endpoints'] as readonly { readonly addresses: readonly string[] }[];
    return endpoints.flatMap(({ addresses }) => addresses);
  }

  it('are right in slices within 5 s, and those of the cloud again once it is there', async () => {
    const leader = await site.untilLed();
    const [moved = 0, reading = 0] = [0, 1, 2].filter((index) => index !== leader);
    const oldAddress = site.station(moved).lanAddress;
    await site.member(moved).stop();
    await site.member(moved).start({ config: { node: { ip: oldAddress } } });
    const { client, objects } = site.cluster;
    await objects.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
    const pod = await objects.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: POD, namespace: 'default' },
      spec: {
        nodeName: `edge-${moved}`,
        hostNetwork: true,
        containers: [{ name: 'main', image: 'registry.test/web:1' }],
      },
    });
    await eventually(
      'the pod has an address',
      async () => {
        const { status } = (await objects.get(RESOURCES.pods, POD)) as {
          readonly status?: { readonly podIP?: string };
        };
        return status?.podIP === oldAddress;
      },
      { deadlineMs: 20_000 },
    );
    const targetRef = { kind: 'Pod', name: POD, namespace: 'default', uid: pod.metadata.uid };
    const body: KubeObject = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: SLICE, namespace: 'default', labels: { 'kubernetes.io/service-name': POD } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      endpoints: [
        { addresses: [oldAddress], conditions: { ready: true }, nodeName: `edge-${moved}`, targetRef },
      ],
    };
    await client.request({
      method: 'POST',
      path: resourcePath(RESOURCES.endpointslices, { namespace: 'default' }),
      body,
    });
    await site.untilLed();
    asker = await site.start(reading, {
      script: new URL('children/asker.js', import.meta.url),
      args: [await site.kubeconfig(reading)],
    });
    await eventually('the slice is there', async () => (await shown())[0] === oldAddress);

    await site.setCloud(false);
    await delay(poolTime(20));
    assert.deepEqual(await shown(), [oldAddress]);
    await site.member(moved).stop();
    await site.member(moved).start({ config: { node: { ip: NEW_ADDRESS } } });
    const startedMs = performance.now();
    await eventually('the slice has the new address', async () => (await shown())[0] === NEW_ADDRESS, {
      deadlineMs: within(30),
    });
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs <= OVERLAY_LIMIT_MS, `${Math.round(tookMs)} ms`);

    await site.setCloud(true);
    await eventually('what the cloud says counts again', async () => (await shown())[0] === oldAddress, {
      deadlineMs: within(60),
    });
  });
});
