/** What went wrong in the test tools of this package; stable, unlike the message. */
export const E2E_ERROR_CODES = [
  /** An option is out of its range: the caller's mistake. */
  'ERR_E2E_BAD_OPTION',
  /** The proxy or namespace was stopped before. */
  'ERR_E2E_STOPPED',
  /** This machine cannot do it (no root, no such kernel feature); the message says what is missing. */
  'ERR_E2E_UNAVAILABLE',
  /** A command of the system failed; the message has its stderr. */
  'ERR_E2E_COMMAND_FAILED',
  /** A child process ended when it should not have; the message has the end of its stderr. */
  'ERR_E2E_CHILD_EXITED',
  /** A child process did not do in time what was asked of it. */
  'ERR_E2E_CHILD_TIMEOUT',
] as const;

/** One of {@link E2E_ERROR_CODES}. */
export type E2eErrorCode = (typeof E2E_ERROR_CODES)[number];

/** The error of this package. */
export class E2eError extends Error {
  readonly code: E2eErrorCode;

  constructor(code: E2eErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'E2eError';
    this.code = code;
  }
}
