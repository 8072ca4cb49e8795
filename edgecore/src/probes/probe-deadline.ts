import type { Clock, Timer } from '@hawser/seams';
import type { OwnLoad } from './own-load.ts';

/** How often more time is given, after which it is not known any more who is late. */
const MOST_EXTENSIONS = 3;
/** Less is not worth another timer. */
const LEAST_MS = 10;
/** A timer that is later than that was held up. */
const LATE_MS = 50;

/** The time is up, and it was the other one who was late. */
export class DeadlineError extends Error {
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The time is up, but this process was so busy that it cannot tell who was late. */
export class HeldUpError extends Error {
  constructor() {
    super('this process was too busy to see an answer');
  }
}

/** What a {@link withDeadline} needs. */
export interface DeadlineOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly load: OwnLoad;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

/**
 * Runs something for as long as it may take. Time in which this process was held up (a busy loop, a machine that gave
 * it no processor) does not count, since an answer may lie unread: it is added, three times at most.
 * @param attempt is to end with the reason of the signal that it is given
 * @throws DeadlineError and HeldUpError by way of the attempt's signal; what the attempt throws; signal.reason
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { timeoutMs, clock, load, signal } = options;
  signal.throwIfAborted();
  const given = new AbortController();
  const onAbort = (): void => given.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const startedMs = clock.monotonicMs();
  const loadAtStart = load();
  let timer: Timer | undefined;
  let isDone = false;
  let extensions = 0;
  const arm = (delayMs: number): void => {
    const dueMs = clock.monotonicMs() + delayMs;
    // What has come while the loop was busy is read before it is judged: timers run before sockets.
    const onTimer = (): void => void setImmediate(() => check(clock.monotonicMs() - dueMs));
    timer = clock.setTimer(delayMs, onTimer, { background: true });
  };
  const check = (lateMs: number): void => {
    if (isDone) return;
    const tookMs = clock.monotonicMs() - startedMs;
    // So late that the process must have stood still, since when is not known.
    const leftMs = lateMs > LATE_MS ? timeoutMs : timeoutMs + load() - loadAtStart - tookMs;
    if (leftMs < LEAST_MS) given.abort(new DeadlineError(timeoutMs));
    else if (extensions === MOST_EXTENSIONS) given.abort(new HeldUpError());
    else {
      extensions += 1;
      arm(leftMs);
    }
  };
  arm(timeoutMs);
  try {
    return await attempt(given.signal);
  } finally {
    isDone = true;
    timer?.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}
