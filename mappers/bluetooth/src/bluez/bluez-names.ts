/** Names of BlueZ on D-Bus (its doc/org.bluez.*.rst). */
export const BLUEZ = 'org.bluez';
export const ADAPTER = 'org.bluez.Adapter1';
export const DEVICE = 'org.bluez.Device1';
export const SERVICE = 'org.bluez.GattService1';
export const CHARACTERISTIC = 'org.bluez.GattCharacteristic1';
export const OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager';
export const PROPERTIES = 'org.freedesktop.DBus.Properties';

/** Where an adapter is: `hci0`. */
export function adapterPath(adapter: string): string {
  return `/org/bluez/${adapter}`;
}
