import { StatusError } from '../status/status.ts';
import { ClientError } from './client-error.ts';
import type { ReflectorPhase, RelistCause } from './reflector-options.ts';
import { isExpired, isTooLargeVersion } from './response-status.ts';

/** What a failure of a reflector means. */
export interface Verdict {
  /** The version can no longer be gone on from: list again. */
  readonly lost: RelistCause | undefined;
  /** The server does not do streaming lists. */
  readonly streamingRefused: boolean;
  /** The server was there and answered wrongly, which a relist may heal, unlike a broken connection. */
  readonly badAnswer: boolean;
  /** The least pause that the server asked for, 0 if none. */
  readonly retryAfterMs: number;
}

const MAX_RETRY_AFTER_SECONDS = 60;
/** Refusals that say "not you" or "not now", and nothing about the version. */
const NOT_NOW = new Set([401, 403, 408, 429]);
/** How servers refuse options that they do not know or do not want. */
const REFUSED = new Set([400, 422]);

/** Judges a failure in the given phase. Source: client-go tools/cache reflector.go, list and watch. */
export function judgeFailure(error: unknown, phase: ReflectorPhase): Verdict {
  const status = error instanceof StatusError ? error.status : undefined;
  const code = status?.code ?? 0;
  const stalled = error instanceof ClientError && error.code === 'ERR_KUBE_CLIENT_STALLED';
  const streamingRefused = phase === 'streaming-list' && (REFUSED.has(code) || stalled);
  const seconds = Math.min(status?.details?.retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS);
  return {
    lost: streamingRefused ? undefined : lossOf(error, phase, code),
    streamingRefused,
    badAnswer: !NOT_NOW.has(code) && !stalled && !isConnectionFailure(error),
    retryAfterMs: seconds * 1000,
  };
}

function lossOf(error: unknown, phase: ReflectorPhase, code: number): RelistCause | undefined {
  if (isExpired(error)) return 'expired';
  if (isTooLargeVersion(error)) return 'rollback';
  // A list from memory comes in one piece and may be too large; one of the newest state comes in pages.
  const tooLarge = error instanceof ClientError && error.code === 'ERR_KUBE_CLIENT_TOO_LARGE';
  if (tooLarge && phase === 'list') return 'expired';
  if (phase === 'watch' && code >= 400 && code < 500 && !NOT_NOW.has(code)) return 'watch-failed';
  return undefined;
}

function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  return error.code === 'ERR_KUBE_CLIENT_CONNECTION' || error.code === 'ERR_KUBE_CLIENT_TIMEOUT';
}
