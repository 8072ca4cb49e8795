import {
  ConnectionLost,
  type Connection,
  type DeviceAddress,
  type DriverValue,
  type Visit,
  type VisitResult,
} from '../driver.ts';
import { MapperError, messageOf } from '../errors.ts';
import { guardedCall } from './guarded-call.ts';
import type { LineContext } from './line.ts';

/** Longest time to open, milliseconds. */
const OPEN_TIMEOUT_MS = 30_000;
/** Longest time to close; a driver that takes longer goes on alone. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Longest time of a call where the driver does not say. */
const CALL_TIMEOUT_MS = 10_000;

/** An end of a subscription: {@link Connection.subscribe}. */
export interface Subscription {
  readonly properties: readonly string[];
  end(): Promise<void>;
}

/** A {@link Connection} whose calls end in time, whatever the driver does. */
export interface OpenConnection {
  readonly canSubscribe: boolean;
  /** @throws {@link guardedCall}; Error: a driver that gives another number of results */
  read(device: DeviceAddress, visits: readonly Visit[], signal: AbortSignal): Promise<readonly VisitResult[]>;
  write(device: DeviceAddress, visit: Visit, value: DriverValue, signal: AbortSignal): Promise<void>;
  subscribe(
    device: DeviceAddress,
    visits: readonly Visit[],
    onValue: (property: string, value: DriverValue) => void,
    signal: AbortSignal,
  ): Promise<Subscription>;
  end(subscription: Subscription, signal: AbortSignal): Promise<void>;
  /** Never throws; once. */
  close(): Promise<void>;
}

/**
 * Opens a connection.
 * @throws what the driver throws; {@link guardedCall}
 */
export async function openConnection(
  context: LineContext,
  { id, config }: DeviceAddress,
  signal: AbortSignal,
  onLost: (reason: Error) => void,
): Promise<OpenConnection> {
  const { driver, log, clock } = context;
  let abandoned = false;
  const opening = { what: `opening the connection of ${id}`, timeoutMs: OPEN_TIMEOUT_MS, clock, signal };
  try {
    const connection = await guardedCall(opening, async (inner) => {
      const opened = await driver.open(config, { log, clock }, inner);
      // Nobody waits any more: what has come too late would stay open for ever.
      if (abandoned) await closeQuietly(opened, context);
      return opened;
    });
    connection.onLost?.(onLost);
    return new Guarded(connection, context);
  } finally {
    abandoned = true;
  }
}

/** Whether the connection has to be opened anew: it is lost, or a call hangs in it. */
export function isLost(error: unknown): error is Error {
  // By name as well: a driver may have brought its own copy of this package.
  return (
    error instanceof ConnectionLost ||
    (error instanceof Error && error.name === 'ConnectionLost') ||
    (error instanceof MapperError && error.code === 'ERR_MAPPER_HANGS')
  );
}

class Guarded implements OpenConnection {
  readonly #connection: Connection;
  readonly #context: LineContext;
  #closed: Promise<void> | undefined;

  constructor(connection: Connection, context: LineContext) {
    this.#connection = connection;
    this.#context = context;
  }

  get canSubscribe(): boolean {
    return this.#connection.subscribe !== undefined;
  }

  async read(
    device: DeviceAddress,
    visits: readonly Visit[],
    signal: AbortSignal,
  ): Promise<readonly VisitResult[]> {
    const results = await this.#call('reading', device, signal, (inner) =>
      this.#connection.read(device, visits, inner),
    );
    if (results.length === visits.length) return results;
    throw new Error(`the driver gave ${results.length} results for ${visits.length} properties`);
  }

  write(device: DeviceAddress, visit: Visit, value: DriverValue, signal: AbortSignal): Promise<void> {
    return this.#call('writing', device, signal, (inner) =>
      this.#connection.write(device, visit, value, inner),
    );
  }

  async subscribe(
    device: DeviceAddress,
    visits: readonly Visit[],
    onValue: (property: string, value: DriverValue) => void,
    signal: AbortSignal,
  ): Promise<Subscription> {
    const none: Subscription = { properties: [], end: () => Promise.resolve() };
    return this.#call(
      'subscribing to',
      device,
      signal,
      (inner) => this.#connection.subscribe?.(device, visits, onValue, inner) ?? Promise.resolve(none),
    );
  }

  end(subscription: Subscription, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const options = { what: 'ending a subscription', timeoutMs: CALL_TIMEOUT_MS, clock, signal };
    return guardedCall(options, () => subscription.end());
  }

  close(): Promise<void> {
    this.#closed ??= closeQuietly(this.#connection, this.#context);
    return this.#closed;
  }

  #call<T>(
    what: string,
    device: DeviceAddress,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, driver } = this.#context;
    const timeoutMs = driver.timeoutMs?.(device.config) ?? CALL_TIMEOUT_MS;
    return guardedCall({ what: `${what} ${device.id}`, timeoutMs, clock, signal }, run);
  }
}

async function closeQuietly(connection: Connection, { clock, log }: LineContext): Promise<void> {
  const never = new AbortController().signal;
  const options = {
    what: 'closing a connection',
    timeoutMs: CLOSE_TIMEOUT_MS,
    graceMs: 0,
    clock,
    signal: never,
  };
  try {
    await guardedCall(options, () => connection.close());
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'a connection does not close in good order');
  }
}
