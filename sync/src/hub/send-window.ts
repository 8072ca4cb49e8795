import { SyncError } from '../errors.ts';
import { SYNC_WINDOW } from '../window.ts';

/** Batches that were sent and are not durable at the edge yet, oldest first. */
export class SendWindow {
  #batches: { readonly sequence: number; readonly bytes: number }[] = [];
  #bytes = 0;

  /** Batches under way. */
  get size(): number {
    return this.#batches.length;
  }

  /** Bytes that a batch may have now; Infinity: one batch always may go; 0: none. */
  get roomBytes(): number {
    if (this.#batches.length === 0) return Infinity;
    return this.#batches.length < SYNC_WINDOW.batches ? SYNC_WINDOW.bytes - this.#bytes : 0;
  }

  sent(sequence: number, bytes: number): void {
    this.#batches.push({ sequence, bytes });
    this.#bytes += bytes;
  }

  /** The batch of this sequence, and those before it, are durable. @throws SyncError `ERR_SYNC_BAD_ACK` */
  acknowledged(sequence: number): void {
    const index = this.#batches.findIndex((batch) => batch.sequence === sequence);
    if (index < 0) throw new SyncError('ERR_SYNC_BAD_ACK', `no batch ${sequence} is on its way`);
    for (const { bytes } of this.#batches.splice(0, index + 1)) this.#bytes -= bytes;
  }
}
