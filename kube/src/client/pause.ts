import { delay, type Clock } from '@hawser/seams';

/** Waits; resolves with whether the time passed (true) or the signal came first (false). */
export async function pause(delayMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(delayMs, { clock, signal });
    return true;
  } catch (reason) {
    if (!signal.aborted) throw reason;
    return false;
  }
}
