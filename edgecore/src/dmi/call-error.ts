import { status } from '@grpc/grpc-js';
import type { CallOutcome } from './dmi-counters.ts';

/** Why a call of a mapper is not taken. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** Of gRPC. */
  readonly code: status;
  readonly outcome: CallOutcome;

  constructor(outcome: CallOutcome, code: keyof typeof status, message: string) {
    super(message);
    this.outcome = outcome;
    this.code = status[code];
  }
}
