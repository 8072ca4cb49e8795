import type { RequestPort } from './modbus-serial.ts';

/**
 * A port that requests go over one at a time, and what they need of it beside sending. Events, beside `data` (an answer,
 * intact): `down` with a `LinkDown` when it ends, `damaged` with a `NoAnswer` when what came is not an answer and
 * nothing more comes.
 */
export interface Wire extends RequestPort {
  /** Waits until a request of the unit may be sent: no answer to an earlier one can be taken for its own any more. */
  prepare(unit: number, signal: AbortSignal): Promise<void>;
  /**
   * The request under way is not waited for any longer.
   * @param waitedMs how long it was: an answer may come for as long again
   */
  abandon(waitedMs: number): void;
  /** Milliseconds that so many bytes take on the wire. */
  transferMs(bytes: number): number;
  /** What was wrong with what came instead of an answer since the request was sent; undefined: nothing came. */
  readonly trouble: string | undefined;
}
