// A process that writes while it measures how long its event loop is held up. Argument: the database file. Prints the
// time that the writes took and the longest pause of the loop, in milliseconds.
import { writeSync } from 'node:fs';
import { measureLoopStall } from '@hawser/seams/testing';
import { SqliteStore } from '../../../src/index.ts';
import { takeStep, WRITERS } from './ledger.ts';

const [, , file = ''] = process.argv;
const store = await SqliteStore.open({ path: file });
const { tookMs, longestMs } = await measureLoopStall(() =>
  Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let step = 1; step <= 3; step += 1) await takeStep(store, writer, step);
    }),
  ),
);
writeSync(1, `${Math.round(tookMs)} ${Math.round(longestMs)}`);
await store.close();
