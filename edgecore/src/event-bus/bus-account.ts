import type { BusClient } from './event-bus.ts';

/** What somebody with credentials may do on our broker: what its definition says. */
export interface BusAccount extends BusClient {
  /** Further filters; never of another protocol's mapper topics, nor of `$SYS`. */
  readonly topics: { readonly publish: readonly string[]; readonly subscribe: readonly string[] };
  /** Hears whatever it has subscribed to: a bridge, which the operator has said the filters of. */
  readonly isBridge?: boolean;
  /** Messages that each of its clients may publish, a second; more is held back. */
  readonly messagesPerSecond: number;
}

/**
 * Tells who has these credentials; compares in constant time.
 * @param name user name of the client: that of a mapper definition
 * @returns undefined: nobody
 */
export type Credentials = (name: string, password: Uint8Array) => BusAccount | undefined;

/** Whose devices are whose. */
export interface DeviceProtocols {
  /** Protocol of a device of this node; undefined: there is none of this name. */
  protocolOf(namespace: string, name: string): string | undefined;
  /** Protocols of all devices of this name, whatever their namespace: topics of telemetry have none. */
  protocolsNamed(name: string): Iterable<string>;
}
