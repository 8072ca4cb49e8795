import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { scaled, within } from '@hawser/seams/testing';
import type { MemoryReport } from './measure-memory.ts';
import type { PopulationSize } from './population.ts';

const KIB = 1024;
/** Half of them are contents, packed; the others what is known of each object, and who is to have it. */
const MAX_LIVE_KIB_PER_NODE = 45;

async function measure(size: PopulationSize): Promise<MemoryReport> {
  const child = fork(new URL('./measure-memory.js', import.meta.url), [JSON.stringify(size)], {
    execArgv: ['--expose-gc'],
  });
  try {
    const [report] = (await within('a report', once(child, 'message'), 240_000)) as [MemoryReport];
    return report;
  } finally {
    child.kill();
  }
}

describe('Memory of a ClusterCache', function () {
  this.timeout(250_000);

  it('is what edge nodes need, whatever else is in the cluster', async function () {
    const nodes = scaled(150, 1000);
    const size = { nodes, podsPerNode: 10, configMapsPerNode: 5, secrets: scaled(1500, 20_000) };
    const { before, synced, objects, contentBytes } = await measure(size);
    assert.equal(objects, nodes * 16);
    assert.ok(contentBytes > nodes * 35 * KIB, `contents of ${contentBytes} bytes`);
    const live = synced.heapUsed + synced.arrayBuffers - before.heapUsed - before.arrayBuffers;
    const perNode = live / nodes / KIB;
    assert.ok(perNode < MAX_LIVE_KIB_PER_NODE, `${perNode.toFixed(1)} KiB for each node`);
  });
});
