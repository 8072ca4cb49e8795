import { systemClock, type Clock } from '@hawser/seams';
import { MapperError } from '../errors.ts';

/** Settings of {@link guardedCall}. */
export interface GuardOptions {
  /** What is done, for messages: `reading default/pump`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** How long it may go on after its signal aborted, milliseconds. Default 2,000. */
  readonly graceMs?: number;
  readonly clock?: Clock;
  /** Aborts it from outside. */
  readonly signal: AbortSignal;
}

/**
 * Calls foreign code that has to end: its signal aborts after the time-out, and when it goes on all the same nobody waits for
 * it any longer.
 * @throws what `run` throws; MapperError `ERR_MAPPER_NO_ANSWER` (time-out), `ERR_MAPPER_HANGS` (it goes on after its
 *   signal aborted); `signal.reason`
 */
export function guardedCall<T>(options: GuardOptions, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { what, timeoutMs, graceMs = 2_000, clock = systemClock, signal } = options;
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const hangs = (): void => {
      signal.removeEventListener('abort', onAbort);
      reject(new MapperError('ERR_MAPPER_HANGS', `${what} does not end ${graceMs} ms after it was aborted`));
    };
    const abort = (reason: unknown): void => {
      timer.cancel();
      timer = clock.setTimer(graceMs, hangs);
      controller.abort(reason);
    };
    const onAbort = (): void => abort(signal.reason);
    let timer = clock.setTimer(timeoutMs, () =>
      abort(new MapperError('ERR_MAPPER_NO_ANSWER', `no answer within ${timeoutMs} ms`)),
    );
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    };
    if (signal.aborted) {
      timer.cancel();
      reject(signal.reason as Error);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    // A driver that throws before its first await counts as one that rejects.
    new Promise<T>((started) => started(run(controller.signal))).then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        // A driver may wrap what the signal said: the reason is what happened.
        reject((controller.signal.aborted ? controller.signal.reason : error) as Error);
      },
    );
  });
}
