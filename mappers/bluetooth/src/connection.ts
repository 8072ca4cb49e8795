import type {
  Connection,
  DeviceAddress,
  DriverContext,
  DriverValue,
  Visit,
  VisitResult,
} from '@hawser/mapper-sdk';
import { ConnectionLost, PropertyError } from '@hawser/mapper-sdk';
import { adapterPath } from './bluez/bluez-names.ts';
import { saysGone } from './bluez/bluez-failures.ts';
import type { CharacteristicState } from './bluez/bluez-objects.ts';
import { disconnectDevice } from './bluez/connect-device.ts';
import type { SessionLease } from './bluez/session-pool.ts';
import type { BluetoothProtocol, BluetoothVisitor } from './config.ts';
import { Gatt } from './gatt.ts';
import { Codec } from './values/codec.ts';

type BluetoothVisit = Visit<BluetoothVisitor>;

/** A device that is connected. */
export interface ConnectedDevice {
  readonly lease: SessionLease;
  readonly path: string;
  readonly adapter: string;
}

/** What a characteristic has now: what was read, or what it has said since; or why there is nothing. */
type Reading = () => Uint8Array | Error;

/** One device, for as long as it is connected. */
export class BluetoothConnection implements Connection<BluetoothProtocol, BluetoothVisitor> {
  readonly #device: ConnectedDevice;
  readonly #context: DriverContext;
  readonly #gatt: Gatt;
  readonly #codecs = new WeakMap<BluetoothVisit, Codec>();
  readonly #ended = new AbortController();
  /** What characteristics have said last by themselves, of those that are subscribed. */
  readonly #said = new Map<string, Uint8Array>();
  readonly #letGo: () => boolean;
  readonly #listeners: ((reason: Error) => void)[] = [];
  /** What ends with the connection. */
  readonly #undo = new Set<() => void>();
  #closing: Promise<void> | undefined;

  constructor(device: ConnectedDevice, context: DriverContext) {
    const { session } = device.lease;
    this.#device = device;
    this.#context = context;
    this.#letGo = session.hold(device.path);
    this.#gatt = new Gatt(session, device.path, context.clock);
    this.#undo.add(session.objects.watch((path) => this.#look(path)));
    this.#undo.add(session.onLost((reason) => this.#lose(reason.message)));
    this.#look(device.path);
  }

  async read(
    _device: DeviceAddress<BluetoothProtocol>,
    visits: readonly BluetoothVisit[],
    signal: AbortSignal,
  ): Promise<readonly VisitResult[]> {
    return await this.#while(signal, async (inner) => {
      const readings = new Map<string, Reading>();
      for (const visit of visits) {
        const characteristic = this.#findQuietly(visit);
        // Properties of one characteristic are read together.
        if (characteristic === undefined || readings.has(characteristic.path)) continue;
        readings.set(characteristic.path, await this.#reading(characteristic, inner));
      }
      // All at once: what a device says while the rest is read is newer than what was read.
      return visits.map((visit) => this.#result(visit, readings));
    });
  }

  async write(
    _device: DeviceAddress<BluetoothProtocol>,
    visit: BluetoothVisit,
    value: DriverValue,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#while(signal, async (inner) => {
      const characteristic = this.#gatt.find(visit.visitor);
      const bytes = await this.#codec(visit).encode(value, async () =>
        characteristic.flags.has('read') ? await this.#gatt.read(characteristic, inner) : undefined,
      );
      await this.#gatt.write(characteristic, bytes, inner);
    });
  }

  async subscribe(
    _device: DeviceAddress<BluetoothProtocol>,
    visits: readonly BluetoothVisit[],
    onValue: (property: string, value: DriverValue) => void,
    signal: AbortSignal,
  ): Promise<{ readonly properties: readonly string[]; end(): Promise<void> }> {
    return await this.#while(signal, async (inner) => {
      const properties: string[] = [];
      const begun = new Map<string, () => Promise<void>>();
      const end = async (): Promise<void> => {
        for (const stop of begun.values()) await stop();
      };
      try {
        for (const visit of visits) {
          if (!visit.visitor.notify) continue;
          const characteristic = this.#findQuietly(visit);
          if (characteristic === undefined) continue;
          const own = visits.filter(
            (other) => other.visitor.notify && this.#findQuietly(other)?.path === characteristic.path,
          );
          if (begun.has(characteristic.path)) continue;
          const stop = await this.#notify(characteristic, own, onValue, inner);
          if (stop === undefined) continue;
          begun.set(characteristic.path, stop);
          properties.push(...own.map(({ property }) => property));
        }
      } catch (error) {
        await end();
        throw error;
      }
      return { properties, end };
    });
  }

  onLost(listener: (reason: Error) => void): void {
    const { reason } = this.#ended.signal as { reason: unknown };
    if (reason instanceof ConnectionLost) listener(reason);
    else this.#listeners.push(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * A device is disconnected by the last of us, also where somebody else has connected it: a mapper before us, which was
   * killed, would keep it from saving power for ever.
   */
  async #close(): Promise<void> {
    const { lease, path } = this.#device;
    const { session } = lease;
    this.#end(new Error('the connection was closed'));
    const isLast = this.#letGo();
    if (isLast && session.lostReason === undefined && session.objects.device(path)?.isConnected === true)
      await disconnectDevice(session, path);
    await lease.release();
  }

  #result(visit: BluetoothVisit, readings: ReadonlyMap<string, Reading>): VisitResult {
    try {
      const { path } = this.#gatt.find(visit.visitor);
      const bytes = readings.get(path)?.() ?? new PropertyError('the device has changed its services');
      if (bytes instanceof Error) throw bytes;
      return { value: this.#codec(visit).decode(bytes) };
    } catch (error) {
      if (error instanceof PropertyError) return { error };
      throw error;
    }
  }

  /** @throws where the device is away */
  async #reading(characteristic: CharacteristicState, signal: AbortSignal): Promise<Reading> {
    const { flags, path, uuid } = characteristic;
    const said = (): Uint8Array | undefined => this.#said.get(path);
    if (!flags.has('read') && (flags.has('notify') || flags.has('indicate')))
      return () => said() ?? new PropertyError(`${uuid} has not said anything yet, and cannot be read`);
    let before: Uint8Array | undefined;
    try {
      const bytes = await this.#gatt.read(characteristic, signal, () => (before = said()));
      return () => {
        const now = said();
        return now === undefined || now === before ? bytes : now;
      };
    } catch (error) {
      if (error instanceof PropertyError) return () => error;
      throw error;
    }
  }

  #codec(visit: BluetoothVisit): Codec {
    let codec = this.#codecs.get(visit);
    if (codec === undefined) this.#codecs.set(visit, (codec = new Codec(visit)));
    return codec;
  }

  /** Where there is none, reading says so. */
  #findQuietly(visit: BluetoothVisit): CharacteristicState | undefined {
    try {
      return this.#gatt.find(visit.visitor);
    } catch {
      return undefined;
    }
  }

  /**
   * Values are read where they are said: what cannot be understood is left to a reading to tell.
   * @returns ends it; undefined: it does not say anything by itself, and is polled
   */
  async #notify(
    characteristic: CharacteristicState,
    visits: readonly BluetoothVisit[],
    onValue: (property: string, value: DriverValue) => void,
    signal: AbortSignal,
  ): Promise<(() => Promise<void>) | undefined> {
    const { path } = characteristic;
    const unlisten = this.#device.lease.session.objects.listen(path, (bytes) => {
      this.#said.set(path, bytes);
      for (const visit of visits) {
        let value: DriverValue;
        try {
          value = this.#codec(visit).decode(bytes);
        } catch (error) {
          const reason = (error as Error).message;
          this.#context.log.debug({ property: visit.property, reason }, 'what the device says is no value');
          continue;
        }
        onValue(visit.property, value);
      }
    });
    this.#undo.add(unlisten);
    const quiet = (): void => {
      unlisten();
      this.#undo.delete(unlisten);
      this.#said.delete(path);
    };
    try {
      await this.#gatt.startNotify(characteristic, signal);
    } catch (error) {
      quiet();
      if (!(error instanceof PropertyError)) throw error;
      const properties = visits.map(({ property }) => property);
      this.#context.log.warn({ properties, reason: error.message }, 'polled: no notifications');
      return undefined;
    }
    return async () => {
      quiet();
      await this.#gatt.stopNotify(characteristic);
    };
  }

  /** Runs with a signal that aborts with the caller's, and when the connection ends. */
  async #while<T>(signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const inner = new AbortController();
    const ended = this.#ended.signal;
    const sources = [signal, ended];
    const onAbort = (): void => inner.abort(sources.find(({ aborted }) => aborted)?.reason);
    for (const source of sources) source.addEventListener('abort', onAbort, { once: true });
    try {
      if (sources.some(({ aborted }) => aborted)) onAbort();
      inner.signal.throwIfAborted();
      return await run(inner.signal);
    } catch (error) {
      if (inner.signal.aborted) throw inner.signal.reason;
      if (!saysGone(error)) throw error;
      this.#lose((error as Error).message);
      throw this.#ended.signal.reason;
    } finally {
      for (const source of sources) source.removeEventListener('abort', onAbort);
    }
  }

  #look(path: string): void {
    const { lease, adapter } = this.#device;
    if (path !== this.#device.path && path !== adapterPath(adapter)) return;
    const { objects } = lease.session;
    const { trouble } = lease.session.adapter(adapter);
    const device = objects.device(this.#device.path);
    if (trouble !== undefined) this.#lose(trouble);
    else if (device === undefined) this.#lose('the device has gone away');
    else if (!device.isConnected) this.#lose(`${device.address} has ended the connection`);
  }

  #lose(message: string): void {
    if (this.#ended.signal.aborted) return;
    const reason = new ConnectionLost(message);
    this.#end(reason);
    for (const listener of this.#listeners) listener(reason);
  }

  #end(reason: Error): void {
    for (const undo of this.#undo) undo();
    this.#undo.clear();
    this.#ended.abort(reason);
  }
}
