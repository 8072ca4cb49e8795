import { watch, type FSWatcher } from 'node:fs';
import { delay, type Clock } from '@hawser/seams';

/** In case the system has no watches left, or has lost an event. Source: kubelet, logForceCheckPeriod. */
const LOOK_AGAIN_MS = 1_000;
/** A busy log is looked at no more often than that: it is read in larger pieces then. */
const REST_MS = 20;

/** What a {@link LogChanges} needs. */
export interface LogChangesOptions {
  /** Path of the folder. */
  readonly folder: string;
  /** Name of the log in it. */
  readonly name: string;
  /** Aborted: there is something to see as well. */
  readonly ended: AbortSignal | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Waits until a log may have changed: by inotify, and every second anyhow. */
export class LogChanges {
  readonly #options: LogChangesOptions;
  #watcher: FSWatcher | undefined;
  #isDirty = false;
  #notify: (() => void) | undefined;
  #lastMs = -Infinity;

  constructor(options: LogChangesOptions) {
    this.#options = options;
  }

  /** Begins to watch. Where that cannot be, waiting takes up to a second. Idempotent. */
  start(): void {
    if (this.#watcher !== undefined) return;
    try {
      this.#watcher = watch(this.#options.folder, { persistent: false }, (_event, name) => {
        if (name === null || name === this.#options.name) this.#touch();
      });
      this.#watcher.on('error', () => this.stop());
    } catch {
      // No watches left (fs.inotify.max_user_watches): the timer of wait() does it.
      this.#watcher = undefined;
    }
  }

  /** Ends the watch. Idempotent. */
  stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /**
   * Resolves when the log may be another one than at the last call.
   * @throws signal.reason
   */
  async wait(): Promise<void> {
    const { signal, ended, clock } = this.#options;
    signal.throwIfAborted();
    if (ended?.aborted === true) return;
    if (!this.#isDirty) await this.#change();
    const restMs = this.#lastMs + REST_MS - clock.monotonicMs();
    if (restMs > 0) await delay(restMs, { clock, signal });
    signal.throwIfAborted();
    this.#isDirty = false;
    this.#lastMs = clock.monotonicMs();
  }

  #touch(): void {
    this.#isDirty = true;
    this.#notify?.();
  }

  #change(): Promise<void> {
    const { signal, ended, clock } = this.#options;
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        ended?.removeEventListener('abort', done);
        this.#notify = undefined;
        resolve();
      };
      const timer = clock.setTimer(LOOK_AGAIN_MS, done, { background: true });
      signal.addEventListener('abort', done);
      ended?.addEventListener('abort', done);
      this.#notify = done;
    });
  }
}
