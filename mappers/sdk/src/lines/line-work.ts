import { checkValue, formatValue, parseValue, type MapperCommandResult } from '@hawser/devices';
import type { Setting } from '../devices/device-settings.ts';
import type { ServedDevice } from '../devices/served-device.ts';
import { PropertyError, type Visit } from '../driver.ts';
import { messageOf } from '../errors.ts';
import type { LineContext } from './line.ts';
import { isLost, type OpenConnection, type Subscription } from './open-connection.ts';

/** Something to be done with the connection. @returns whether the device has answered */
export type Job = (connection: OpenConnection, signal: AbortSignal) => Promise<boolean>;

/** A reading that somebody asked for. */
export interface ReadNow {
  readonly device: string;
  /** undefined: all. */
  readonly properties: readonly string[] | undefined;
  resolve(result: Omit<MapperCommandResult, 'id'>): void;
  reject(reason: Error): void;
}

/** Readings that wait, for one connection. */
const REQUESTS_MAX = 100;
/** Writes and requests in a row, after which a reading that is due gets its turn. */
const STREAK_MAX = 8;
/** Timers are early by less than this, milliseconds. */
const SLACK_MS = 1;

/**
 * What a connection is to do next: first ends of subscriptions, then writes, then readings that somebody asked for, then
 * those that are due, the one that waits longest first. A device that does not answer is left alone until its back-off
 * is over; the others go on.
 */
export class LineWork {
  readonly devices = new Map<string, ServedDevice>();
  readonly #context: LineContext;
  readonly #requests: ReadNow[] = [];
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #ending: Subscription[] = [];
  /** Devices of which nothing was read since they came, or the connection was opened, or they were away. */
  readonly #new = new Set<ServedDevice>();
  #streak = 0;

  constructor(context: LineContext) {
    this.#context = context;
  }

  add(device: ServedDevice): void {
    this.#leave(device.id);
    this.devices.set(device.id, device);
    this.#new.add(device);
    device.begin();
  }

  remove(id: string): void {
    this.#leave(id);
    this.devices.delete(id);
  }

  isNew(device: ServedDevice): boolean {
    return this.#new.has(device);
  }

  ask(request: ReadNow): void {
    if (this.#requests.length < REQUESTS_MAX) this.#requests.push(request);
    else request.reject(new Error(`${REQUESTS_MAX} readings wait already`));
  }

  rejectAll(reason: Error): void {
    for (const request of this.#requests.splice(0)) request.reject(reason);
  }

  /** The connection is a new one: what was subscribed ended with the last, and everything is read at once. */
  begin(): void {
    this.#subscriptions.clear();
    this.#ending.length = 0;
    for (const device of this.devices.values()) {
      this.#new.add(device);
      device.begin();
    }
  }

  /** When there is something to do next, monotonic. */
  nextDueMs(): number {
    let next = Infinity;
    for (const device of this.devices.values()) {
      const dueMs = this.#mayWrite(device) ? Math.min(device.dueMs, device.settings.nextDueMs) : device.dueMs;
      if (dueMs < next) next = dueMs;
    }
    return next;
  }

  next(nowMs: number): Job | undefined {
    const ending = this.#ending.shift();
    if (ending !== undefined) return (connection, signal) => this.#end(connection, ending, signal);
    const overdue = this.#mostOverdue(nowMs + SLACK_MS);
    if (overdue === undefined || this.#streak < STREAK_MAX) {
      const urgent = this.#nextWrite(nowMs) ?? this.#nextRequest();
      if (urgent !== undefined) {
        this.#streak += 1;
        return urgent;
      }
    }
    this.#streak = 0;
    return overdue && ((connection, signal) => this.#poll(connection, overdue, nowMs + SLACK_MS, signal));
  }

  #mostOverdue(nowMs: number): ServedDevice | undefined {
    let found: ServedDevice | undefined;
    let foundMs = nowMs;
    for (const device of this.devices.values()) {
      const { dueMs } = device;
      if (dueMs > foundMs || (dueMs === foundMs && found !== undefined)) continue;
      found = device;
      foundMs = dueMs;
    }
    return found;
  }

  #nextWrite(nowMs: number): Job | undefined {
    for (const device of this.devices.values()) {
      if (!this.#mayWrite(device)) continue;
      const setting = device.settings.next(nowMs);
      if (setting === undefined) continue;
      return (connection, signal) =>
        this.#write(connection, device, setting, signal).finally(() => device.speak());
    }
    return undefined;
  }

  /** A device that is new, or does not answer, is read first: in its turn, or when its back-off is over. */
  #mayWrite(device: ServedDevice): boolean {
    return device.dueMs === Infinity || !(device.isAway || this.#new.has(device));
  }

  #nextRequest(): Job | undefined {
    const request = this.#requests.shift();
    return request && ((connection, signal) => this.#readNow(connection, request, signal));
  }

  async #end(connection: OpenConnection, subscription: Subscription, signal: AbortSignal): Promise<boolean> {
    try {
      await connection.end(subscription, signal);
    } catch (error) {
      if (isLost(error)) throw error;
      this.#context.log.debug({ reason: messageOf(error) }, 'a subscription does not end in good order');
    }
    return false;
  }

  async #poll(
    connection: OpenConnection,
    device: ServedDevice,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      if (this.#new.has(device)) {
        await this.#subscribe(connection, device, signal);
        // What it says by itself is read once as well: nothing may come for a long time.
        device.takeDue(nowMs);
        await this.#read(connection, device, device.everything(), signal);
        this.#new.delete(device);
        return true;
      }
      const batch = device.takeDue(nowMs);
      if (batch !== undefined) await this.#read(connection, device, batch, signal);
      return batch !== undefined;
    } catch (error) {
      return this.#failed(device, error, signal);
    }
  }

  async #subscribe(connection: OpenConnection, device: ServedDevice, signal: AbortSignal): Promise<void> {
    if (!connection.canSubscribe || this.#subscriptions.has(device.id)) return;
    const { address, visits } = device;
    const isServed = (): boolean => this.devices.get(device.id) === device;
    const onValue: Parameters<OpenConnection['subscribe']>[2] = (property, value) => {
      if (isServed()) device.said(property, value);
    };
    const subscription = await connection.subscribe(address, visits, onValue, signal);
    if (isServed()) this.#subscriptions.set(device.id, subscription);
    else this.#ending.push(subscription);
    device.begin(subscription.properties);
  }

  async #read(
    connection: OpenConnection,
    device: ServedDevice,
    { indices, visits }: { readonly indices: readonly number[]; readonly visits: readonly Visit[] },
    signal: AbortSignal,
  ): Promise<void> {
    const { stats, clock } = this.#context;
    const beganMs = clock.monotonicMs();
    const since = device.sayings;
    const results = visits.length === 0 ? [] : await connection.read(device.address, visits, signal);
    stats.polls += 1;
    stats.pollMs += clock.monotonicMs() - beganMs;
    // Its device may have become another one meanwhile, or none.
    if (this.devices.get(device.id) === device) device.answered(indices, results, since);
  }

  async #readNow(connection: OpenConnection, request: ReadNow, signal: AbortSignal): Promise<boolean> {
    const device = this.devices.get(request.device);
    if (device === undefined) {
      request.reject(new Error('there is no such device'));
      return false;
    }
    const unknown = request.properties?.filter((property) => device.indexOf(property) === undefined) ?? [];
    if (unknown.length > 0) {
      request.reject(new Error(`no such property: ${unknown.join(', ')}`));
      return false;
    }
    const indices =
      request.properties?.flatMap((property) => device.indexOf(property) ?? []) ??
      device.everything().indices;
    const visits = indices.flatMap((index) => device.visits.slice(index, index + 1));
    const since = device.sayings;
    try {
      const results = await connection.read(device.address, visits, signal);
      device.answered(indices, results, since);
      const errors = results.flatMap((result, at) =>
        'error' in result ? [`${visits[at]?.property ?? ''}: ${result.error.message}`] : [],
      );
      const values = visits.flatMap(({ property }, at) => {
        const result = results[at];
        const text = result !== undefined && 'value' in result ? device.textOf(property) : undefined;
        return text === undefined ? [] : [[property, text] as const];
      });
      request.resolve({
        ok: errors.length === 0,
        ...(errors.length > 0 && { message: errors.join('; ') }),
        values: Object.fromEntries(values),
      });
      return true;
    } catch (error) {
      request.reject(error as Error);
      return this.#failed(device, error, signal);
    }
  }

  async #write(
    connection: OpenConnection,
    device: ServedDevice,
    setting: Setting,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { stats, clock, log } = this.#context;
    const { settings } = device;
    const index = device.indexOf(setting.property);
    const visit = index === undefined ? undefined : device.visits[index];
    const bound = index === undefined ? undefined : device.bound.properties[index];
    if (visit === undefined || bound === undefined || index === undefined) {
      settings.settle(setting, false, 'the device has no such property');
      return false;
    }
    let wanted: string;
    try {
      wanted = checkValue(bound, setting.value);
    } catch (error) {
      settings.settle(setting, false, messageOf(error));
      return false;
    }
    try {
      if (setting.compareFirst && (await this.#readsAs(connection, device, index, visit, wanted, signal))) {
        settings.settle(setting, true);
        return true;
      }
      // Another one may have come while it was read.
      if (!settings.isCurrent(setting)) return true;
      stats.writes += 1;
      await connection.write(device.address, visit, parseValue(visit.type, wanted), signal);
      log.debug({ device: device.id, property: setting.property }, 'written');
    } catch (error) {
      stats.writeFailures += 1;
      settings.failed(setting, messageOf(error), clock.monotonicMs());
      if (isLost(error) || signal.aborted) throw error;
      return error instanceof PropertyError;
    }
    return this.#readBack(connection, device, setting, index, visit, wanted, signal);
  }

  async #readBack(
    connection: OpenConnection,
    device: ServedDevice,
    setting: Setting,
    index: number,
    visit: Visit,
    wanted: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { settings } = device;
    try {
      const same = await this.#readsAs(connection, device, index, visit, wanted, signal);
      const text = device.textOf(setting.property);
      settings.settle(setting, true, same ? undefined : `written; the device reads ${text ?? 'nothing'}`);
      return true;
    } catch (error) {
      settings.settle(setting, true, `written; it could not be read back: ${messageOf(error)}`);
      return this.#failed(device, error, signal);
    }
  }

  /** Reads one property. @returns whether it has the value */
  async #readsAs(
    connection: OpenConnection,
    device: ServedDevice,
    index: number,
    visit: Visit,
    wanted: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const since = device.sayings;
    const results = await connection.read(device.address, [visit], signal);
    device.answered([index], results, since);
    const [result] = results;
    if (result === undefined || 'error' in result) return false;
    return sameText(visit, device.textOf(visit.property), wanted);
  }

  #failed(device: ServedDevice, error: unknown, signal: AbortSignal): false {
    if (signal.aborted) throw error;
    this.#context.stats.pollFailures += 1;
    if (this.devices.get(device.id) === device) {
      device.failed(error);
      this.#new.add(device);
      // What a device says by itself has ended when it went away, and is subscribed anew.
      this.#forgetSubscription(device.id);
    }
    if (isLost(error)) throw error;
    return false;
  }

  #leave(id: string): void {
    const device = this.devices.get(id);
    if (device !== undefined) this.#new.delete(device);
    this.#forgetSubscription(id);
  }

  #forgetSubscription(id: string): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#ending.push(subscription);
  }
}

/** FLOAT has 32 bits in most devices: what was written as 20.1 reads as the nearest of those. */
function sameText({ type }: Visit, text: string | undefined, wanted: string): boolean {
  if (text === wanted) return true;
  if (text === undefined || (type !== 'FLOAT' && type !== 'DOUBLE')) return false;
  return (
    formatValue('FLOAT', Math.fround(Number(text))) === formatValue('FLOAT', Math.fround(Number(wanted)))
  );
}
