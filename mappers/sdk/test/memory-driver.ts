import type { ConfigData } from '@hawser/devices';
import { delay, systemClock, type Clock } from '@hawser/seams';
import type { Connection, Driver, DriverValue, VisitResult } from '../src/driver.ts';
import { ConnectionLost } from '../src/driver.ts';

/** A device that a test holds in its hands. */
export class MemoryDevice {
  readonly values = new Map<string, DriverValue>();
  readonly errors = new Map<string, Error>();
  /** Properties of each reading. */
  readonly reads: string[][] = [];
  readonly writes: [property: string, value: DriverValue][] = [];
  /** What the next calls do instead: rejects, or never ends. */
  fault: 'none' | 'silent' | 'error' | 'lost' | 'lost once' | 'deaf' = 'none';
  /** Of {@link MemoryDriver.subscribes}: says a value. */
  say: (property: string, value: DriverValue) => void = () => {
    throw new Error('nobody has subscribed');
  };
  /** Called when a reading has its values, and is not over yet. */
  whileRead: () => void = () => {};
}

/** A protocol whose devices are objects in memory, each known by `config.at`. */
export class MemoryDriver implements Driver {
  readonly protocol = 'memory';
  readonly version = '1.2.3';
  readonly schemas = {
    protocol: {
      type: 'object',
      required: ['at'],
      properties: {
        at: { type: 'string' },
        line: { type: 'string' },
        speed: { type: 'integer', default: 9600 },
      },
    },
    visitor: { type: 'object', properties: { address: { type: 'integer', minimum: 0, default: 7 } } },
  };
  readonly devices = new Map<string, MemoryDevice>();
  /** Properties that are subscribed where a driver asks. */
  subscribes: readonly string[] | undefined;
  /** Why a connection cannot be opened; undefined: it can. */
  unreachable: Error | undefined;
  opened = 0;
  closed = 0;
  ended = 0;
  /** Calls at this moment, and the most there ever were at a moment, by line. */
  readonly busy = new Map<string, { now: number; most: number }>();
  callTimeoutMs = 10_000;
  readonly losers: ((reason: Error) => void)[] = [];
  /** How long each call takes, on a clock that a test moves. */
  latencyMs = 0;
  clock: Clock = systemClock;

  readonly check: NonNullable<Driver['check']> = (config, visits) =>
    config['at'] === 'nowhere'
      ? [{ path: '/at', message: 'is nowhere' }]
      : visits.flatMap(({ property, visitor }) =>
          visitor['address'] === 13 ? [{ path: '/address', message: 'is unlucky', property }] : [],
        );

  readonly connectionOf = (config: ConfigData): string => String(config['line'] ?? config['at']);
  readonly timeoutMs = (): number => this.callTimeoutMs;

  device(at: string): MemoryDevice {
    const device = this.devices.get(at) ?? new MemoryDevice();
    this.devices.set(at, device);
    return device;
  }

  open(config: ConfigData): Promise<Connection> {
    if (this.unreachable !== undefined) return Promise.reject(this.unreachable);
    this.opened += 1;
    const line = this.connectionOf(config);
    const within = <T>(at: unknown, signal: AbortSignal, run: (device: MemoryDevice) => T): Promise<T> =>
      this.#call(line, this.device(String(at)), signal, run);
    const connection: Connection = {
      read: (address, visits, signal) =>
        within(address.config['at'], signal, (device) => {
          device.reads.push(visits.map(({ property }) => property));
          const results = visits.map(({ property }) => resultOf(device, property));
          device.whileRead();
          return results;
        }),
      write: (address, visit, value, signal) =>
        within(address.config['at'], signal, (device) => {
          const error = device.errors.get(visit.property);
          if (error !== undefined) throw error;
          device.writes.push([visit.property, value]);
          device.values.set(visit.property, value);
        }),
      onLost: (listener) => void this.losers.push(listener),
      close: () => {
        this.closed += 1;
        return Promise.resolve();
      },
      ...(this.subscribes === undefined
        ? {}
        : {
            subscribe: (address, _visits, onValue) => {
              this.device(String(address.config['at'])).say = onValue;
              return Promise.resolve({
                properties: this.subscribes ?? [],
                end: () => {
                  this.ended += 1;
                  return Promise.resolve();
                },
              });
            },
          }),
    };
    return Promise.resolve(connection);
  }

  async #call<T>(
    line: string,
    device: MemoryDevice,
    signal: AbortSignal,
    run: (device: MemoryDevice) => T,
  ): Promise<T> {
    const busy = this.busy.get(line) ?? { now: 0, most: 0 };
    this.busy.set(line, busy);
    busy.now += 1;
    busy.most = Math.max(busy.most, busy.now);
    try {
      if (this.latencyMs > 0) await delay(this.latencyMs, { clock: this.clock, signal });
      else await Promise.resolve();
      if (device.fault === 'error') throw new Error('checksum');
      if (device.fault === 'lost once') {
        device.fault = 'none';
        throw new ConnectionLost('cable pulled');
      }
      if (device.fault === 'lost') throw new ConnectionLost('cable pulled');
      if (device.fault === 'deaf') return await new Promise<never>(() => {});
      if (device.fault === 'silent') {
        return await new Promise<never>((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
        );
      }
      return run(device);
    } finally {
      busy.now -= 1;
    }
  }
}

function resultOf(device: MemoryDevice, property: string): VisitResult {
  const error = device.errors.get(property);
  if (error !== undefined) return { error };
  const value = device.values.get(property);
  return value === undefined ? { error: new Error('no such register') } : { value };
}
