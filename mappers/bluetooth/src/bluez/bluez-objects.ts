import { ADAPTER, CHARACTERISTIC, DEVICE, SERVICE } from './bluez-names.ts';

/** A property map as D-Bus has it: values are variants. */
export type Variants = Readonly<Record<string, { readonly value: unknown }>>;

/** What is known of an adapter. */
export interface AdapterState {
  readonly powered: boolean;
}

/** What is known of a device. */
export interface DeviceState {
  readonly path: string;
  readonly address: string;
  readonly name: string | undefined;
  readonly alias: string | undefined;
  readonly uuids: readonly string[];
  /** Heard in the scan that is under way. */
  readonly isHeard: boolean;
  readonly isConnected: boolean;
  readonly isResolved: boolean;
  /** Somebody paired or trusted it: it may be there without advertising to everybody. */
  readonly isKnown: boolean;
}

/** A characteristic of a device. */
export interface CharacteristicState {
  readonly path: string;
  readonly uuid: string;
  readonly servicePath: string;
  readonly serviceUuid: string | undefined;
  readonly flags: ReadonlySet<string>;
}

/** Properties that somebody looks at; the rest, and values of characteristics, are not kept. */
const KEPT: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [ADAPTER, new Set(['Powered'])],
  [
    DEVICE,
    new Set([
      'Address',
      'Name',
      'Alias',
      'UUIDs',
      'RSSI',
      'Connected',
      'ServicesResolved',
      'Paired',
      'Bonded',
      'Trusted',
    ]),
  ],
  [SERVICE, new Set(['UUID'])],
  [CHARACTERISTIC, new Set(['UUID', 'Service', 'Flags'])],
]);

type Properties = Map<string, unknown>;

/** What BlueZ has, kept up to date by its signals. */
export class BluezObjects {
  readonly #objects = new Map<string, Map<string, Properties>>();
  readonly #watchers = new Set<(path: string) => void>();
  readonly #listeners = new Map<string, Set<(value: Uint8Array) => void>>();
  readonly #characteristics = new Map<string, readonly CharacteristicState[]>();

  /** Calls with the path of whatever has changed, come or gone. @returns ends it */
  watch(watcher: (path: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Calls with values of a characteristic that BlueZ tells. @returns ends it */
  listen(path: string, listener: (value: Uint8Array) => void): () => void {
    let listeners = this.#listeners.get(path);
    if (listeners === undefined) this.#listeners.set(path, (listeners = new Set()));
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(path);
    };
  }

  adapter(path: string): AdapterState | undefined {
    const properties = this.#of(path, ADAPTER);
    return properties && { powered: properties.get('Powered') === true };
  }

  /** Names of all adapters, as hci0. */
  adapterNames(): string[] {
    return [...this.#objects]
      .filter(([, interfaces]) => interfaces.has(ADAPTER))
      .map(([path]) => path.slice(path.lastIndexOf('/') + 1));
  }

  device(path: string): DeviceState | undefined {
    const properties = this.#of(path, DEVICE);
    if (properties === undefined) return undefined;
    const text = (name: string): string | undefined => {
      const value = properties.get(name);
      return typeof value === 'string' ? value : undefined;
    };
    const is = (name: string): boolean => properties.get(name) === true;
    return {
      path,
      address: text('Address') ?? '',
      name: text('Name'),
      alias: text('Alias'),
      uuids: texts(properties.get('UUIDs')),
      isHeard: properties.has('RSSI'),
      isConnected: is('Connected'),
      isResolved: is('ServicesResolved'),
      isKnown: is('Paired') || is('Bonded') || is('Trusted'),
    };
  }

  /** Devices of an adapter. */
  *devices(adapter: string): Iterable<DeviceState> {
    for (const path of this.#objects.keys()) {
      if (!path.startsWith(`${adapter}/`)) continue;
      const device = this.device(path);
      if (device !== undefined) yield device;
    }
  }

  /** Characteristics of a device, in order of their paths. */
  characteristics(device: string): readonly CharacteristicState[] {
    const known = this.#characteristics.get(device);
    if (known !== undefined) return known;
    const found: CharacteristicState[] = [];
    for (const [path, interfaces] of this.#objects) {
      const properties = interfaces.get(CHARACTERISTIC);
      if (properties === undefined || !path.startsWith(`${device}/`)) continue;
      const servicePath = String(properties.get('Service'));
      const serviceUuid = this.#of(servicePath, SERVICE)?.get('UUID');
      found.push({
        path,
        uuid: String(properties.get('UUID')).toLowerCase(),
        servicePath,
        serviceUuid: typeof serviceUuid === 'string' ? serviceUuid.toLowerCase() : undefined,
        flags: new Set(texts(properties.get('Flags'))),
      });
    }
    found.sort((a, b) => (a.path < b.path ? -1 : 1));
    this.#characteristics.set(device, found);
    return found;
  }

  /** `InterfacesAdded`, and each object of `GetManagedObjects`. */
  added(path: string, interfaces: Readonly<Record<string, Variants>>): void {
    for (const [name, properties] of Object.entries(interfaces)) {
      if (!KEPT.has(name)) continue;
      const object = this.#objects.get(path) ?? new Map<string, Properties>();
      this.#objects.set(path, object);
      object.set(name, new Map());
      this.#characteristics.clear();
      this.#set(path, name, properties);
    }
    this.#tell(path);
  }

  /** `InterfacesRemoved`. */
  removed(path: string, interfaces: readonly string[]): void {
    const object = this.#objects.get(path);
    if (object === undefined) return;
    for (const name of interfaces) object.delete(name);
    if (object.size === 0) this.#objects.delete(path);
    this.#characteristics.clear();
    this.#tell(path);
  }

  /** `PropertiesChanged`. */
  changed(path: string, name: string, properties: Variants, invalidated: readonly string[]): void {
    const value = name === CHARACTERISTIC ? properties['Value']?.value : undefined;
    if (value instanceof Uint8Array) {
      // Copied: it is a part of what came from the socket.
      for (const listener of [...(this.#listeners.get(path) ?? [])]) listener(Uint8Array.from(value));
    }
    const kept = this.#of(path, name);
    if (kept === undefined) return;
    for (const key of invalidated) kept.delete(key);
    if (this.#set(path, name, properties) || invalidated.length > 0) this.#tell(path);
  }

  #of(path: string, name: string): Properties | undefined {
    return this.#objects.get(path)?.get(name);
  }

  /** @returns whether there was something that is kept */
  #set(path: string, name: string, properties: Variants): boolean {
    const kept = this.#of(path, name);
    let any = false;
    for (const [key, { value }] of Object.entries(properties)) {
      if (KEPT.get(name)?.has(key) !== true) continue;
      kept?.set(key, value);
      any = true;
    }
    return any;
  }

  #tell(path: string): void {
    for (const watcher of [...this.#watchers]) watcher(path);
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
