// What keeps the hub small; imported first by the command. By itself V8 lets the young generation grow to 48 MB while a
// cluster is listed, and keeps it: 50 MB more of resident memory with a thousand edges, for no speed. With ten thousand
// the 2 MB that it begins with are too few: much of what goes on outlives collections that come that often, is taken
// for old, and costs the hub a fifth of its processor time.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** From here on the young generation grows as V8 wants: it is a small part then. */
const LARGE_HEAP_BYTES = 256 * 2 ** 20;
const LOOK_MS = 5000;

/** V8 grows the young generation by this factor once more has survived in it than fits. 1: not at all. */
function setGrowthFactor(factor: 1 | 2): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}

setGrowthFactor(1);
const look = setInterval(() => {
  if (getHeapStatistics().total_heap_size < LARGE_HEAP_BYTES) return;
  setGrowthFactor(2);
  clearInterval(look);
}, LOOK_MS).unref();
