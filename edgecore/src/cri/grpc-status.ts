import { RuntimeError } from '../runtime/runtime-error.ts';

/** The status codes of gRPC that mean something here. Source: gRPC, "Status codes and their use in gRPC". */
export const GRPC = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** What a server said when it did not do what it was asked; the `cause` of a {@link RuntimeError}. */
export class GrpcStatusError extends Error {
  override readonly name = 'GrpcStatusError';
  /** See {@link GRPC}. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The error for a status other than 0: 4 is a time-out, 5 not found, 14 unreachable, all else a refusal.
 * @param about what was called, such as `StartContainer`
 */
export function statusError(status: number, message: string, about: string): RuntimeError {
  const text = message === '' ? `${about}: refused with status ${status}, no reason given` : message;
  const options = { about, cause: new GrpcStatusError(status, message), notFound: status === GRPC.notFound };
  if (status === GRPC.deadlineExceeded)
    return new RuntimeError('ERR_EDGECORE_RUNTIME_TIMEOUT', text, options);
  if (status === GRPC.unavailable) return unreachable(text, about, options.cause);
  return new RuntimeError('ERR_EDGECORE_RUNTIME', text, options);
}

/** The error where the runtime cannot be spoken with. */
export function unreachable(message: string, about: string, cause?: unknown): RuntimeError {
  return new RuntimeError('ERR_EDGECORE_RUNTIME_UNREACHABLE', message, { about, cause });
}

/** The status that a server answered with, undefined where it was no answer. */
export function grpcStatusOf(error: unknown): number | undefined {
  if (!(error instanceof RuntimeError)) return undefined;
  return error.cause instanceof GrpcStatusError ? error.cause.status : undefined;
}

/**
 * Reads `grpc-message`: UTF-8 with percent-encoding; what is no valid encoding stays as it is.
 * Source: gRPC over HTTP/2, "Status-Message".
 */
export function decodeGrpcMessage(encoded: string): string {
  const bytes: number[] = [];
  const raw = Buffer.from(encoded, 'latin1');
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    const hex = byte === 0x25 ? raw.toString('latin1', at + 1, at + 3) : '';
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else {
      bytes.push(byte);
    }
  }
  return Buffer.from(bytes).toString('utf8');
}
