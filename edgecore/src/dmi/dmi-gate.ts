import type { Clock, Logger, Random, Timer } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import type { DeviceDirectory } from '../devices/device-directory.ts';
import type { DevicesProblem } from '../edge-devices-types.ts';
import { EdgeCoreError } from '../errors.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import type { JsonState } from '../state/json-state.ts';
import type { TwinManager } from '../twins/twin-manager.ts';
import type { RunningDmi } from './open-dmi.ts';

/** What a {@link DmiGate} needs, and what it gives on. */
export interface DmiGateOptions {
  readonly config: { readonly socket: string; readonly callsPerSecond: number };
  readonly directory: DeviceDirectory;
  readonly twins: TwinManager;
  readonly objects: Pick<ObjectSource, 'get'>;
  readonly state: JsonState;
  /** The mapper on the event bus that serves a protocol; undefined: there is none. */
  readonly busMapper: (protocol: string) => string | undefined;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random | undefined;
  readonly log: Logger;
}

/** A socket that cannot be opened is tried again after this, milliseconds. */
const AGAIN_MS = 10_000;

/** Loads and opens DMI where `dmi.socket` is configured, until it succeeds: a node without it has no gRPC in its memory. */
export class DmiGate {
  readonly #options: DmiGateOptions;
  #running: RunningDmi | undefined;
  #opening: Promise<void> | undefined;
  #again: Timer | undefined;
  #problem: DevicesProblem | undefined;
  #stopped = false;

  constructor(options: DmiGateOptions) {
    this.#options = options;
  }

  /** Resolves when it was tried. Never rejects. */
  async start(): Promise<void> {
    if (this.#stopped || this.#options.config.socket === '') return;
    this.#opening = this.#open();
    await this.#opening;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#again?.cancel();
    await this.#opening;
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  problems(): readonly DevicesProblem[] {
    const found = (this.#running?.problems() ?? []).map((message) => ({ code: 'ERR_EDGECORE_DMI', message }));
    return this.#problem === undefined ? found : [this.#problem, ...found];
  }

  async #open(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const { openDmi } = await import('./open-dmi.ts');
      this.#running = await openDmi(this.#options);
      this.#problem = undefined;
    } catch (error) {
      log.error({ err: error }, 'the DMI socket cannot be opened, and is tried again');
      const code = error instanceof EdgeCoreError ? error.code : 'ERR_EDGECORE_INTERNAL';
      this.#problem = { code, message: error instanceof Error ? error.message : String(error) };
      if (!this.#stopped)
        this.#again = clock.setTimer(AGAIN_MS, () => void this.start(), { background: true });
    }
  }
}
