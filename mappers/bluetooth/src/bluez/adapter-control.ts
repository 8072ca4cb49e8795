import { deferred, type Deferred } from '@hawser/seams';
import type { DriverContext } from '@hawser/mapper-sdk';
import { dbusLibrary } from '../dbus/dbus-library.ts';
import { ADAPTER, adapterPath } from './bluez-names.ts';
import type { BluezSession } from './bluez-session.ts';
import type { DeviceState } from './bluez-objects.ts';
import { explained, failureOf } from './bluez-failures.ts';

/** How long BlueZ may take to begin or to end a scan. */
const SCAN_CALL_MS = 5_000;

/** What is looked for, for messages, and how it is known. */
export interface Wanted {
  readonly what: string;
  matches(device: DeviceState): boolean;
}

interface Waiting {
  readonly wanted: Wanted;
  readonly found: Deferred<string>;
}

/**
 * One adapter: who looks for devices shares one scan, which is on for as long as somebody looks; connections are made one at
 * a time, and without a scan, since most controllers can do only one of the two (le-connection-abort-by-local).
 */
export class AdapterControl {
  readonly #name: string;
  readonly #path: string;
  readonly #session: BluezSession;
  readonly #context: DriverContext;
  readonly #waiting = new Set<Waiting>();
  #isScanning = false;
  #isSteering = false;
  #steered: Promise<void> = Promise.resolve();
  #connecting = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(name: string, session: BluezSession, context: DriverContext) {
    this.#name = name;
    this.#path = adapterPath(name);
    this.#session = session;
    this.#context = context;
    session.objects.watch((path) => this.#changed(path));
  }

  get path(): string {
    return this.#path;
  }

  /** Why it cannot be used; undefined: it can. */
  get trouble(): string | undefined {
    const { objects } = this.#session;
    const adapter = objects.adapter(this.#path);
    if (adapter?.powered === true) return undefined;
    if (adapter !== undefined)
      return `the adapter ${this.#name} is switched off: \`rfkill unblock bluetooth\`, then \`bluetoothctl power on\``;
    const others = objects.adapterNames();
    const those = others.length === 0 ? 'and no other' : `but ${others.join(', ')}: see \`adapter\``;
    return `there is no Bluetooth adapter ${this.#name}, ${those}`;
  }

  /**
   * Looks for a device that can be heard, or is connected.
   * @returns its path
   * @throws Error not found, or several are; the adapter cannot be used; the reason of an aborted signal
   */
  async find(wanted: Wanted, timeoutMs: number, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (this.trouble !== undefined) throw new Error(this.trouble);
    const at = this.#heard(wanted);
    if (at !== undefined) return at;
    const waiting: Waiting = { wanted, found: deferred() };
    const timer = this.#context.clock.setTimer(timeoutMs, () => this.#giveUp(waiting, timeoutMs));
    const onAbort = (): void => waiting.found.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(waiting);
    this.#steer();
    try {
      return await waiting.found.promise;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(waiting);
      this.#steer();
    }
  }

  /** Runs one at a time, with no scan under way. @throws what `run` throws, the reason of an aborted signal */
  async inTurn<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const before = this.#turn;
    const mine = deferred();
    this.#turn = mine.promise;
    const aborted = deferred<never>();
    aborted.promise.catch(() => {}); // raced below
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) throw signal.reason;
      await Promise.race([before, aborted.promise]);
      this.#connecting += 1;
      try {
        this.#steer();
        await this.#steered;
        signal.throwIfAborted();
        return await run();
      } finally {
        this.#connecting -= 1;
        this.#steer();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      // Who gives up waiting lets the next one wait for whoever is before.
      void before.then(() => mine.resolve());
    }
  }

  /** The session has ended. */
  end(reason: Error): void {
    this.#isScanning = false;
    for (const { found } of this.#waiting) found.reject(reason);
  }

  #changed(path: string): void {
    if (path === this.#path && this.trouble !== undefined) {
      this.#isScanning = false;
      for (const { found } of this.#waiting) found.reject(new Error(this.trouble));
      return;
    }
    if (!path.startsWith(`${this.#path}/`)) return;
    for (const { wanted, found } of this.#waiting) {
      try {
        const at = this.#heard(wanted);
        if (at !== undefined) found.resolve(at);
      } catch (error) {
        found.reject(error);
      }
    }
  }

  /** @throws Error several are heard */
  #heard(wanted: Wanted): string | undefined {
    const all = [...this.#session.objects.devices(this.#path)].filter(
      (device) => (device.isHeard || device.isConnected) && wanted.matches(device),
    );
    return this.#only(all, wanted)?.path;
  }

  #only(devices: readonly DeviceState[], { what }: Wanted): DeviceState | undefined {
    if (devices.length < 2) return devices[0];
    const addresses = devices.map(({ address }) => address).join(', ');
    throw new Error(`${devices.length} devices are ${what}: ${addresses}. Say which with \`macAddress\``);
  }

  /** A device that somebody paired may be there without being heard: it is tried all the same. */
  #giveUp({ wanted, found }: Waiting, timeoutMs: number): void {
    const all = [...this.#session.objects.devices(this.#path)].filter((device) => wanted.matches(device));
    try {
      const known = this.#only(
        all.filter(({ isKnown }) => isKnown),
        wanted,
      );
      if (known !== undefined) {
        found.resolve(known.path);
        return;
      }
    } catch (error) {
      found.reject(error);
      return;
    }
    const before = all.length > 0 ? ' It was there before.' : '';
    found.reject(
      new Error(
        `no device that is ${wanted.what} was heard by ${this.#name} within ${timeoutMs} ms.${before} ` +
          'See that it is switched on, near, and not connected with something else',
      ),
    );
  }

  /** Begins or ends the scan, one call at a time, until it is as it shall be. */
  #steer(): void {
    if (this.#isSteering) return;
    this.#isSteering = true;
    this.#steered = this.#steerOn();
  }

  async #steerOn(): Promise<void> {
    try {
      while (this.#session.lostReason === undefined && this.trouble === undefined) {
        const shallScan = this.#waiting.size > 0 && this.#connecting === 0;
        if (shallScan === this.#isScanning) return;
        await (shallScan ? this.#startScan() : this.#stopScan());
      }
    } finally {
      // In the same step as the last look: whoever changes something behind it begins anew.
      this.#isSteering = false;
    }
  }

  async #startScan(): Promise<void> {
    const { Variant } = dbusLibrary();
    try {
      await this.#call('SetDiscoveryFilter', 'a{sv}', [{ Transport: new Variant('s', 'le') }]);
      await this.#call('StartDiscovery');
    } catch (error) {
      // InProgress: there is a scan of ours already.
      if (failureOf(error) !== 'InProgress') {
        const reason = explained(`${this.#name} cannot scan`, error);
        for (const waiting of [...this.#waiting]) {
          waiting.found.reject(reason);
          this.#waiting.delete(waiting);
        }
        return;
      }
    }
    this.#isScanning = true;
  }

  async #stopScan(): Promise<void> {
    this.#isScanning = false;
    try {
      await this.#call('StopDiscovery');
    } catch (error) {
      // It has ended by itself, or goes on: BlueZ ends it when we go.
      const reason = (error as Error).message;
      this.#context.log.debug({ adapter: this.#name, reason }, 'a scan does not end in good order');
    }
  }

  #call(member: string, signature = '', body: readonly unknown[] = []): Promise<unknown[]> {
    const call = { path: this.#path, interface: ADAPTER, member, signature, body };
    return this.#session.call(call, { timeoutMs: SCAN_CALL_MS });
  }
}
