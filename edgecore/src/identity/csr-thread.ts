import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { CsrOrder } from './csr-worker.ts';

/**
 * `createCsr` in a thread of its own, which ends with it: the running edge core does this once a year, and must not
 * keep what it takes in memory. Rejects with the thread's error.
 */
export async function csrInThread(privateKey: KeyObject, node: string): Promise<string> {
  const order: CsrOrder = { privateKey, node };
  const worker = new Worker(new URL('./csr-worker.js', import.meta.url), { workerData: order });
  try {
    return await new Promise<string>((resolve, reject) => {
      worker.once('message', (pem: string) => resolve(pem));
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the thread ended with ${code} before its answer`)));
    });
  } finally {
    await worker.terminate();
  }
}
