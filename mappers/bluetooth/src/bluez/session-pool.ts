import type { DriverContext } from '@hawser/mapper-sdk';
import { BluezSession } from './bluez-session.ts';

/** A share of a session. */
export interface SessionLease {
  readonly session: BluezSession;
  /** Idempotent. The last one closes the session. */
  release(): Promise<void>;
}

interface Shared {
  readonly opening: Promise<BluezSession>;
  users: number;
}

/** Sessions by the address of their bus: one for all devices, for as long as somebody needs it. */
export class SessionPool {
  readonly #shared = new Map<string, Shared>();

  /** @throws what {@link BluezSession.open} throws, the reason of an aborted signal */
  async acquire(address: string, context: DriverContext, signal: AbortSignal): Promise<SessionLease> {
    signal.throwIfAborted();
    let shared = this.#shared.get(address);
    if (shared === undefined) this.#shared.set(address, (shared = this.#open(address, context)));
    shared.users += 1;
    const mine = shared;
    let released: Promise<void> | undefined;
    const release = (): Promise<void> => (released ??= this.#release(address, mine));
    try {
      return { session: await untilAborted(mine.opening, signal), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  #open(address: string, context: DriverContext): Shared {
    const opening = BluezSession.open(address, context);
    const shared: Shared = { opening, users: 0 };
    const forget = (): void => {
      if (this.#shared.get(address) === shared) this.#shared.delete(address);
    };
    opening.then((session) => void session.onLost(forget), forget);
    return shared;
  }

  async #release(address: string, shared: Shared): Promise<void> {
    shared.users -= 1;
    if (shared.users > 0) return;
    if (this.#shared.get(address) === shared) this.#shared.delete(address);
    const session = await shared.opening.catch(() => undefined); // who opens it was told
    await session?.close();
  }
}

/** What comes first: the promise, or the end of the signal. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
