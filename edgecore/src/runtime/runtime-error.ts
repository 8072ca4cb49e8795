import { EdgeCoreError } from '../errors.ts';

/** What a runtime refused, or could not do. */
export class RuntimeError extends EdgeCoreError {
  /** Whether what was named is not there. */
  readonly notFound: boolean;

  /** @param code `ERR_EDGECORE_RUNTIME`, or `…_UNREACHABLE`, `…_TIMEOUT` */
  constructor(
    code: 'ERR_EDGECORE_RUNTIME' | 'ERR_EDGECORE_RUNTIME_UNREACHABLE' | 'ERR_EDGECORE_RUNTIME_TIMEOUT',
    message: string,
    options: { readonly notFound?: boolean; readonly about?: string; readonly cause?: unknown } = {},
  ) {
    const { notFound = false, ...rest } = options;
    super(code, message, rest);
    this.notFound = notFound;
  }
}
