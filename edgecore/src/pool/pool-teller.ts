import type { Clock, Logger } from '@hawser/seams';
import type { PeerStatus } from './peer-messages.ts';
import type { PoolState } from './pool-types.ts';

/** What {@link PoolTeller} says it by. */
export interface PoolTellerOptions {
  readonly onChange: (cloud: boolean) => void;
  readonly onDirect: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Says once in the log what is another than before, and why; and tells whoever listens. */
export class PoolTeller {
  readonly #options: PoolTellerOptions;
  #shown: { readonly state: PoolState; readonly leader: string; readonly cloud: boolean } | undefined;
  #sinceMs: number;

  constructor(options: PoolTellerOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.wallMs();
  }

  /** Since when the state is as it is, wall time in milliseconds. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** @param cloud whether it is heard @param why of the last thing that has happened, in words */
  tell({ state, leader, epoch, provisional }: PeerStatus, cloud: boolean, why: string): void {
    const { clock, log, onChange, onDirect } = this.#options;
    const before = this.#shown;
    if (before?.state === state && before.leader === leader && before.cloud === cloud) return;
    this.#shown = { state, leader, cloud };
    if (before?.state !== state) {
      this.#sinceMs = clock.wallMs();
      if (state === 'DIRECT') onDirect();
      const shown = { state, before: before?.state ?? 'none', leader, epoch, provisional };
      if (state === 'LIVE' || before === undefined) log.info(shown, `the pool is ${state}: ${why}`);
      else log.warn(shown, `the pool is ${state}: ${why}`);
    } else if (before.leader !== leader) log.info({ state, leader, epoch, provisional }, 'another leader');
    onChange(cloud);
  }
}
