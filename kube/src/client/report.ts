/**
 * Tells a listener about an error. A listener that throws must not stop what goes on by itself: its own error
 * becomes a warning of the process.
 */
export function report<A extends unknown[]>(
  listener: ((error: Error, ...about: A) => void) | undefined,
  error: unknown,
  ...about: A
): void {
  try {
    listener?.(asError(error), ...about);
  } catch (second) {
    process.emitWarning(asError(second));
  }
}

/** Anything thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
