/** Source: kubelet, MaxContainerBackOff and the initial back-off period. */
const BACKOFF_MS = { first: 10_000, cap: 300_000 } as const;
/** A container that ran this long starts with the shortest back-off again. Source: client-go, 2 × the cap. */
const RESET_MS = 2 * BACKOFF_MS.cap;

/** A container that may not be started again yet. */
export interface RestartWait {
  /** Wall milliseconds. */
  readonly untilMs: number;
  /** Length of the wait, milliseconds. */
  readonly delayMs: number;
}

/** What planning asks about restarts. */
export interface RestartWaits {
  /**
   * How long a container that has exited is to wait; undefined: not at all.
   * @param hash of its spec: a changed one has crashed never before
   */
  waitOf(name: string, hash: string, finishedAtMs: number, nowMs: number): RestartWait | undefined;
}

/**
 * The waits of a pod's containers between crashes: none before the first restart, then 10 s, doubled up to 5 min, and
 * none again after a run of 10 min. As in a kubelet they do not survive a restart of the process.
 * Source: kubelet, doBackOff; client-go, flowcontrol.Backoff.
 */
export class RestartDelays implements RestartWaits {
  readonly #delays = new Map<
    string,
    { readonly hash: string; readonly delayMs: number; readonly setMs: number }
  >();

  waitOf(name: string, hash: string, finishedAtMs: number, nowMs: number): RestartWait | undefined {
    const entry = this.#delays.get(name);
    if (entry?.hash !== hash || finishedAtMs - entry.setMs > RESET_MS) return undefined;
    const untilMs = finishedAtMs + entry.delayMs;
    // A clock that was set back would make it wait for more than it has to.
    const isDue = untilMs <= nowMs || finishedAtMs > nowMs;
    return isDue ? undefined : { untilMs, delayMs: entry.delayMs };
  }

  /** It is started again. */
  restarted(name: string, hash: string, finishedAtMs: number, nowMs: number): void {
    const entry = this.#delays.get(name);
    const isFirst = entry?.hash !== hash || finishedAtMs - entry.setMs > RESET_MS;
    const delayMs = isFirst ? BACKOFF_MS.first : Math.min(entry.delayMs * 2, BACKOFF_MS.cap);
    this.#delays.set(name, { hash, delayMs, setMs: nowMs });
  }
}

/** A span of time as Go writes it, whole seconds: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds}s`;
  if (hours === 0) return `${minutes}m${seconds % 60}s`;
  return `${hours}h${minutes % 60}m${seconds % 60}s`;
}
