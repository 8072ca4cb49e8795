/**
 * What one probe has found. `warning` counts as a success and is worth an event.
 * Source: kubernetes, pkg/probe/probe.go.
 */
export interface ProbeOutcome {
  readonly result: 'success' | 'warning' | 'failure';
  /** For the event: why. */
  readonly output: string;
}

/** What is shown of an answer. Source: kubernetes, pkg/probe/http and exec: maxRespBodyLength, maxReadLength. */
export const MAX_OUTPUT_BYTES = 10 * 1024;

/** A success, with nothing to be said about it. */
export const SUCCESS: ProbeOutcome = { result: 'success', output: '' };

/** A failure. @param output for the event */
export function failure(output: string): ProbeOutcome {
  return { result: 'failure', output };
}
