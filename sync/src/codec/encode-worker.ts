import { parentPort } from 'node:worker_threads';
import { encodeChange, type Encoding } from './encode-change.ts';

/** What the thread is asked for, one at a time. The bytes are its own. */
export interface EncodeRequest {
  readonly target: Uint8Array;
  readonly base: Uint8Array | undefined;
}

parentPort?.on('message', ({ target, base }: EncodeRequest) => {
  const encoding: Encoding = encodeChange(target, base);
  // A copy where it is a part of something larger, which would travel with it.
  const packed = new Uint8Array(encoding.packed);
  parentPort?.postMessage({ kind: encoding.kind, packed } satisfies Encoding, [packed.buffer]);
});
