import type { KeyObject } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { createCsr } from './csr.ts';

/** What csr-thread.ts asks for. */
export interface CsrOrder {
  readonly privateKey: KeyObject;
  readonly node: string;
}

const { privateKey, node } = workerData as CsrOrder;
parentPort?.postMessage(await createCsr(privateKey, node));
