import type { Message } from 'dbus-next';
import type { DriverContext } from '@hawser/mapper-sdk';
import { DBusConnection, type CallOptions } from '../dbus/dbus-connection.ts';
import { DBusGone } from '../dbus/dbus-errors.ts';
import { AdapterControl } from './adapter-control.ts';
import {
  adapterPath,
  ADAPTER,
  BLUEZ,
  CHARACTERISTIC,
  DEVICE,
  OBJECT_MANAGER,
  PROPERTIES,
} from './bluez-names.ts';
import { BluezObjects, type Variants } from './bluez-objects.ts';
import { explained } from './bluez-failures.ts';

/** How long BlueZ may take to say what it has; D-Bus may have to start it first. */
const OBJECTS_MS = 15_000;

const RULES = [
  `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${BLUEZ}'`,
  `type='signal',sender='${BLUEZ}',interface='${OBJECT_MANAGER}'`,
  ...[ADAPTER, DEVICE, CHARACTERISTIC].map(
    (name) =>
      `type='signal',sender='${BLUEZ}',interface='${PROPERTIES}',member='PropertiesChanged',arg0='${name}'`,
  ),
];

/** A method of an object of BlueZ. */
export interface BluezCall {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/**
 * One life of bluetoothd, over one connection to D-Bus: it ends with either of them, and then there has to be another. All
 * devices share it.
 */
export class BluezSession {
  readonly objects = new BluezObjects();
  readonly #context: DriverContext;
  readonly #lostListeners = new Set<(reason: Error) => void>();
  readonly #adapters = new Map<string, AdapterControl>();
  /** How many of our connections have a device, by its path. */
  readonly #held = new Map<string, number>();
  #bus: DBusConnection | undefined;
  /** Unique name of bluetoothd; undefined until it has said what it has: signals before that are in what it says. */
  #owner: string | undefined;
  #lostReason: Error | undefined;

  private constructor(context: DriverContext) {
    this.#context = context;
  }

  /** @throws Error why there is no BlueZ, and what to do about it */
  static async open(address: string, context: DriverContext): Promise<BluezSession> {
    const session = new BluezSession(context);
    try {
      await session.#open(address);
    } catch (error) {
      await session.close();
      throw explained('BlueZ cannot be reached', error);
    }
    return session;
  }

  /** Why it is of no use any more; undefined: it is. */
  get lostReason(): Error | undefined {
    return this.#lostReason;
  }

  /** Calls when it is of no use any more; at once where it is not. @returns ends it */
  onLost(listener: (reason: Error) => void): () => void {
    if (this.#lostReason !== undefined) listener(this.#lostReason);
    else this.#lostListeners.add(listener);
    return () => void this.#lostListeners.delete(listener);
  }

  /** @throws DBusFailure, DBusGone, DBusTimeout, the reason of an aborted signal */
  async call(call: BluezCall, options: CallOptions): Promise<unknown[]> {
    if (this.#bus === undefined) throw new DBusGone('there is no connection to D-Bus');
    return await this.#bus.call({ destination: BLUEZ, ...call }, options);
  }

  /** A device is in use. @returns lets go of it, and says whether nobody else of us uses it */
  hold(path: string): () => boolean {
    this.#held.set(path, (this.#held.get(path) ?? 0) + 1);
    return () => {
      const left = (this.#held.get(path) ?? 1) - 1;
      if (left > 0) this.#held.set(path, left);
      else this.#held.delete(path);
      return left === 0;
    };
  }

  adapter(name: string): AdapterControl {
    const path = adapterPath(name);
    let adapter = this.#adapters.get(path);
    if (adapter === undefined)
      this.#adapters.set(path, (adapter = new AdapterControl(name, this, this.#context)));
    return adapter;
  }

  /** Idempotent. BlueZ ends scans and notifications of who goes away. */
  async close(): Promise<void> {
    this.#end(new Error('it was closed'));
    await this.#bus?.close();
  }

  async #open(address: string): Promise<void> {
    const bus = await DBusConnection.open(address, this.#context.clock, (message) => this.#take(message));
    this.#bus = bus;
    void bus.ended.then((reason) => this.#end(reason));
    for (const rule of RULES) await bus.callBus('AddMatch', 's', [rule]);
    const call = { path: '/', interface: OBJECT_MANAGER, member: 'GetManagedObjects' };
    await this.call(call, {
      timeoutMs: OBJECTS_MS,
      onReply: ({ body, sender }) => {
        this.#owner = sender;
        const [objects = {}] = body as [Record<string, Record<string, Variants>>?];
        for (const [path, interfaces] of Object.entries(objects)) this.objects.added(path, interfaces);
      },
    });
  }

  #take({ sender, interface: from, member, path, body }: Message): void {
    if (this.#owner === undefined) return;
    if (member === 'NameOwnerChanged') {
      const [, old] = body as string[];
      if (old === this.#owner) this.#end(new Error('bluetoothd has ended, or was restarted'));
      return;
    }
    if (sender !== this.#owner) return;
    if (from === PROPERTIES) {
      const [name, properties, invalidated] = body as [string, Variants, string[]];
      this.objects.changed(path, name, properties, invalidated);
    } else if (member === 'InterfacesAdded') {
      const [object, interfaces] = body as [string, Record<string, Variants>];
      this.objects.added(object, interfaces);
    } else if (member === 'InterfacesRemoved') {
      const [object, names] = body as [string, string[]];
      this.objects.removed(object, names);
    }
  }

  #end(reason: Error): void {
    if (this.#lostReason !== undefined) return;
    this.#lostReason = reason;
    for (const adapter of this.#adapters.values()) adapter.end(reason);
    for (const listener of [...this.#lostListeners]) listener(reason);
    this.#lostListeners.clear();
  }
}
