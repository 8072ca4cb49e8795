import assert from 'node:assert/strict';
import { systemClock } from '@hawser/seams';
import { filteredStore } from '../../src/local-store/filtered-store.ts';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { PoolModel, SLICES } from './pool-model.ts';
import { CLUSTER_RESOURCES, fillCluster, sampleSlice } from './pool-samples.ts';

/** What a pool may take in all: replicas, what readers see, and what is kept of changes. */
const LIMIT_MB = 25;
const SLICE_SCOPE = { group: SLICES.group, resource: SLICES.resource };

function usedMb(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

describe('local store: memory', function () {
  this.timeout(60_000);

  it(`takes ${LIMIT_MB} MB at most for 1,000 pods and 500 nodes, read, filtered and with a full history`, async () => {
    assert.ok(globalThis.gc, 'run with --expose-gc');
    const model = new PoolModel();
    fillCluster(model);
    const replicas = await committed(model);
    const store = new LocalStore({ pool: model, clock: systemClock });
    store.start();
    const context = { node: 'node-1', api: () => ({ address: '169.254.2.1', port: 10260 }) };
    const proxy = filteredStore(store, ['topology', 'api-server'], context);
    const before = usedMb();
    let bytes = 0;
    for (const resource of CLUSTER_RESOURCES) {
      for (const from of [store, proxy])
        for (const entry of from.list(resource).entries) bytes += entry.json().length;
    }
    const read = usedMb();
    // More changes of large and small slices than are kept.
    for (let round = 0; round < 250; round += 1) {
      for (let n = 0; n < 10; n += 1) {
        const [service, count] = n === 0 ? ['daemon-1', 100] : [`service-${(round * 9 + n) % 250}`, 4];
        model.put(SLICES, 'shop', `${service}-0`, sampleSlice(service, 20_000, count, 1000 + round));
      }
      await model.commit(SLICES);
    }
    const busy = usedMb();
    const figures = {
      objects: CLUSTER_RESOURCES.reduce(
        (sum, { resource, group }) => sum + sizeOf(store, { resource, group }),
        0,
      ),
      jsonMb: bytes / 2 / 2 ** 20,
      replicasMb: replicas,
      readersMb: read - before,
      historyMb: busy - read,
    };
    const allMb = figures.replicasMb + figures.readersMb + figures.historyMb;
    console.log(
      `      ${JSON.stringify({ ...figures, allMb }, (_, value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value))}`,
    );
    assert.ok(allMb < LIMIT_MB, `${allMb} MB`);
    const slices = store.stateOf(SLICE_SCOPE);
    assert.ok(slices !== undefined && slices.floor > slices.version - 2_500, 'the history is full');
    await store.close();
  });
});

function sizeOf(store: LocalStore, resource: { group: string; resource: string }): number {
  return store.stateOf(resource)?.size ?? 0;
}

/** What replicas of their own take, beside the cluster that they are of, MB. */
async function committed(model: PoolModel): Promise<number> {
  await model.commitAll();
  const snapshots = model.snapshots();
  const before = usedMb();
  model.restart(snapshots);
  return usedMb() - before;
}
