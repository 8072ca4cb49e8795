import assert from 'node:assert/strict';
import { delay } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import {
  createPool,
  createServices,
  defineResources,
  NODE_POOLS,
  PoolFleet,
  putSlice,
  rollingUpdate,
  startNode,
} from '../../src/index.ts';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { ask } from '../../src/cluster-site/ipc-calls.ts';

const MEMBERS = scaled(20, 100);
const SERVICES = scaled(100, 1_000);
const UPDATED = scaled(10, 100);
const SAMPLE_MS = 50;
const SLICES = 'endpointslices.discovery.k8s.io';

describe(`a pool of ${MEMBERS} nodes`, function () {
  this.timeout(600_000);
  let site: ClusterSite;
  let fleet: PoolFleet;

  before(async () => {
    site = await ClusterSite.open({
      // Heartbeats as they are by default: all members share one event loop here.
      hub: { limits: { maxConnectionsPerAddress: 2 * MEMBERS } },
      controlPlane: { controllers: false },
      prepare: async (cluster) => {
        await defineResources(cluster, [NODE_POOLS]);
        await createPool(cluster.client);
        await createServices(cluster.client, SERVICES);
      },
    });
    fleet = await PoolFleet.joined(site, { members: MEMBERS, heartbeatMs: 2_000, startNode });
  });

  after(async () => {
    await (fleet as PoolFleet | undefined)?.close();
    await (site as ClusterSite | undefined)?.close();
  });

  /** The most streams that one resource had at any look, while something went on. */
  async function mostStreams(work: () => Promise<unknown>): Promise<number> {
    let most = 0;
    let going = true;
    const looking = (async () => {
      while (going) {
        most = Math.max(most, ...(await streams()).values());
        await delay(SAMPLE_MS);
      }
    })();
    try {
      await work();
    } finally {
      going = false;
      await looking;
    }
    return most;
  }

  /** By resource. */
  async function streams(): Promise<ReadonlyMap<string, number>> {
    const text = await ask<string>(site.hub(), 'metrics');
    const found = new Map<string, number>();
    for (const [, resource = '', count] of text.matchAll(
      /^hawser_pool_streams\{resource="([^"]+)",[^}]*\} (\d+)$/gm,
    ))
      found.set(resource, (found.get(resource) ?? 0) + Number(count));
    return found;
  }

  /** Bytes that the hub has said of EndpointSlices so far. */
  const said = (): Promise<number> =>
    site.hubMetric(`hawser_pool_stream_bytes_total\\{[^}]*resource="${SLICES}"[^}]*\\}`);

  it('has one stream for each resource, at every look, and one list travels (P1, P16)', async () => {
    const most = await mostStreams(async () => {
      await fleet.start();
      await fleet.untilLed();
    });
    assert.equal(most, 1);
    const list = await said();
    assert.ok(list > 0 && list < SERVICES * 1_000, `${list} bytes for ${SERVICES} slices`);
  });

  it('costs as much as one node while Services are updated (P1)', async () => {
    const before = await said();
    let written = 0;
    const most = await mostStreams(async () => {
      for (let index = 0; index < UPDATED; index++)
        for (const slice of rollingUpdate(index)) {
          await putSlice(site.client, slice);
          written += 1;
        }
      await fleet.untilLed();
    });
    assert.equal(most, 1);
    const each = ((await said()) - before) / written;
    assert.ok(each < 600, `${Math.round(each)} bytes for a change`);
  });

  it('lists nothing when all restart at once: what each has is on its disk (P16)', async () => {
    await fleet.stop();
    const before = await said();
    const most = await mostStreams(async () => {
      await fleet.start();
      await fleet.untilLed();
    });
    assert.equal(most, 1);
    const bytes = (await said()) - before;
    assert.ok(bytes < 2_000, `${bytes} bytes for what has not changed`);
  });
});
