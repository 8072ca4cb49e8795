import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const MODULE = new URL('../../src/memory-diet.js', import.meta.url).href;
const MIB = 2 ** 20;

interface Heap {
  readonly youngBytes: number;
  readonly heapBytes: number;
}

/** A process on the diet that keeps `keptMiB`, and then works with objects that outlive a collection for ten seconds. */
async function heapWith(keptMiB: number): Promise<Heap> {
  const script = `
    await import(${JSON.stringify(MODULE)});
    const { getHeapSpaceStatistics } = await import('node:v8');
    const objects = (mib) => Array.from({ length: mib * 10_000 }, (_, n) => ({ n, text: [n, n, n, n] }));
    const kept = objects(${keptMiB});
    const recent = [];
    for (let round = 0; round < 100; round++) {
      recent.push(objects(1));
      if (recent.length > 3) recent.shift();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const spaces = getHeapSpaceStatistics();
    const heapBytes = spaces.reduce((sum, space) => sum + space.space_size, 0);
    const young = spaces.find((space) => space.space_name === 'new_space');
    console.log(JSON.stringify({ youngBytes: young.space_size, heapBytes, kept: kept.length }));`;
  const args = ['--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Heap;
}

describe('the memory diet of the hub', () => {
  it('keeps the young generation small in a small heap, and lets it grow in a large one', async function () {
    this.timeout(60_000);
    const [small, large] = await Promise.all([heapWith(1), heapWith(250)]);
    assert.ok(small.youngBytes <= 2 * MIB, `${small.youngBytes} of ${small.heapBytes} bytes are young`);
    assert.ok(large.youngBytes > 2 * MIB, `${large.youngBytes} of ${large.heapBytes} bytes are young`);
  });
});
