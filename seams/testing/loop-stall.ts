/** How long work took, and how long it held the event loop up. */
export interface LoopStall {
  readonly tookMs: number;
  /** The longest pause of the loop. */
  readonly longestMs: number;
}

const TICK_MS = 5;

/** Does work while it measures how long the event loop is held up. Errors: those of the work. */
export async function measureLoopStall(work: () => Promise<unknown>): Promise<LoopStall> {
  const startedMs = performance.now();
  let [longestMs, lastMs] = [0, startedMs];
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }, TICK_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { tookMs: performance.now() - startedMs, longestMs };
}
