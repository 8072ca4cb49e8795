import type { OutgoingFrame, UpstreamAck } from '@hawser/proto';
import { SyncError } from '../errors.ts';

/** What the hub said became of one Upstream: see `UpstreamAck` in session.proto. */
export type UpstreamOutcome = Pick<UpstreamAck, 'status' | 'message' | 'retryAfterMs' | 'body'>;

/**
 * The Upstreams of one session: numbers them, and hands each acknowledgement to whoever sent what it is about. Made
 * anew for each session, and shared by all who send: {@link Outbox} and {@link UpstreamRequests}, which bound how
 * many are under way.
 */
export class UpstreamSession {
  readonly #send: (frame: OutgoingFrame) => Promise<void>;
  readonly #underWay = new Map<number, (outcome: UpstreamOutcome) => void>();
  #sequence = 0;

  /** @param send sends a frame of the session; resolves when the next one makes sense, rejects once it has ended */
  constructor(send: (frame: OutgoingFrame) => Promise<void>) {
    this.#send = send;
  }

  /**
   * Sends one Upstream. `onOutcome` is called at most once: never, if the session ends before.
   * @returns resolves when the next one makes sense; rejects as `send` does
   */
  post(kind: string, body: Uint8Array, onOutcome: (outcome: UpstreamOutcome) => void): Promise<void> {
    this.#sequence += 1;
    const sequence = this.#sequence;
    this.#underWay.set(sequence, onOutcome);
    return this.#send({ upstream: { sequence, kind, body } });
  }

  /**
   * To be called with each `upstreamAck` of the session. They may come in any order.
   * @throws SyncError `ERR_SYNC_BAD_ACK`: end the session
   */
  onAck(ack: UpstreamAck): void {
    const onOutcome = this.#underWay.get(ack.sequence);
    if (onOutcome === undefined)
      throw new SyncError('ERR_SYNC_BAD_ACK', `upstream ${ack.sequence} is not under way`);
    this.#underWay.delete(ack.sequence);
    onOutcome(ack);
  }

  /** Upstreams sent that were not acknowledged yet. */
  get underWay(): number {
    return this.#underWay.size;
  }
}
