import { StatusError } from '@hawser/kube';
import type { Origin } from './upstream-task.ts';

/** Attempts before a conflict goes back to the edge, which tries again later. */
const ATTEMPTS = 5;

/** Whether the API refused with this code. */
export function hasCode(error: unknown, code: number): boolean {
  return error instanceof StatusError && error.status.code === code;
}

/**
 * Reads and writes again while others write the same object in between. Gives up when the session has ended: by then
 * a newer one may have written, and what this one has to say may be older.
 * @param attempt reads the present state and writes on top of it
 * @param onConflict called before each further attempt
 * @throws what `attempt` throws; the last Conflict
 */
export async function retryConflicts<T>(
  origin: Origin,
  attempt: () => Promise<T>,
  onConflict: () => void,
): Promise<T> {
  for (let left = ATTEMPTS; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!hasCode(error, 409) || left <= 1 || origin.session.aborted) throw error;
      onConflict();
    }
  }
}
