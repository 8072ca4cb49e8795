import type { ApiClient, KubeObject } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import { EventTeller } from '../cluster/event-teller.ts';
import { CloudCoreError } from '../errors.ts';
import type { NodePool } from './node-pool.ts';

/** What Events on NodePools say. */
export type PoolEventReason = 'LeaderElected' | 'LeaderLost' | 'PoolStateRefused' | 'DirectGranted';

/** Settings of {@link PoolEvents}. */
export interface PoolEventsOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pool: (name: string) => NodePool | undefined;
}

const WARNINGS: ReadonlySet<PoolEventReason> = new Set(['LeaderLost', 'PoolStateRefused']);
/** Events that wait to be written; further ones are only in the log. */
const MAX_WAITING = 100;

/** Writes Events on NodePools, one after the other. */
export class PoolEvents {
  readonly #options: PoolEventsOptions;
  readonly #teller: EventTeller;
  readonly #stopping = new AbortController();
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: PoolEventsOptions) {
    this.#options = options;
    this.#teller = new EventTeller(options);
  }

  /** Tells, soon. What cannot be told is in the log. */
  tell(name: string, reason: PoolEventReason, message: string): void {
    const { pool, log } = this.#options;
    const type = WARNINGS.has(reason) ? 'Warning' : 'Normal';
    log[type === 'Warning' ? 'warn' : 'info']({ pool: name, reason }, message);
    const known = pool(name);
    if (known === undefined || this.#waiting >= MAX_WAITING || this.#stopping.signal.aborted) return;
    const { uid, apiVersion } = known;
    const about: KubeObject = { apiVersion, kind: 'NodePool', metadata: { name, uid } };
    this.#waiting += 1;
    this.#last = this.#last
      .then(() => this.#teller.tell({ about, type, reason, message }, this.#stopping.signal))
      .catch(() => {}) // stopped
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'the hub is stopping'));
    await this.#last;
  }
}
