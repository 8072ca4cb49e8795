import type { ConfigData, JsonSchema, PropertyType } from '@hawser/devices';
import type { Clock, Logger } from '@hawser/seams';

/** What a driver may use of its surroundings. */
export interface DriverContext {
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * A protocol: the one object that a mapper package exports. The SDK does everything else: configuration, polling,
 * conversion to types, twins, state, reconnecting, MQTT, push, metrics.
 *
 * @typeParam Protocol `protocol.configData` of a device, as {@link Driver.schemas} describes it
 * @typeParam Visitor `visitors.configData` of a property, likewise
 */
export interface Driver<Protocol = ConfigData, Visitor = ConfigData> {
  /** Name of the protocol, lower case: that of `spec.protocol.protocolName`. */
  readonly protocol: string;
  readonly version: string;
  /** Values that do not fit never reach the driver. Defaults in the schemas are filled in. */
  readonly schemas: { readonly protocol: JsonSchema; readonly visitor: JsonSchema };
  /** What no schema can say: problems of a whole device. `path` begins at its configuration. Default: none. */
  check?(
    config: Protocol,
    properties: readonly Visit<Visitor>[],
  ): readonly { path: string; message: string }[];
  /**
   * Devices with the same text share one connection, which does one thing at a time: a serial line, a TCP connection to
   * a gateway. Default: each device has its own.
   */
  connectionOf?(config: Protocol): string;
  /**
   * Opens what devices are reached by. The SDK calls again, with back-off, where it rejects.
   * @param config of the first of the devices that share it
   * @param signal aborts when the mapper gives up waiting
   */
  open(config: Protocol, context: DriverContext, signal: AbortSignal): Promise<Connection<Protocol, Visitor>>;
}

/** One property of one device, for a driver. */
export interface Visit<Visitor = ConfigData> {
  readonly property: string;
  readonly type: PropertyType;
  readonly writable: boolean;
  readonly visitor: Visitor;
}

/** What the device has. JSON values for INT (bigint where it has 64 bits), FLOAT, DOUBLE, STRING, BOOLEAN; bytes for BYTES. */
export type DriverValue = number | bigint | string | boolean | Uint8Array;

/** What became of one visit. An error is about this property; the device answers all the same. */
export type VisitResult = { readonly value: DriverValue } | { readonly error: Error };

/** An open connection. Its methods are never called at the same time, but for `close`. */
export interface Connection<Protocol = ConfigData, Visitor = ConfigData> {
  /**
   * Reads properties that are due together, so that a driver can join what is adjacent.
   * @returns one result for each visit, in order
   * @throws Error the device does not answer; {@link ConnectionLost} where the connection is of no use any more
   */
  read(
    device: DeviceAddress<Protocol>,
    visits: readonly Visit<Visitor>[],
    signal: AbortSignal,
  ): Promise<readonly VisitResult[]>;
  /** @throws as {@link read} */
  write(
    device: DeviceAddress<Protocol>,
    visit: Visit<Visitor>,
    value: DriverValue,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Has the device say values by itself, where it can. Called once for each device, again after a reconnect.
   * @returns which properties need no polling, and how to end it
   */
  subscribe?(
    device: DeviceAddress<Protocol>,
    visits: readonly Visit<Visitor>[],
    onValue: (property: string, value: DriverValue) => void,
    signal: AbortSignal,
  ): Promise<{ readonly properties: readonly string[]; end(): Promise<void> }>;
  /** Calls when the connection ends by itself. */
  onLost?(listener: (reason: Error) => void): void;
  /** Idempotent; ends what is under way. */
  close(): Promise<void>;
}

/** Which device on a connection. */
export interface DeviceAddress<Protocol = ConfigData> {
  /** `<namespace>/<name>`. */
  readonly id: string;
  readonly config: Protocol;
}

/** The connection is of no use any more: the SDK closes it, and opens another. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}
