import { DBusFailure, DBusGone, DBusTimeout } from '../dbus/dbus-errors.ts';

const DBUS = 'org.freedesktop.DBus.Error.';
const OWN = 'org.bluez.Error.';

/** What to do about an error of BlueZ or D-Bus, by its name without what all begin with. */
const REMEDIES: Readonly<Record<string, string>> = {
  AccessDenied:
    'D-Bus does not let this user speak with BlueZ: run the mapper as root or as a member of the group bluetooth, or allow it in /etc/dbus-1/system.d.',
  ServiceUnknown: 'bluetoothd does not run: install bluez, and start it with `systemctl start bluetooth`.',
  NameHasNoOwner: 'bluetoothd does not run: start it with `systemctl start bluetooth`.',
  NotReady: 'The adapter is switched off: `rfkill unblock bluetooth`, then `bluetoothctl power on`.',
  NotAuthorized: 'The device wants to be paired: `bluetoothctl pair ADDRESS`, once.',
  NotPermitted: 'The device does not allow it, or wants to be paired: `bluetoothctl pair ADDRESS`, once.',
  NotSupported: 'The device does not have this for the characteristic: see `characteristicUUID`.',
  InvalidValueLength: 'The device takes another number of bytes: see `dataWrite` and `dataConverter`.',
  AuthenticationFailed:
    'Pair the device anew: `bluetoothctl remove ADDRESS`, then `bluetoothctl pair ADDRESS`.',
  InProgress: 'Another program is busy with it: try again, or end the other one.',
};

/** Remedies for what `org.bluez.Error.Failed` says. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/abort-by-local|software caused/i, 'The radio was disturbed, or the device is too far away.'],
  [/timeout|timed out/i, 'The device does not take connections, or is too far away.'],
  [
    /sync-connect-limit|too many/i,
    'The adapter has no more connections to give: use another adapter as well.',
  ],
  [
    /^br-|profile-unavailable/i,
    'The device was taken for one without Low Energy: `bluetoothctl remove ADDRESS`.',
  ],
  [
    /att error: 0x(05|0c|0f)|not paired/i,
    'The device wants to be paired: `bluetoothctl pair ADDRESS`, once.',
  ],
  [/att error/i, 'The device does not take it: see its handbook.'],
];

/** The name of an error without what all of BlueZ or D-Bus begin with; undefined: it is none of theirs. */
export function failureOf(error: unknown): string | undefined {
  if (!(error instanceof DBusFailure)) return undefined;
  return error.errorName.replace(DBUS, '').replace(OWN, '');
}

/** Whether an error says that the device is not connected, or is not there any more. */
export function saysGone(error: unknown): boolean {
  if (error instanceof DBusGone) return true;
  const name = failureOf(error);
  if (name === 'Failed') return /^not connected$/i.test((error as Error).message);
  return name === 'NotConnected' || name === 'UnknownObject' || name === 'NoReply';
}

/** Whether the same may well work a moment later. */
export function saysAgain(error: unknown): boolean {
  const name = failureOf(error);
  if (name === 'InProgress') return true;
  return (
    name === 'Failed' && /abort-by-local|software caused|in progress|busy/i.test((error as Error).message)
  );
}

/** An error in words, with what to do about it where we know. */
export function explained(what: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const name = failureOf(error);
  const remedy =
    (name === undefined ? undefined : REMEDIES[name]) ??
    TEXTS.find(([pattern]) => name === 'Failed' && pattern.test(message))?.[1] ??
    (error instanceof DBusGone
      ? 'See that D-Bus runs and that DBUS_SYSTEM_BUS_ADDRESS is right; a container needs /run/dbus.'
      : error instanceof DBusTimeout
        ? 'See the log of bluetoothd.'
        : undefined);
  const reason = name === undefined || message.includes(name) ? message : `${message} (${name})`;
  return new Error(`${what}: ${reason}${remedy === undefined ? '' : `. ${remedy}`}`, { cause: error });
}
