import type { Clock, Logger, Timer } from '@hawser/seams';
import { POOL_RESOURCES, SOLO_PREFIX, type ContentKey, type ReplicaStore } from '@hawser/sync';
import type { EdgePool } from '../edge-pool-types.ts';
import type { ConnectionTaker } from '../local-api/lazy-local-api.ts';
import type { PoolStatus } from './pool-types.ts';

/** What a {@link LazyPool} needs. */
export interface LazyPoolOptions {
  readonly replica: Pick<ReplicaStore, 'entries' | 'listen'>;
  /** The node's own scope. */
  readonly scope: string;
  /** Whether it is loaded at the start in any case: names of the cluster are served, or the local API was used before. */
  readonly wanted: () => boolean;
  /** Loads and makes what a pool needs; not started. */
  readonly load: () => Promise<EdgePool>;
  readonly clock: Clock;
  readonly log: Logger;
}

const MEMBERSHIP_PREFIX = `${POOL_RESOURCES.membership}//`;
const SOLO_MEMBERSHIP_PREFIX = `${MEMBERSHIP_PREFIX}${SOLO_PREFIX}`;
/** What could not be loaded is loaded again after this, milliseconds. */
const AGAIN_MS = 10_000;

/**
 * Loads pool, local API and DNS with the node's first pool, or the first connection to the local API: an edge that has
 * neither has no place for them in its memory. What was loaded stays until the process ends.
 */
export class LazyPool {
  readonly #options: LazyPoolOptions;
  #present: EdgePool | undefined;
  #loading: Promise<EdgePool> | undefined;
  #ending: (() => void) | undefined;
  #timer: Timer | undefined;
  #connected = false;
  #failed: string | undefined;
  #stopped = false;

  constructor(options: LazyPoolOptions) {
    this.#options = options;
  }

  /** Resolves when a pool that the node is in has started, as the disk has it. Never rejects. Called once. */
  async start(): Promise<void> {
    const { replica, scope, wanted } = this.#options;
    this.#ending = replica.listen((changed, keys) => {
      if (changed === scope && keys.some(isMembership)) this.#begin();
    });
    if (wanted() || [...replica.entries(scope).keys()].some(isMembership)) this.#begin();
    await this.#loading?.catch(() => {}); // told where it failed
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ending?.();
    this.#timer?.cancel();
    await this.#loading?.catch(() => {}); // told where it failed
    await this.#present?.stop();
  }

  /** What answers connections to the local API. Rejects where it cannot be loaded. */
  async localApi(): Promise<ConnectionTaker> {
    return await (await this.#loaded()).localApi();
  }

  /** The session with the hub may be used, or not any more. */
  setConnected(connected: boolean): void {
    this.#connected = connected;
    this.#present?.setConnected(connected);
  }

  /** undefined: the node is in no pool. */
  status(): PoolStatus | undefined {
    return this.#present?.status();
  }

  problems(): readonly { readonly code: string; readonly message: string }[] {
    const failed =
      this.#failed === undefined ? [] : [{ code: 'ERR_EDGECORE_INTERNAL', message: this.#failed }];
    return [...failed, ...(this.#present?.problems() ?? [])];
  }

  #begin(): void {
    if (this.#stopped) return;
    this.#loaded().catch(() => {
      if (this.#stopped) return;
      this.#timer?.cancel();
      this.#timer = this.#options.clock.setTimer(AGAIN_MS, () => this.#begin(), { background: true });
    });
  }

  async #loaded(): Promise<EdgePool> {
    if (this.#present !== undefined) return this.#present;
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return await this.#loading;
  }

  async #load(): Promise<EdgePool> {
    const { load, log } = this.#options;
    let pool: EdgePool | undefined;
    try {
      pool = await load();
      await pool.start();
    } catch (error) {
      log.error({ err: error }, 'what a pool needs cannot be loaded, and is tried again');
      this.#failed = `pool: ${(error as Error).message}`;
      await pool?.stop();
      throw error;
    }
    this.#failed = undefined;
    this.#present = pool;
    this.#ending?.();
    pool.setConnected(this.#connected);
    return pool;
  }
}

/** A node without a pool is told so, too: nothing is to be loaded for that. */
function isMembership(key: ContentKey): boolean {
  return key.startsWith(MEMBERSHIP_PREFIX) && !key.startsWith(SOLO_MEMBERSHIP_PREFIX);
}
