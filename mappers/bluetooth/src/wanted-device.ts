import type { BluetoothProtocol } from './config.ts';
import type { Wanted } from './bluez/adapter-control.ts';
import { fullUuid } from './values/uuid.ts';

/** How the device of a configuration is known: by all that is said of it. */
export function wantedDevice({ macAddress, name, serviceUUID }: BluetoothProtocol): Wanted {
  const address = macAddress?.toUpperCase();
  const service = serviceUUID === undefined ? undefined : fullUuid(serviceUUID);
  const words = [
    ...(address === undefined ? [] : [address]),
    ...(name === undefined ? [] : [`called ${name}`]),
    ...(service === undefined ? [] : [`with the service ${service}`]),
  ];
  return {
    what: words.join(' and '),
    matches: (device) =>
      (address === undefined || device.address.toUpperCase() === address) &&
      (name === undefined || device.name === name || device.alias === name) &&
      (service === undefined || device.uuids.some((uuid) => uuid.toLowerCase() === service)),
  };
}
