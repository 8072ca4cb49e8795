import { systemClock, type Clock, type Timer } from '@hawser/seams';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';

/** In case an event was missed. */
const LOOK_AGAIN_MS = 5_000;

/** What a {@link ContainerEnd} needs. */
export interface ContainerEndOptions {
  readonly runtime: Pick<ContainerRuntime, 'get' | 'listen'>;
  /** UID of the pod. */
  readonly uid: string;
  readonly containerId: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Tells when a container has ended, or is not there any more: {@link signal} is aborted then. Asks the runtime when it
 * says that the pod may have changed, and every 5 s in case that it did not. A runtime that is away says nothing.
 */
export class ContainerEnd {
  readonly #options: ContainerEndOptions;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #unlisten: (() => void) | undefined;
  #timer: Timer | undefined;
  #isRunning = false;
  #isLooking = false;
  #isDirty = false;

  constructor(options: ContainerEndOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Begins to look. Idempotent. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { runtime, uid } = this.#options;
    this.#unlisten = runtime.listen((changed) => {
      if (changed === undefined || changed === uid) void this.#look();
    });
    void this.#look();
  }

  /** Stops looking. Idempotent. */
  stop(): void {
    this.#isRunning = false;
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#timer?.cancel();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    this.#isDirty = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#isDirty && this.#isRunning) {
      this.#isDirty = false;
      if (await this.#hasEnded()) {
        this.#ended.abort(new Error('the container has ended'));
        this.stop();
      }
    }
    this.#isLooking = false;
    this.#arm();
  }

  async #hasEnded(): Promise<boolean> {
    const { runtime, uid, containerId } = this.#options;
    try {
      const pod = await runtime.get(uid);
      const container = pod?.containers.find(({ id }) => id === containerId);
      return container === undefined || container.state === 'exited';
    } catch {
      // Not known now: the next look tells.
      return false;
    }
  }

  #arm(): void {
    if (!this.#isRunning) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(LOOK_AGAIN_MS, () => void this.#look(), { background: true });
  }
}
