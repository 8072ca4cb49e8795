// A process that writes while it measures how long its event loop is held up. Argument: the data folder. Prints the time
// that the writes took and the longest pause of the loop, in milliseconds.
import { writeSync } from 'node:fs';
import { measureLoopStall } from '@hawser/seams/testing';
import { EdgeStore } from '../../../src/index.ts';
import { takeStep, WRITERS } from './ledger.ts';

const [, , dir = ''] = process.argv;
const store = await EdgeStore.open({ dir, credentialsDir: '' });
const { tookMs, longestMs } = await measureLoopStall(() =>
  Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let step = 1; step <= 3; step += 1) await takeStep(store, writer, step, () => {});
    }),
  ),
);
writeSync(1, `${Math.round(tookMs)} ${Math.round(longestMs)}`);
await store.close();
