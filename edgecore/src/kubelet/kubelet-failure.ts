/**
 * An answer of the kubelet API that is no success, in a kubelet's words: what kubectl and the API server show to
 * whoever asked.
 */
export class KubeletFailure extends Error {
  override readonly name = 'KubeletFailure';
  /** Status code of HTTP. */
  readonly status: number;

  constructor(status: number, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.status = status;
  }
}
