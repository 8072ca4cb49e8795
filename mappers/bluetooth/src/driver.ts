import type { Driver } from '@hawser/mapper-sdk';
import { connectDevice } from './bluez/connect-device.ts';
import { SessionPool } from './bluez/session-pool.ts';
import { checkDevice } from './check.ts';
import type { BluetoothProtocol, BluetoothVisitor } from './config.ts';
import { BluetoothConnection } from './connection.ts';
import { protocolSchema, visitorSchema } from './schemas.ts';
import { wantedDevice } from './wanted-device.ts';

/** Where the bus of the machine is, unless DBUS_SYSTEM_BUS_ADDRESS says so. */
const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';
/** Longest that all properties of a device take: a few seconds each where the device sleeps between answers. */
const CALL_MS = 20_000;

const sessions = new SessionPool();

/** Bluetooth Low Energy over BlueZ: the protocol `bluetooth`. */
export const driver: Driver<BluetoothProtocol, BluetoothVisitor> = {
  protocol: 'bluetooth',
  version: '0.1.0',
  schemas: { protocol: protocolSchema, visitor: visitorSchema },
  check: checkDevice,
  // A device has one connection, however many Devices there are of it.
  connectionOf: (config) => `${config.adapter} ${wantedDevice(config).what}`,
  timeoutMs: () => CALL_MS,
  async open(config, context, signal) {
    const { connectTimeoutMs, scanTimeoutMs, adapter: adapterName } = config;
    const address = process.env['DBUS_SYSTEM_BUS_ADDRESS'] ?? SYSTEM_BUS;
    const lease = await sessions.acquire(address, context, signal);
    const { session } = lease;
    try {
      const adapter = session.adapter(adapterName);
      const path = await adapter.find(wantedDevice(config), scanTimeoutMs, signal);
      const { clock } = context;
      await connectDevice({
        session,
        adapter,
        path,
        timeoutMs: connectTimeoutMs,
        clock,
        signal,
      });
      return new BluetoothConnection({ lease, path, adapter: adapterName }, context);
    } catch (error) {
      await lease.release();
      throw error;
    }
  },
};
