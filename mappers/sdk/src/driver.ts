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
  /** What no schema can say: problems of a whole device. Default: none. */
  check?(config: Protocol, properties: readonly Visit<Visitor>[]): readonly DriverProblem[];
  /**
   * Devices with the same text share one connection, which does one thing at a time: a serial line, a TCP connection to
   * a gateway. undefined, and the default: the device has its own.
   */
  connectionOf?(config: Protocol): string | undefined;
  /**
   * Longest that one `read`, `write` or `subscribe` of a device may take, milliseconds, retries included; then its signal
   * aborts, and the device counts as one that does not answer. Other devices of the connection wait for so long at
   * most. A call that goes on for 2 s after that costs the connection. Default: 10,000.
   */
  timeoutMs?(config: Protocol): number;
  /**
   * Opens what devices are reached by. The SDK calls again, with back-off, where it rejects.
   * @param config of the first of the devices that share it
   * @param signal aborts when the mapper gives up waiting
   */
  open(config: Protocol, context: DriverContext, signal: AbortSignal): Promise<Connection<Protocol, Visitor>>;
}

/** What a driver finds wrong with the configuration of a device. */
export interface DriverProblem {
  /** JSON pointer that begins at `protocol.configData`: `/port`; at `visitors.configData` where `property` is there. */
  readonly path: string;
  /** What is wrong: `must be below 65536`. */
  readonly message: string;
  /** The property that it is about. Default: none, it is about the device. */
  readonly property?: string;
  /** What to do about it, a sentence. Default: to see what the mapper takes. */
  readonly remedy?: string;
}

/** One property of one device, for a driver. The same object at each call, for as long as the device is as it is. */
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
  /**
   * Writes a value that fits the type and the range of its property.
   * @throws as {@link read}; {@link PropertyError} where the device answers, and does not take it
   */
  write(
    device: DeviceAddress<Protocol>,
    visit: Visit<Visitor>,
    value: DriverValue,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Has the device say values by itself, where it can. Called once for each device, again after a reconnect and after the
   * device was away. They are read once more after it.
   * @param onValue may be called from then on until `end`, between and during other calls
   * @returns which properties need no polling, and how to end it (not called when the connection was lost, or closes)
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

/**
 * The device answers, but not for this property: it has no such register, or refuses a value. In the results of `read`, any
 * Error means that; thrown by `write`, this one says that the device is there.
 */
export class PropertyError extends Error {
  override readonly name = 'PropertyError';
}

/** The connection is of no use any more: the SDK closes it, and opens another. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}
