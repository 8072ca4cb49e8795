import type { Connection, DeviceAddress, Visit, VisitResult } from '@hawser/mapper-sdk';
import { silentLogger, systemClock } from '@hawser/seams';
import { driver, type BluetoothProtocol, type BluetoothVisitor, type DataConverter } from '../src/index.ts';
import type { BluezPeer, PeerDevice } from '../testing/index.ts';

export type BluetoothVisit = Visit<BluetoothVisitor>;

/** UUIDs of the device that tests use. */
export const TEMPERATURE = '00002a1f-0000-1000-8000-00805f9b34fb';
export const BATTERY = '00002a19-0000-1000-8000-00805f9b34fb';
export const LED = 'f000aa65-0451-4000-b000-000000000000';
export const SETPOINT = 'f000aa66-0451-4000-b000-000000000000';
export const NAME = '00002a00-0000-1000-8000-00805f9b34fb';
export const BUTTON = 'f000ffe1-0451-4000-b000-000000000000';
export const THERMOMETER = '00001809-0000-1000-8000-00805f9b34fb';

/** A sensor with a value of each kind. */
export function sensor(more: Partial<PeerDevice> & Pick<PeerDevice, 'address'>): PeerDevice {
  return {
    name: 'sensor',
    advertises: [THERMOMETER],
    services: [
      {
        uuid: THERMOMETER,
        characteristics: [
          { uuid: TEMPERATURE, flags: ['read', 'notify'], value: '38ff' },
          { uuid: BATTERY, flags: ['read'], value: '57' },
        ],
      },
      {
        uuid: 'f000aa64-0451-4000-b000-000000000000',
        characteristics: [
          { uuid: LED, flags: ['read', 'write'], value: '00', maxLength: 1 },
          { uuid: SETPOINT, flags: ['read', 'write'], value: 'aa0000bb' },
          { uuid: NAME, flags: ['read', 'write'], value: Buffer.from('Kessel 1').toString('hex') },
          { uuid: BUTTON, flags: ['notify', 'write-without-response'] },
        ],
      },
    ],
    ...more,
  };
}

/** A device's configuration with the defaults of the schema, but short times. */
export function config(more: Partial<BluetoothProtocol>): BluetoothProtocol {
  return { adapter: 'hci0', connectTimeoutMs: 3000, scanTimeoutMs: 1000, pairing: 'none', ...more };
}

/** What a converter is where nothing is said. */
export function converter(more: Partial<DataConverter> = {}): DataConverter {
  const none = { startIndex: 0, endIndex: 0, shiftLeft: 0, shiftRight: 0, signed: false };
  return { ...none, orderOfOperations: [], ...more };
}

/** A property, writable. */
export function visit(
  visitor: Partial<BluetoothVisitor>,
  more: Partial<Omit<BluetoothVisit, 'visitor'>> = {},
): BluetoothVisit {
  const defaults = { characteristicUUID: BATTERY, notify: false };
  return { property: 'value', type: 'INT', writable: true, ...more, visitor: { ...defaults, ...visitor } };
}

/** What there was, or what was said instead. */
export function valueOf(result: VisitResult | undefined): unknown {
  if (result === undefined) return undefined;
  return 'value' in result ? result.value : result.error.message;
}

/** A connection of the driver, and a device on it. */
export class Site {
  readonly connection: Connection<BluetoothProtocol, BluetoothVisitor>;
  readonly device: DeviceAddress<BluetoothProtocol>;

  private constructor(
    connection: Connection<BluetoothProtocol, BluetoothVisitor>,
    device: DeviceAddress<BluetoothProtocol>,
  ) {
    this.connection = connection;
    this.device = device;
  }

  static async open(
    wanted: Partial<BluetoothProtocol>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Site> {
    const all = config(wanted);
    const connection = await driver.open(all, { log: silentLogger, clock: systemClock }, signal);
    return new Site(connection, { id: 'default/device', config: all });
  }

  async values(
    visits: readonly BluetoothVisit[],
    signal: AbortSignal = new AbortController().signal,
  ): Promise<unknown[]> {
    return (await this.connection.read(this.device, visits, signal)).map(valueOf);
  }

  write(to: BluetoothVisit, value: Parameters<Connection['write']>[2]): Promise<void> {
    return this.connection.write(this.device, to, value, new AbortController().signal);
  }

  /** Why the connection was lost, when it is. */
  get lost(): Promise<Error> {
    return new Promise((resolve) => this.connection.onLost?.(resolve));
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

/** Has the driver use the bus of a peer. @returns undoes it */
export function useBus({ address }: BluezPeer): () => void {
  const before = process.env['DBUS_SYSTEM_BUS_ADDRESS'];
  process.env['DBUS_SYSTEM_BUS_ADDRESS'] = address;
  return () => {
    if (before === undefined) delete process.env['DBUS_SYSTEM_BUS_ADDRESS'];
    else process.env['DBUS_SYSTEM_BUS_ADDRESS'] = before;
  };
}

/** A suite that needs something of the machine: left out, and it says so, where that is missing. */
export function describeUnless(missing: string | undefined, title: string, suite: () => void): void {
  if (missing === undefined) describe(title, suite);
  else describe.skip(`${title} (${missing})`, suite);
}
