import type { Tunnel } from '@hawser/proto';
import { delay, randomBelow, type Clock, type Random } from '@hawser/seams';

/** Settings of {@link drainSessions}. */
export interface DrainOptions {
  readonly sessions: readonly Pick<Tunnel, 'close'>[];
  /** The time that all of them take together, milliseconds. */
  readonly overMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Stops waiting. */
  readonly signal: AbortSignal;
}

/**
 * Ends sessions one by one, in no order, evenly over a time: whoever serves these edges next gets them one by one. They
 * may come back at once. What is left when the signal aborts stays. @throws signal.reason
 */
export async function drainSessions({
  sessions,
  overMs,
  clock,
  random,
  signal,
}: DrainOptions): Promise<void> {
  const startedMs = clock.monotonicMs();
  const left = [...sessions];
  const ending: Promise<void>[] = [];
  while (left.length > 0) {
    const dueMs = startedMs + (overMs * ending.length) / sessions.length;
    await delay(Math.max(0, dueMs - clock.monotonicMs()), { clock, signal });
    const [session] = left.splice(randomBelow(random, left.length), 1);
    if (session !== undefined)
      ending.push(session.close({ code: 'going-away', message: 'the hub is stopping' }));
  }
  await Promise.allSettled(ending);
}
