import { deferred, type Clock } from '@hawser/seams';
import type { Tunnel } from '@hawser/proto';

/** The sessions of nodes, and waiting for the next one of a node. */
export class NodeSessions {
  readonly #get: (node: string) => Tunnel | undefined;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param get the node's present session */
  constructor(get: (node: string) => Tunnel | undefined, clock: Clock) {
    this.#get = get;
    this.#clock = clock;
  }

  /** The node's present session. */
  get(node: string): Tunnel | undefined {
    return this.#get(node);
  }

  /** A session of the node has begun, and is about to be the present one. */
  opened(node: string): void {
    const waiting = this.#waiting.get(node);
    this.#waiting.delete(node);
    for (const wake of waiting ?? []) wake();
  }

  /**
   * Waits for a session of the node that begins from now on.
   * @returns false after `timeoutMs` @throws `signal.reason`
   */
  async next(node: string, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = deferred<boolean>();
    const wake = (): void => resolve(true);
    const onAbort = (): void => reject(signal.reason);
    const timer = this.#clock.setTimer(timeoutMs, () => resolve(false));
    const waiting = this.#waiting.get(node) ?? new Set();
    this.#waiting.set(node, waiting.add(wake));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      waiting.delete(wake);
      if (waiting.size === 0 && this.#waiting.get(node) === waiting) this.#waiting.delete(node);
    }
  }
}
