// A process that writes while it measures how long its event loop is held up. Argument: the data folder. Prints the time
// that the writes took and the longest pause of the loop, in milliseconds.
import { writeSync } from 'node:fs';
import { EdgeStore } from '../../../src/index.ts';
import { takeStep, WRITERS } from './ledger.ts';

const [, , dir = ''] = process.argv;
const store = await EdgeStore.open({ dir, credentialsDir: '' });
let longestMs = 0;
let lastMs = performance.now();
const timer = setInterval(() => {
  const nowMs = performance.now();
  longestMs = Math.max(longestMs, nowMs - lastMs);
  lastMs = nowMs;
}, 5);
const startedMs = performance.now();
await Promise.all(
  Array.from({ length: WRITERS }, async (_, writer) => {
    for (let step = 1; step <= 3; step += 1) await takeStep(store, writer, step, () => {});
  }),
);
const tookMs = performance.now() - startedMs;
clearInterval(timer);
writeSync(1, `${Math.round(tookMs)} ${Math.round(longestMs)}`);
await store.close();
