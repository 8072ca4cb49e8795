// A process that has a store open with the objects of ten pods, to be weighed. Arguments: the data folder; the objects;
// `bare` to weigh the process without a store. Prints RSS and its anonymous part in KiB, and bytes of heap for an object.
import { readFileSync, writeSync } from 'node:fs';
import { delay } from '@hawser/seams';

const [, , dir = '', count = '20', bare] = process.argv;
const objects = Number(count);
let heap = 0;
if (bare !== 'bare') {
  const { EdgeStore } = await import('../../../src/store/edge-store.ts');
  const { podText } = await import('./pod-text.ts');
  const { createHash } = await import('node:crypto');
  const store = await EdgeStore.open({ dir, credentialsDir: '' });
  const before = usedHeap();
  for (let n = 0; n < objects; n += 20) {
    const changes = Array.from({ length: Math.min(20, objects - n) }, (_, k) => {
      const bytes = Buffer.from(podText(n + k, 0));
      const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
      return { put: { key: `pods/default/app-${n + k}`, hash, version: String(100_000 + n + k), bytes } };
    });
    await store.replica.apply('node/edge-1', changes);
  }
  heap = (usedHeap() - before) / objects;
  setInterval(() => store.counters(), 60_000); // as a process that goes on
}
await delay(1000);
const status = readFileSync('/proc/self/status', 'utf8');
const kib = (name: string): string => new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 'NaN';
writeSync(1, `${kib('VmRSS')} ${kib('RssAnon')} ${Math.round(heap)}`);
process.exit();

function usedHeap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
