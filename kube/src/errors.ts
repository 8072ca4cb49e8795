/**
 * An error of this package that no caller of the API provoked (those are {@link StatusError}): a closed or damaged
 * store, a mistake of our own. `code` is stable and listed in docs/errors.md.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** Stable, e.g. `ERR_KUBE_STORE_CLOSED`. */
  readonly code: string;
  /** What the error is about: a path, an object's key. */
  readonly about: string | undefined;

  constructor(code: string, message: string, options?: ErrorOptions & { about?: string }) {
    super(message, options);
    this.code = code;
    this.about = options?.about;
  }
}
