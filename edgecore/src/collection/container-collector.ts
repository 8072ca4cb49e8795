import { rm } from 'node:fs/promises';
import type { Clock, Logger, Timer } from '@hawser/seams';
import { removeLog } from '../container-logs/remove-log.ts';
import type { ContainerRuntime, RuntimeContainer } from '../runtime/container-runtime.ts';
import { deadOf } from './dead-containers.ts';

/** What a {@link ContainerCollector} needs. */
export interface ContainerCollectorOptions {
  readonly runtime: Pick<ContainerRuntime, 'list' | 'removeContainer' | 'removeSandbox'>;
  /** `pods.collectPeriodMs`. */
  readonly periodMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Removes dead containers with their logs and termination messages, and dead sandboxes. Files go first: what a crash
 * leaves in between is still known by its container, and removed with the next round.
 */
export class ContainerCollector {
  readonly #options: ContainerCollectorOptions;
  #stopping = new AbortController();
  #timer: Timer | undefined;
  #collecting: Promise<void> | undefined;
  #isRunning = false;
  /** Containers removed since the start. */
  removed = 0;

  constructor(options: ContainerCollectorOptions) {
    this.#options = options;
  }

  /** Begins, with the first round after a period. Idempotent. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#stopping = new AbortController();
    this.#arm();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#timer?.cancel();
    this.#stopping.abort(new Error('the edge is stopping'));
    await this.#collecting;
  }

  /** One round; one at a time. Never rejects: what failed is tried again with the next one. */
  collect(): Promise<void> {
    this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = undefined;
    });
    return this.#collecting;
  }

  async #collect(): Promise<void> {
    const { runtime, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      const { containers, sandboxes } = deadOf(await runtime.list());
      for (const container of containers) await this.#try(() => this.#remove(container, signal));
      for (const id of sandboxes) await this.#try(() => runtime.removeSandbox(id, signal));
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error }, 'dead containers could not be listed, will try again');
    }
  }

  async #remove(container: RuntimeContainer, signal: AbortSignal): Promise<void> {
    const { terminationMessageFile } = container.notes;
    if (container.logPath !== '') await removeLog(container.logPath);
    if (terminationMessageFile !== undefined) await rm(terminationMessageFile, { force: true });
    await this.#options.runtime.removeContainer(container.id, signal);
    this.removed += 1;
  }

  /** One that cannot be removed does not keep the others from it. @throws signal.reason */
  async #try(task: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    try {
      await task();
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.warn({ err: error }, 'something dead could not be removed, will try again');
    }
  }

  #arm(): void {
    if (!this.#isRunning) return;
    const { clock, periodMs } = this.#options;
    this.#timer = clock.setTimer(periodMs, () => void this.#turn(), { background: true });
  }

  /** Never rejects. */
  async #turn(): Promise<void> {
    await this.collect();
    this.#arm();
  }
}
