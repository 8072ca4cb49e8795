/** What each code of this package means and what to do about it; docs/errors.md is made from this table. */
export const CLOUDCORE_ERRORS = {
  ERR_CLOUDCORE_CATCH_UP: {
    meaning:
      'The caches of the hub did not reach the state that the API server had when they were asked to, within the time for it.',
    remedy:
      'Nothing is removed from an edge meanwhile. Look for why watches lag: the log of the hub names the resource, and hawser_cache_lag_seconds shows it.',
  },
  ERR_CLOUDCORE_CLOSED: {
    meaning: 'A part of the hub was used after it was stopped.',
    remedy: 'Nothing to do: it follows a shutdown.',
  },
  ERR_CLOUDCORE_CLUSTER: {
    meaning:
      'The identity of the cluster could not be read or written: the UID of the namespace kube-system, or the ConfigMap hawser-system/hawser-cluster.',
    remedy:
      'See that the API server answers and that the hub has the rights that `hawser init` gives it. If the ConfigMap was edited by hand, give it back its key `incarnation`.',
  },
  ERR_CLOUDCORE_STAMP_KEY: {
    meaning: 'The key for stamps has another length than 32 bytes.',
    remedy: 'This is a bug of the hub: please report it.',
  },
} as const;

/** The codes of {@link CloudCoreError}. */
export type CloudCoreErrorCode = keyof typeof CLOUDCORE_ERRORS;

/** Every failure of the hub that is neither an answer of the API server, nor of the tunnel, nor an abort. */
export class CloudCoreError extends Error {
  override readonly name = 'CloudCoreError';
  readonly code: CloudCoreErrorCode;
  /** What it is about: a node, a key, a path. */
  readonly about: string | undefined;

  constructor(code: CloudCoreErrorCode, message: string, options?: ErrorOptions & { about?: string }) {
    super(message, options);
    this.code = code;
    this.about = options?.about;
  }
}
