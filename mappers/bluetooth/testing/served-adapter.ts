import type { ServedDevice } from './served-device.ts';
import { ServedError, type ServedObjects } from './served-objects.ts';

const ADAPTER = 'org.bluez.Adapter1';
/** How long a device takes to be heard. */
const HEARD_MS = 5;
const FILTERS: ReadonlySet<string> = new Set([
  'UUIDs',
  'RSSI',
  'Pathloss',
  'Transport',
  'DuplicateData',
  'Discoverable',
  'Pattern',
]);

/** An adapter as doc/org.bluez.Adapter.rst of BlueZ has it. */
export class ServedAdapter {
  readonly path: string;
  readonly devices = new Map<string, ServedDevice>();
  connecting = 0;
  mostConnecting = 0;
  readonly #objects: ServedObjects;
  readonly #scanners = new Set<string>();
  #powered: boolean;

  constructor(name: string, powered: boolean, objects: ServedObjects) {
    this.path = `/org/bluez/${name}`;
    this.#objects = objects;
    this.#powered = powered;
    objects.add(this.path, ADAPTER, {
      properties: {
        Address: ['s', '00:00:5E:00:53:01'],
        AddressType: ['s', 'public'],
        Name: ['s', 'peer'],
        Alias: ['s', 'peer'],
        Powered: ['b', powered],
        Discovering: ['b', false],
        UUIDs: ['as', []],
      },
      methods: {
        StartDiscovery: { in: '', out: '', run: (_, sender) => this.#startDiscovery(sender) },
        StopDiscovery: { in: '', out: '', run: (_, sender) => this.#stopDiscovery(sender) },
        SetDiscoveryFilter: { in: 'a{sv}', out: '', run: ([filter]) => this.#setFilter(filter as object) },
        RemoveDevice: { in: 'o', out: '', run: ([path]) => this.#removeDevice(String(path)) },
      },
      set: { Powered: (value) => this.power(value === true) },
    });
  }

  get powered(): boolean {
    return this.#powered;
  }

  get scanners(): number {
    return this.#scanners.size;
  }

  power(on: boolean): void {
    if (this.#powered === on) return;
    this.#powered = on;
    if (!on) {
      for (const device of this.devices.values()) device.breakOff();
      this.#scanners.clear();
      this.#endDiscovery();
    }
    this.#objects.change(this.path, ADAPTER, { Powered: on });
  }

  /** A client has left the bus. */
  forget(client: string): void {
    if (this.#scanners.delete(client) && this.#scanners.size === 0) this.#endDiscovery();
    for (const device of this.devices.values()) device.forget(client);
  }

  /** A device can be heard where somebody scans. */
  hear(device: ServedDevice): void {
    if (this.#scanners.size > 0)
      setTimeout(() => this.#scanners.size > 0 && device.heard(), HEARD_MS).unref();
  }

  /** @throws ServedError there is none of that address */
  device(address: string): ServedDevice {
    const device = this.devices.get(address);
    if (device === undefined) throw new ServedError('DoesNotExist', `no device ${address}`);
    return device;
  }

  #startDiscovery(client: string): void {
    if (!this.#powered) throw new ServedError('NotReady', 'Resource Not Ready');
    if (this.#scanners.has(client)) throw new ServedError('InProgress', 'Operation already in progress');
    this.#scanners.add(client);
    if (this.#scanners.size === 1) this.#objects.change(this.path, ADAPTER, { Discovering: true });
    for (const device of this.devices.values()) this.hear(device);
  }

  #stopDiscovery(client: string): void {
    if (!this.#powered) throw new ServedError('NotReady', 'Resource Not Ready');
    if (!this.#scanners.delete(client)) throw new ServedError('Failed', 'No discovery started');
    if (this.#scanners.size === 0) this.#endDiscovery();
  }

  #endDiscovery(): void {
    this.#objects.change(this.path, ADAPTER, { Discovering: false });
    for (const device of this.devices.values()) device.unheard();
  }

  #setFilter(filter: object): void {
    if (!this.#powered) throw new ServedError('NotReady', 'Resource Not Ready');
    for (const key of Object.keys(filter))
      if (!FILTERS.has(key)) throw new ServedError('InvalidArguments', 'Invalid arguments in method call');
  }

  #removeDevice(path: string): void {
    const device = [...this.devices.values()].find((one) => one.path === path);
    if (device === undefined) throw new ServedError('DoesNotExist', 'Does Not Exist');
    device.breakOff();
    device.withdraw();
  }
}
