import type { Clock, Logger, Timer } from '@hawser/seams';
import type { ContentKey, ReplicaStore } from '@hawser/sync';
import type { DevicesProblem, EdgeDevices } from '../edge-devices-types.ts';

/** What a {@link LazyDevices} needs. */
export interface LazyDevicesOptions {
  readonly replica: Pick<ReplicaStore, 'entries' | 'listen'>;
  readonly scope: string;
  /** Loads and makes what devices need; not started. */
  readonly load: () => Promise<EdgeDevices>;
  /** Whether the node has definitions of mappers, or a socket for those that have none. */
  readonly hasDefinitions: () => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keys of devices in the replica begin so. */
export const DEVICE_PREFIX = 'devices.devices.kubeedge.io/';
/** How often definitions are looked for while there are none, milliseconds. */
const LOOK_MS = 30_000;
/** What could not be loaded is loaded again after this, milliseconds. */
const AGAIN_MS = 10_000;

/**
 * Loads what devices need with the first device of the node, or the first definition of a mapper: an edge without either
 * has no place for it in its memory. What was loaded stays until the process ends.
 */
export class LazyDevices {
  readonly #options: LazyDevicesOptions;
  #present: EdgeDevices | undefined;
  #loading: Promise<void> | undefined;
  #ending: (() => void) | undefined;
  #timer: Timer | undefined;
  #connected = false;
  #failed: DevicesProblem | undefined;
  #stopped = false;

  constructor(options: LazyDevicesOptions) {
    this.#options = options;
  }

  /** undefined: the node has none. */
  get present(): EdgeDevices | undefined {
    return this.#present;
  }

  /** Resolves when devices that are there have started. Never rejects. Called once. */
  async start(): Promise<void> {
    const { replica, scope } = this.#options;
    this.#ending = replica.listen((changed, keys) => {
      if (changed === scope && keys.some(isDevice)) this.#begin();
    });
    await this.#look();
    await this.#loading;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ending?.();
    this.#timer?.cancel();
    await this.#loading;
    await this.#present?.stop();
  }

  /** The hub may be told things, or not any more. */
  setConnected(connected: boolean): void {
    this.#connected = connected;
    this.#present?.setConnected(connected);
  }

  problems(): readonly DevicesProblem[] {
    return [...(this.#failed === undefined ? [] : [this.#failed]), ...(this.#present?.problems() ?? [])];
  }

  /** Whether there is anything to load for. */
  async #look(): Promise<void> {
    const { replica, scope, hasDefinitions, clock, log } = this.#options;
    let found = [...replica.entries(scope).keys()].some(isDevice);
    try {
      found ||= await hasDefinitions();
    } catch (error) {
      log.warn({ err: error }, 'definitions of mappers cannot be looked for');
    }
    if (this.#stopped) return;
    if (found) this.#begin();
    else this.#timer = clock.setTimer(LOOK_MS, () => void this.#look(), { background: true });
  }

  #begin(): void {
    if (this.#stopped || this.#present !== undefined) return;
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
  }

  async #load(): Promise<void> {
    const { load, clock, log } = this.#options;
    try {
      const devices = await load();
      this.#ending?.();
      this.#timer?.cancel();
      this.#present = devices;
      await devices.start();
      this.#failed = undefined;
      devices.setConnected(this.#connected);
    } catch (error) {
      log.error({ err: error }, 'what devices need cannot be loaded, and is tried again');
      this.#failed = { code: 'ERR_EDGECORE_INTERNAL', message: `devices: ${(error as Error).message}` };
      await this.#present?.stop();
      this.#present = undefined;
      if (this.#stopped) return;
      this.#timer = clock.setTimer(AGAIN_MS, () => this.#begin(), { background: true });
    }
  }
}

function isDevice(key: ContentKey): boolean {
  return key.startsWith(DEVICE_PREFIX);
}
