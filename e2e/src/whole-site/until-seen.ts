import { inspect } from 'node:util';
import { delay } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { E2eError } from '../errors.ts';

/** Settings of {@link untilSeen}. */
export interface UntilSeenOptions {
  /** Default 60,000, in a soak 150,000: the machine may be busy with other tests. */
  readonly deadlineMs?: number;
  /** Default 200: a look is often a process. */
  readonly intervalMs?: number;
}

const DEADLINE_MS = scaled(60_000, 150_000);
const MOST_SHOWN = 4_000;

/**
 * Looks at something until it is as it should be; a look that fails counts as one that sees something else.
 * @returns what was seen
 * @throws E2eError ERR_E2E_CHILD_TIMEOUT with what was seen last
 */
export async function untilSeen<T>(
  what: string,
  look: () => Promise<T>,
  is: (seen: T) => boolean,
  { deadlineMs = DEADLINE_MS, intervalMs = 200 }: UntilSeenOptions = {},
): Promise<T> {
  const lateMs = performance.now() + deadlineMs;
  for (;;) {
    let last: string;
    try {
      const seen = await look();
      if (is(seen)) return seen;
      last = inspect(seen, { depth: 8, breakLength: Infinity });
    } catch (error) {
      last = String(error);
    }
    if (performance.now() > lateMs) {
      const shown = last.length > MOST_SHOWN ? `${last.slice(0, MOST_SHOWN)}…` : last;
      throw new E2eError(
        'ERR_E2E_CHILD_TIMEOUT',
        `not within ${deadlineMs} ms: ${what}; last seen: ${shown}`,
      );
    }
    await delay(intervalMs);
  }
}
