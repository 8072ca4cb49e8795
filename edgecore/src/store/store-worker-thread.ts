import { Worker } from 'node:worker_threads';

/** The worker has little on its heap: rows pass through one at a time. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 2 };

/**
 * Starts the thread of a store before it is known which store: it loads its code, and waits to be told. Whoever starts
 * it hands it to `EdgeStore.open`, or terminates it.
 */
export function startStoreWorker(): Worker {
  return new Worker(new URL('./store-worker.js', import.meta.url), { resourceLimits: RESOURCE_LIMITS });
}
