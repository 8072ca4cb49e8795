import { lstat } from 'node:fs/promises';
import type { Clock, Logger, Timer } from '@hawser/seams';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import { LogFolder } from './log-folder.ts';
import { rotateLog } from './log-rotation.ts';

/** Source: kubelet, containerLogMonitorInterval. */
const PERIOD_MS = 10_000;
/** A log that grows fast is looked at when it will be full, but no more often than that. */
const MIN_PERIOD_MS = 1_000;
/** The runtime is asked what runs when it says that something has changed, and that often anyhow. */
const RELIST_MS = 60_000;

/** What a {@link LogRotator} needs. */
export interface LogRotatorOptions {
  readonly runtime: Pick<ContainerRuntime, 'list' | 'listen' | 'reopenLog'>;
  /** `pods.logMaxBytes`: a log of that size is rotated. */
  readonly maxBytes: number;
  /** `pods.logMaxFiles`: files of a container, the present one included; at least 2. */
  readonly maxFiles: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A log of a container that runs. */
interface WatchedLog {
  readonly id: string;
  readonly path: string;
  /** At the last look; undefined: there was none. */
  size: number | undefined;
  /** When it had that size, monotonic milliseconds. */
  atMs: number;
}

/**
 * Keeps the logs of running containers within bounds. A look costs one `stat` for each of them. Logs of containers
 * that have ended do not grow, and go with their containers.
 */
export class LogRotator {
  readonly #options: LogRotatorOptions;
  #logs: readonly WatchedLog[] = [];
  #listedMs = -Infinity;
  #isStale = true;
  #unlisten: (() => void) | undefined;
  #timer: Timer | undefined;
  #stopping = new AbortController();
  #looking: Promise<void> | undefined;
  #isRunning = false;
  /** When to look again after the present look. */
  #nextMs = PERIOD_MS;
  /** Rotations since the start. */
  rotations = 0;

  constructor(options: LogRotatorOptions) {
    this.#options = options;
  }

  /** Begins to look every 10 s. Idempotent. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#stopping = new AbortController();
    this.#isStale = true;
    this.#unlisten = this.#options.runtime.listen(() => {
      this.#isStale = true;
    });
    this.#arm(PERIOD_MS);
  }

  /** Ends what is under way where it can be gone on with later. Idempotent. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#timer?.cancel();
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#stopping.abort(new Error('the edge is stopping'));
    await this.#looking;
  }

  /** Looks at all logs now; one look at a time. Never rejects: what failed is tried again with the next look. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#relist();
    } catch (error) {
      log.debug(
        { err: error },
        'the runtime does not say which containers run; logs are looked at as before',
      );
    }
    for (const watched of this.#logs) {
      if (this.#isStopping()) return;
      try {
        await this.#lookAt(watched);
      } catch (error) {
        if (this.#isStopping()) return;
        log.warn({ err: error, path: watched.path }, 'a log could not be rotated, will try again');
      }
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #relist(): Promise<void> {
    const { runtime, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (!this.#isStale && nowMs - this.#listedMs < RELIST_MS) return;
    this.#isStale = false;
    try {
      const known = new Map(this.#logs.map((watched) => [watched.id, watched]));
      const running = (await runtime.list()).flatMap(({ containers }) =>
        containers.filter(({ state, logPath }) => state === 'running' && logPath !== ''),
      );
      this.#logs = running.map(
        ({ id, logPath }) => known.get(id) ?? { id, path: logPath, size: undefined, atMs: nowMs },
      );
      this.#listedMs = nowMs;
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  async #lookAt(watched: WatchedLog): Promise<void> {
    const { runtime, maxBytes } = this.#options;
    const size = await sizeOf(watched.path);
    // Moved away, and nobody came to tell the runtime: a crash in between, or it was away.
    if (size === undefined) await runtime.reopenLog(watched.id, this.#stopping.signal);
    else if (size >= maxBytes) await this.#rotate(watched);
    else this.#grown(watched, size);
  }

  async #rotate(watched: WatchedLog): Promise<void> {
    const { id, path } = watched;
    const { runtime, maxFiles, clock, log } = this.#options;
    const { signal } = this.#stopping;
    const folder = await LogFolder.open(path);
    try {
      await rotateLog({
        folder,
        maxFiles,
        reopen: () => runtime.reopenLog(id, signal),
        onUnpacked: (name, error) =>
          log.warn({ err: error, path, name }, 'a rotated log could not be packed'),
        wallMs: clock.wallMs(),
        signal,
      });
      this.rotations += 1;
      watched.size = undefined;
      log.debug({ path }, 'rotated a log');
    } finally {
      await folder.close();
    }
  }

  /** Remembers the size, and looks again sooner where the log would be full before the next look. */
  #grown(watched: WatchedLog, size: number): void {
    const { clock, maxBytes } = this.#options;
    const nowMs = clock.monotonicMs();
    const bytesPerMs = (size - (watched.size ?? size)) / Math.max(nowMs - watched.atMs, 1);
    [watched.size, watched.atMs] = [size, nowMs];
    if (bytesPerMs > 0) this.#nextMs = Math.min(this.#nextMs, (maxBytes - size) / bytesPerMs);
  }

  #arm(delayMs: number): void {
    if (!this.#isRunning) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#turn(), { background: true });
  }

  /** Never rejects. */
  async #turn(): Promise<void> {
    this.#nextMs = PERIOD_MS;
    await this.look();
    this.#arm(Math.max(this.#nextMs, MIN_PERIOD_MS));
  }
}

/** undefined: there is no such file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isFile() ? stats.size : 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
