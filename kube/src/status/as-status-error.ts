import { KubeError } from '../errors.ts';
import { internalError, serviceUnavailable } from './status-errors.ts';
import { StatusError } from './status.ts';

/** Codes of {@link KubeError} that mean: not now, and perhaps elsewhere. */
const UNAVAILABLE = new Set(['ERR_KUBE_STORE_CLOSED', 'ERR_KUBE_STORE_FAILED']);

/**
 * Any thrown value as the error that the API answers. A StatusError is itself; a store that is closed or broken is
 * 503; everything else is our fault: 500, with the error as `cause`.
 */
export function asStatusError(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) return thrown;
  if (thrown instanceof KubeError && UNAVAILABLE.has(thrown.code)) {
    return serviceUnavailable(thrown.message, { cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return internalError(message, { cause: thrown });
}
