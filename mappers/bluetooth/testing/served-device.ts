import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerDevice } from './peer-protocol.ts';
import type { ServedAdapter } from './served-adapter.ts';
import { ServedCharacteristic } from './served-characteristic.ts';
import { ServedError, type ServedObjects } from './served-objects.ts';

const DEVICE = 'org.bluez.Device1';
const SERVICE = 'org.bluez.GattService1';
const LOUDNESS = -60;
/** Longest that a controller tries to connect. */
const ATTEMPT_MS = 20_000;

/** A device as doc/org.bluez.Device.rst of BlueZ has it: an object once it was heard, with services while connected. */
export class ServedDevice {
  readonly path: string;
  readonly characteristics: readonly ServedCharacteristic[];
  isConnected = false;
  readonly #spec: PeerDevice;
  readonly #adapter: ServedAdapter;
  readonly #objects: ServedObjects;
  #isThere = true;
  #isServed = false;
  #attempt: AbortController | undefined;

  constructor(spec: PeerDevice, adapter: ServedAdapter, objects: ServedObjects) {
    this.#spec = spec;
    this.#adapter = adapter;
    this.#objects = objects;
    this.path = `${adapter.path}/dev_${spec.address.replaceAll(':', '_')}`;
    this.characteristics = spec.services.flatMap((service, at) =>
      service.characteristics.map(
        (one, index) =>
          new ServedCharacteristic(one, {
            device: this,
            objects,
            service: `${this.path}/service${hex(0x10 + 0x20 * at)}`,
            handle: 0x11 + 0x20 * at + 2 * index,
          }),
      ),
    );
    if (spec.paired === true) this.#serve();
  }

  get address(): string {
    return this.#spec.address;
  }

  /** In reach, or not. */
  reach(isThere: boolean): void {
    this.#isThere = isThere;
    if (isThere) this.#adapter.hear(this);
    else this.breakOff();
  }

  /** An advertisement came. */
  heard(): void {
    if (!this.#isThere || this.isConnected || this.#spec.silent === true) return;
    this.#serve();
    this.#objects.change(this.path, DEVICE, { RSSI: LOUDNESS });
  }

  /** Nobody scans any more. */
  unheard(): void {
    if (this.#isServed) this.#objects.change(this.path, DEVICE, { RSSI: undefined });
  }

  /** The connection breaks, or an attempt for one. */
  breakOff(): void {
    this.#attempt?.abort();
    if (!this.isConnected) return;
    this.isConnected = false;
    for (const characteristic of this.characteristics) characteristic.withdraw();
    for (const service of this.#services()) this.#objects.remove(service);
    this.#objects.change(this.path, DEVICE, { Connected: false, ServicesResolved: false });
  }

  /** The object goes away. */
  withdraw(): void {
    this.#isServed = false;
    this.#objects.remove(this.path);
  }

  forget(client: string): void {
    for (const characteristic of this.characteristics) characteristic.forget(client);
  }

  #serve(): void {
    if (this.#isServed) return;
    this.#isServed = true;
    const { address, name, advertises = [], paired = false } = this.#spec;
    this.#objects.add(this.path, DEVICE, {
      properties: {
        Address: ['s', address],
        AddressType: ['s', 'public'],
        ...(name !== undefined && { Name: ['s', name] as const }),
        Alias: ['s', name ?? address.replaceAll(':', '-')],
        Adapter: ['o', this.#adapter.path],
        UUIDs: ['as', [...advertises]],
        Paired: ['b', paired],
        Bonded: ['b', paired],
        Trusted: ['b', false],
        Connected: ['b', false],
        ServicesResolved: ['b', false],
      },
      methods: {
        Connect: { in: '', out: '', run: () => this.#connect() },
        Disconnect: { in: '', out: '', run: () => this.#disconnect() },
      },
    });
  }

  async #connect(): Promise<void> {
    const adapter = this.#adapter;
    if (!adapter.powered) throw new ServedError('NotReady', 'Resource Not Ready');
    if (this.isConnected) throw new ServedError('AlreadyConnected', 'Already Connected');
    if (this.#attempt !== undefined) throw new ServedError('InProgress', 'In Progress');
    this.#attempt = new AbortController();
    adapter.connecting += 1;
    adapter.mostConnecting = Math.max(adapter.mostConnecting, adapter.connecting);
    try {
      // What real controllers do with two at a time.
      if (adapter.connecting > 1 || adapter.scanners > 0)
        throw new ServedError('Failed', 'le-connection-abort-by-local');
      const { signal } = this.#attempt;
      await sleep(this.#isThere ? (this.#spec.connectMs ?? 5) : ATTEMPT_MS, undefined, {
        signal,
        ref: false,
      });
      if (!this.#isThere) throw new ServedError('Failed', 'le-connection-abort-by-local');
      this.isConnected = true;
      this.#objects.change(this.path, DEVICE, { Connected: true });
      await sleep(this.#spec.resolveMs ?? 5, undefined, { signal, ref: false });
      this.#resolve();
    } catch (error) {
      throw error instanceof ServedError ? error : new ServedError('Failed', 'Operation canceled');
    } finally {
      this.#attempt = undefined;
      adapter.connecting -= 1;
    }
  }

  #resolve(): void {
    this.#spec.services.forEach(({ uuid }, at) => {
      const path = this.#services()[at] ?? '';
      this.#objects.add(path, SERVICE, {
        properties: { UUID: ['s', uuid], Device: ['o', this.path], Primary: ['b', true] },
        methods: {},
      });
    });
    for (const characteristic of this.characteristics) characteristic.serve();
    const uuids = this.#spec.services.map(({ uuid }) => uuid);
    this.#objects.change(this.path, DEVICE, { UUIDs: uuids, ServicesResolved: true });
  }

  #disconnect(): void {
    if (!this.isConnected && this.#attempt === undefined)
      throw new ServedError('NotConnected', 'Not Connected');
    this.breakOff();
  }

  #services(): string[] {
    return this.#spec.services.map((_, at) => `${this.path}/service${hex(0x10 + 0x20 * at)}`);
  }
}

/** As BlueZ names services and characteristics: by their handle. */
export function hex(handle: number): string {
  return handle.toString(16).padStart(4, '0');
}
