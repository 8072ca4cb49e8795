import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Message, Variant } from 'dbus-next';

/** What a connection of dbus-next is, below its `MessageBus`. Events: `message` (a Message), `error`. */
export interface RawConnection extends EventEmitter {
  readonly stream: Socket;
  message(message: Message): void;
}

/** The parts of dbus-next that we use: messages, their bytes, and the handshake. */
export interface DBusLibrary {
  readonly Message: typeof Message;
  readonly Variant: typeof Variant;
  connect(options: { busAddress: string; authMethods: readonly string[] }): RawConnection;
}

let library: DBusLibrary | undefined;

/**
 * Loads dbus-next when the first device is opened. Of it we use the messages and the connection, and neither its
 * `MessageBus` nor node-ble above that: calls to a bus that goes away are never answered there, none has a time limit or
 * can be given up, a refused `Hello` is an unhandled rejection that ends the process, match rules are counted wrongly and
 * stay, and `disconnect` leaves the socket open until the daemon closes it. node-ble adds a listener with each `connect`,
 * waits for services without end when the device goes away meanwhile, and cannot scan while another program does.
 */
export function dbusLibrary(): DBusLibrary {
  if (library !== undefined) return library;
  const require = createRequire(import.meta.url);
  const { Message, Variant } = require('dbus-next') as Pick<DBusLibrary, 'Message' | 'Variant'>;
  const connect = require('dbus-next/lib/connection.js') as DBusLibrary['connect'];
  library = { Message, Variant, connect };
  return library;
}
