import {
  mapperDeviceTopic,
  readMapperDesired,
  readMapperDevice,
  type MapperDesired,
  type MapperDevice,
} from '@hawser/devices';
import type { Clock, Logger, Timer } from '@hawser/seams';
import { messageOf } from '../errors.ts';
import type { MapperStats } from '../metrics/mapper-stats.ts';

/** Who is told what the devices are. */
export interface DeviceSetListener {
  /** There is a device, or another revision of it. */
  onDevice(id: string, device: MapperDevice): void;
  /** It is still there, as it was, after the bus was away. */
  onConfirmed(id: string): void;
  onDesired(id: string, desired: MapperDesired): void;
  onGone(id: string): void;
}

/** Settings of {@link DeviceSet}. */
export interface DeviceSetOptions {
  readonly protocol: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stats: MapperStats;
  readonly listener: DeviceSetListener;
  /** Most devices. Default 10,000; what is beyond is passed over, and counted. */
  readonly limit?: number;
  /** How long the bus may take to say what there is after it was away, milliseconds. Default 30,000. */
  readonly settleMs?: number;
}

interface Known {
  revision: string | undefined;
  /** Said since the bus was connected the last time. */
  confirmed: boolean;
}

/**
 * The devices of a protocol, from the retained messages of the bus. An empty message takes a device away. What was removed
 * while the bus was away has no message any more: a device that is not said again within 30 s after the bus came back
 * is gone. Until then it is read and written: a bus that is away changes nothing for a device.
 */
export class DeviceSet {
  readonly #options: DeviceSetOptions;
  readonly #prefixes: { readonly devices: string; readonly desired: string };
  readonly #known = new Map<string, Known>();
  #timer: Timer | undefined;

  constructor(options: DeviceSetOptions) {
    this.#options = options;
    const prefix = (kind: 'devices' | 'desired'): string =>
      mapperDeviceTopic(options.protocol, kind, '', '').slice(0, -1);
    this.#prefixes = { devices: prefix('devices'), desired: prefix('desired') };
  }

  get size(): number {
    return this.#known.size;
  }

  /** The bus is there: what is not said again soon is gone. */
  onUp(): void {
    this.#timer?.cancel();
    const { clock, settleMs = 30_000 } = this.#options;
    this.#timer = clock.setTimer(settleMs, () => this.#removeUnconfirmed(), { background: true });
  }

  onDown(): void {
    this.#timer?.cancel();
    for (const known of this.#known.values()) known.confirmed = false;
  }

  /** A message of the bus. @returns whether it was about devices */
  onMessage(topic: string, payload: Uint8Array): boolean {
    const kind = topic.startsWith(this.#prefixes.devices)
      ? 'devices'
      : topic.startsWith(this.#prefixes.desired)
        ? 'desired'
        : undefined;
    if (kind === undefined) return false;
    const id = topic.slice(this.#prefixes[kind].length);
    try {
      this.#take(kind, id, payload);
    } catch (error) {
      const { log, stats } = this.#options;
      stats.messagesBad += 1;
      log.warn({ topic, reason: messageOf(error) }, 'a message cannot be understood');
    }
    return true;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #take(kind: 'devices' | 'desired', id: string, payload: Uint8Array): void {
    const { listener } = this.#options;
    if (kind === 'desired') {
      listener.onDesired(id, payload.length === 0 ? { values: {} } : readMapperDesired(payload));
      return;
    }
    if (payload.length === 0) {
      if (this.#known.delete(id)) listener.onGone(id);
      return;
    }
    const told = readMapperDevice(payload);
    if (`${told.device.namespace}/${told.device.name}` !== id) throw new Error('topic and device differ');
    const known = this.#known.get(id);
    if (known === undefined && this.#isFull(id)) return;
    this.#known.set(id, { revision: told.revision, confirmed: true });
    if (known?.revision !== told.revision) listener.onDevice(id, told);
    else if (!known.confirmed) listener.onConfirmed(id);
  }

  #isFull(id: string): boolean {
    const { limit = 10_000, stats, log } = this.#options;
    if (this.#known.size < limit) return false;
    stats.dropped += 1;
    log.error({ device: id, limit }, 'the device is not served: there are too many');
    return true;
  }

  #removeUnconfirmed(): void {
    for (const [id, { confirmed }] of this.#known) {
      if (confirmed) continue;
      this.#known.delete(id);
      this.#options.listener.onGone(id);
    }
  }
}
