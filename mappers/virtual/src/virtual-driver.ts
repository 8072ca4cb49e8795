import {
  ConnectionLost,
  type Connection,
  type DeviceAddress,
  type Driver,
  type VisitResult,
} from '@hawser/mapper-sdk';
import { delay, systemClock, type Clock } from '@hawser/seams';
import { SCHEMAS, type Fault, type VirtualConfig, type VirtualVisitor } from './schemas.ts';
import { VirtualDevice } from './virtual-device.ts';

/** Devices that are remembered; of more the oldest begins anew. */
const DEVICES_MAX = 10_000;

/** Devices that are simulated: for demonstrations, tests and load. */
export class VirtualDriver implements Driver<VirtualConfig, VirtualVisitor> {
  readonly protocol = 'virtual';
  readonly version = '0.1.0';
  readonly schemas = SCHEMAS;
  readonly #clock: Clock;
  readonly #devices = new Map<string, VirtualDevice>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  check: NonNullable<Driver<VirtualConfig, VirtualVisitor>['check']> = (_config, properties) =>
    properties
      .filter(({ visitor: { min, max } }) => min > max)
      .map(({ property, visitor: { min, max } }) => ({
        path: '/min',
        message: `must be at most max, which is ${max}, is ${min}`,
        property,
        remedy: 'Correct one of the two.',
      }));

  /** The simulated device of an id, which is there before anybody reads it. */
  deviceOf(id: string, seed: number): VirtualDevice {
    let device = this.#devices.get(id);
    if (device === undefined) {
      const [oldest] = this.#devices.keys();
      if (this.#devices.size >= DEVICES_MAX && oldest !== undefined) this.#devices.delete(oldest);
      device = new VirtualDevice(this.#clock, seed);
      this.#devices.set(id, device);
    }
    return device;
  }

  connectionOf({ line }: VirtualConfig): string | undefined {
    return line;
  }

  timeoutMs({ latencyMs, faultDelayMs }: VirtualConfig): number {
    return latencyMs + faultDelayMs + 1_000;
  }

  open(_config: VirtualConfig, _context: unknown, signal: AbortSignal): Promise<VirtualConnection> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return Promise.resolve(new VirtualConnection(this, this.#clock));
  }
}

/** A connection to simulated devices. */
class VirtualConnection implements Connection<VirtualConfig, VirtualVisitor> {
  readonly #driver: VirtualDriver;
  readonly #clock: Clock;
  readonly #closing = new AbortController();

  constructor(driver: VirtualDriver, clock: Clock) {
    this.#driver = driver;
    this.#clock = clock;
  }

  read: Connection<VirtualConfig, VirtualVisitor>['read'] = async (address, visits, signal) => {
    const { device, fault } = await this.#reach(address, signal);
    return visits.map((visit): VisitResult => {
      try {
        return { value: device.read(visit, fault) };
      } catch (error) {
        return { error: error as Error };
      }
    });
  };

  write: Connection<VirtualConfig, VirtualVisitor>['write'] = async (address, visit, value, signal) => {
    const { device, fault } = await this.#reach(address, signal);
    device.write(visit, value, fault);
  };

  close(): Promise<void> {
    this.#closing.abort(new ConnectionLost('the connection is closed'));
    return Promise.resolve();
  }

  /** Takes the time that the device takes. @throws Error it does not answer; ConnectionLost */
  async #reach(
    { id, config }: DeviceAddress<VirtualConfig>,
    caller: AbortSignal,
  ): Promise<{ readonly device: VirtualDevice; readonly fault: Fault }> {
    caller.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const device = this.#driver.deviceOf(id, config.seed);
    const fault = device.faultNow(config);
    const waits = fault === 'slow' || fault === 'offline';
    const waitMs = config.latencyMs + (waits ? config.faultDelayMs : 0);
    if (waitMs > 0) await this.#wait(waitMs, caller);
    if (fault === 'offline') throw new Error('no answer (simulated)');
    if (fault === 'lost') throw new ConnectionLost('the connection broke (simulated)');
    return { device, fault };
  }

  /** Ends with the caller's signal, and when the connection closes. */
  async #wait(waitMs: number, caller: AbortSignal): Promise<void> {
    const either = new AbortController();
    const sources = [caller, this.#closing.signal];
    const onAbort = (): void => either.abort(sources.find(({ aborted }) => aborted)?.reason);
    for (const source of sources) source.addEventListener('abort', onAbort);
    try {
      await delay(waitMs, { clock: this.#clock, signal: either.signal });
    } finally {
      for (const source of sources) source.removeEventListener('abort', onAbort);
    }
  }
}
