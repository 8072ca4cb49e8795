import { randomUUID } from 'node:crypto';
import { DeviceError, type DeviceState, type Problem } from '@hawser/devices';
import type { Clock, Logger } from '@hawser/seams';
import type { UpstreamOutcome } from '@hawser/sync';
import type { DeviceDirectory, DirectoryEntry } from '../devices/device-directory.ts';
import type { JsonState } from '../state/json-state.ts';
import type { StateStore } from '../store/state-store.ts';
import { isAskedAgain, type DeviceReports } from './device-reports.ts';
import { ReportTurns } from './report-turns.ts';
import { SettingStore } from './setting-store.ts';
import { SettingTeller } from './setting-teller.ts';
import { Twin, type Now, type SupersededSetting, type TwinEffect } from './twin.ts';
import type { DeviceSettings } from './twin-settings.ts';
import type { TwinSnapshot } from './twin-snapshot.ts';
import { TwinSnapshots, type SnapshotCounters } from './twin-snapshots.ts';
import type { DeviceView, TwinChange, Twins } from './twins.ts';

/** What a {@link TwinManager} needs. */
export interface TwinManagerOptions {
  /** Started before. */
  readonly directory: DeviceDirectory;
  readonly reports: DeviceReports;
  /** Where settings are. */
  readonly state: JsonState;
  /** Where snapshots are. */
  readonly snapshots: StateStore;
  /** Whether the directory may lack devices that nobody took away. */
  readonly mayLack: () => boolean;
  /** The cloud has overridden what was set here. */
  readonly onSuperseded: (entry: DirectoryEntry, superseded: SupersededSetting) => void;
  /** Reports of all devices in a second. */
  readonly reportsPerSecond: number;
  /** Least time between two snapshots of a device, milliseconds. */
  readonly persistPeriodMs: number;
  /** Makes the id of a setting. Default: a UUID. */
  readonly makeId?: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What was done since the start; for metrics. */
export interface TwinCounters extends SnapshotCounters {
  /** Values that mappers reported, and those that were refused. */
  readonly values: number;
  readonly refusedValues: number;
  /** Reports sent, and those of them that the cloud took, or asked for again. */
  readonly reportsSent: number;
  readonly reportsTaken: number;
  readonly reportsRetried: number;
  /** Changes that had no report of their own. */
  readonly coalesced: number;
  /** Reports that waited for their turn. */
  readonly paced: number;
  readonly settingsMade: number;
  readonly settingsSuperseded: number;
}

interface Device {
  twin: Twin;
  /** A report is in the outbox. */
  outstanding: boolean;
  /** Changes since the last report. */
  changes: number;
  readonly teller: SettingTeller;
  /** Writes of settings, one after the other. */
  writes: Promise<void>;
  waitingWrites: number;
}

/** Sets of one device that may wait for the disk. */
const MAX_WAITING_WRITES = 64;
/** What the disk refused of settings is written again after this, milliseconds. */
const RETRY_MS = 10_000;

/**
 * The twins of this node. Level-triggered: what a step changes is looked at as it is then. In memory is what mappers
 * report; on disk what was set here (before it is in force), and what of reports the cloud has not taken for a while.
 */
export class TwinManager implements Twins {
  readonly #options: TwinManagerOptions;
  readonly #devices = new Map<string, Device>();
  readonly #listeners = new Set<(change: TwinChange) => void>();
  readonly #turns: ReportTurns;
  readonly #snapshots: TwinSnapshots;
  readonly #settings: SettingStore;
  /** What the disk had of devices that have not shown themselves yet. */
  readonly #kept = {
    settings: new Map<string, DeviceSettings>(),
    snapshots: new Map<string, TwinSnapshot>(),
  };
  readonly #silent = new Set<string>();
  #connected = false;
  #ending: (() => void) | undefined;
  #stopped = false;
  #counters = {
    ...{ values: 0, refusedValues: 0, reportsSent: 0, reportsTaken: 0, reportsRetried: 0, coalesced: 0 },
    ...{ settingsMade: 0, settingsSuperseded: 0 },
  };

  constructor(options: TwinManagerOptions) {
    const { clock, log, reportsPerSecond, persistPeriodMs, snapshots, state } = options;
    this.#options = options;
    this.#turns = new ReportTurns({
      dueMs: (id) => this.#dueMs(id),
      speak: (id) => this.#speak(id),
      perSecond: reportsPerSecond,
      clock,
    });
    this.#snapshots = new TwinSnapshots({
      state: snapshots,
      snapshotOf: (id) => this.#devices.get(id)?.twin.snapshot(),
      periodMs: persistPeriodMs,
      ...{ clock, log },
    });
    this.#settings = new SettingStore(state);
  }

  /** Reads what the disk has, and follows the directory. Called once. */
  async start(): Promise<void> {
    const { directory, log } = this.#options;
    const { settings, damaged } = await this.#settings.load();
    for (const id of damaged) {
      log.error({ device: id }, 'what was set at this node cannot be read any more, and is not in force');
      await this.#settings.write(id, undefined).catch(() => {}); // it is passed over again after the next start
    }
    for (const [id, kept] of settings) this.#kept.settings.set(id, kept);
    for (const [id, snapshot] of this.#snapshots.load()) this.#kept.snapshots.set(id, snapshot);
    this.#ending = directory.listen((id, entry) => this.#follow(id, entry));
    for (const entry of directory.list()) this.#follow(entry.id, entry);
    this.whole();
  }

  /** Makes durable what the cloud has not taken. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ending?.();
    for (const { teller } of this.#devices.values()) teller.stop();
    this.setConnected(false);
    this.#turns.stop();
    await this.#snapshots.finish();
    await Promise.all([...this.#devices.values()].map(({ writes }) => writes));
  }

  /** The directory may have all that there is: forgets what the disk has of devices that are gone. */
  whole(): void {
    if (this.#options.mayLack()) return;
    const isGone = (id: string): boolean => {
      const [namespace = '', name = ''] = id.split('/');
      return !this.#devices.has(id) && !this.#options.directory.has(namespace, name);
    };
    for (const id of this.#settings.ids().filter(isGone)) {
      this.#kept.settings.delete(id);
      void this.#writeSettings(id);
    }
    for (const id of [...this.#kept.snapshots.keys()].filter(isGone)) {
      this.#kept.snapshots.delete(id);
      this.#snapshots.forget(id);
    }
  }

  counters(): TwinCounters {
    return { ...this.#counters, ...this.#snapshots.counters(), paced: this.#turns.paced };
  }

  /** Gauges: devices, twins, settings that wait for the cloud, snapshots on disk, devices that wait for their turn. */
  amounts(): Readonly<Record<'devices' | 'twins' | 'settings' | 'snapshots' | 'due', number>> {
    let twins = 0;
    let settings = 0;
    for (const { twin } of this.#devices.values()) {
      twins += twin.size;
      settings += twin.settingsToTell().length;
    }
    const { kept: snapshots } = this.#snapshots;
    return { devices: this.#devices.size, twins, settings, snapshots, due: this.#turns.waiting };
  }

  // ── the session with the hub ─────────────────────────────────────────────────────────────────────────────────

  /** The hub may be told things, or not any more. */
  setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (connected) {
      for (const [id, device] of this.#devices) {
        this.#snapshots.postpone(id);
        this.#turns.look(id);
        device.teller.tell();
      }
    } else {
      for (const [id, device] of this.#devices) this.#cutOff(id, device);
    }
    this.#turns.setOpen(connected);
  }

  /** The cloud may not have what it was told: each device is said once more. */
  repeat(): void {
    for (const [id, device] of this.#devices) {
      device.twin.sayAgain();
      device.teller.tellAll();
      this.#touch(id, device);
    }
  }

  // ── Twins ────────────────────────────────────────────────────────────────────────────────────────────────────

  view(namespace: string, name: string): DeviceView | undefined {
    return this.#devices.get(`${namespace}/${name}`)?.twin.view();
  }

  views(): readonly DeviceView[] {
    return [...this.#devices.values()].map(({ twin }) => twin.view());
  }

  report(
    namespace: string,
    name: string,
    values: Readonly<Record<string, string>>,
    atMs = this.#options.clock.wallMs(),
  ): Readonly<Record<string, string>> {
    const [id, device] = this.#present(namespace, name);
    const { effect, refused } = device.twin.report(values, atMs, this.#now());
    const count = Object.keys(refused).length;
    this.#counters.values += Object.keys(values).length;
    this.#counters.refusedValues += count;
    this.#apply(id, device, effect);
    return refused;
  }

  reportState(namespace: string, name: string, state: DeviceState): void {
    const [id, device] = this.#present(namespace, name);
    this.#apply(id, device, device.twin.reportState(state, this.#now()));
  }

  settle(
    namespace: string,
    name: string,
    results: Readonly<Record<string, { version: string; ok: boolean; message?: string }>>,
  ): void {
    const [id, device] = this.#present(namespace, name);
    this.#apply(id, device, device.twin.settle(results, this.#now()));
  }

  refuse(namespace: string, name: string, problems: readonly Problem[]): void {
    const [id, device] = this.#present(namespace, name);
    this.#apply(id, device, device.twin.refuse(problems, this.#now()));
  }

  /** @throws also DeviceError `ERR_DEVICES_BUSY`, and what the disk says: then nothing was set for sure */
  async set(namespace: string, name: string, values: Readonly<Record<string, string>>): Promise<void> {
    const [id, device] = this.#present(namespace, name);
    if (device.waitingWrites >= MAX_WAITING_WRITES)
      throw new DeviceError('ERR_DEVICES_BUSY', `${id}: ${MAX_WAITING_WRITES} settings wait for the disk`);
    await this.#inTurn(device, async () => {
      const { twin } = device;
      const proposal = twin.propose(values, this.#options.makeId ?? randomUUID, this.#now());
      await this.#settings.write(id, proposal.kept);
      if (this.#devices.get(id) !== device) throw unknownDevice(id);
      this.#counters.settingsMade += Object.keys(proposal.set).length;
      const effect = twin.adopt(proposal, this.#now());
      this.#apply(id, device, { ...effect, settings: false });
      // The cloud has taken one meanwhile that this was made over: only what is so now is right after a power cut.
      if (effect.settings) await this.#rewrite(id, twin);
      device.teller.tell();
    });
  }

  listen(listener: (change: TwinChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the mapper of a device is to write, by property. */
  expected(id: string): ReturnType<Twin['expected']> | undefined {
    return this.#devices.get(id)?.twin.expected();
  }

  /** The mapper of a protocol says nothing any more, or speaks again. */
  setSilent(protocol: string, silent: boolean): void {
    if (silent) this.#silent.add(protocol);
    else this.#silent.delete(protocol);
    for (const [id, device] of this.#ofProtocol(protocol))
      this.#apply(id, device, device.twin.setSilent(silent));
  }

  /** A mapper has begun anew: what it said of states before is not known to be so. */
  forgetStates(protocol: string): void {
    for (const [id, device] of this.#ofProtocol(protocol)) this.#apply(id, device, device.twin.forgetState());
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────

  #ofProtocol(protocol: string): readonly (readonly [string, Device])[] {
    return [...this.#devices].filter(([, { twin }]) => twin.entry.device?.protocol === protocol);
  }

  #present(namespace: string, name: string): readonly [string, Device] {
    const id = `${namespace}/${name}`;
    const device = this.#devices.get(id);
    if (device === undefined) throw unknownDevice(id);
    return [id, device];
  }

  #follow(id: string, entry: DirectoryEntry | undefined): void {
    const present = this.#devices.get(id);
    if (entry === undefined) {
      if (present !== undefined) this.#forget(id, present);
      else this.whole();
    } else if (present === undefined) this.#begin(id, entry);
    else this.#apply(id, present, present.twin.bind(entry, this.#now()));
  }

  #begin(id: string, entry: DirectoryEntry): void {
    const { reports, clock } = this.#options;
    const twin = new Twin(entry, this.#now());
    const device: Device = {
      ...{ twin, outstanding: false, changes: 0 },
      teller: new SettingTeller(twin, { reports, clock }),
      ...{ writes: Promise.resolve(), waitingWrites: 0 },
    };
    this.#devices.set(id, device);
    const settings = this.#kept.settings.get(id);
    const snapshot = this.#kept.snapshots.get(id);
    this.#kept.settings.delete(id);
    this.#kept.snapshots.delete(id);
    if (snapshot?.uid === entry.uid) twin.restore(snapshot);
    else if (snapshot !== undefined) this.#snapshots.taken(id);
    if (this.#silent.has(entry.device?.protocol ?? '')) twin.setSilent(true);
    const effect = settings?.uid === entry.uid ? twin.restoreSettings(settings, this.#now()) : undefined;
    if (settings !== undefined && settings.uid !== entry.uid) void this.#writeSettings(id);
    if (effect !== undefined) this.#apply(id, device, effect);
    this.#tell({ namespace: entry.namespace, name: entry.name, properties: [] });
    this.#turns.look(id);
    device.teller.tell();
  }

  #forget(id: string, device: Device): void {
    const { twin } = device;
    this.#devices.delete(id);
    this.#turns.leave(id);
    this.#snapshots.forget(id);
    const { about } = twin;
    this.#options.reports.withdraw('device', about);
    device.teller.stop();
    void device.writes.then(() => this.#writeSettings(id));
    this.#tell({ namespace: about.namespace, name: about.name, properties: [] });
  }

  #apply(id: string, device: Device, effect: TwinEffect): void {
    const { properties, condition, superseded, settings } = effect;
    const { namespace, name } = device.twin.entry;
    for (const each of superseded) {
      this.#counters.settingsSuperseded += 1;
      // What the cloud has answered it has told of itself.
      if (!device.teller.hasAnswered(each.setting.id)) this.#options.onSuperseded(device.twin.entry, each);
    }
    if (settings) {
      void this.#writeSettings(id);
      device.teller.tell();
    }
    if (properties.length > 0) this.#tell({ namespace, name, properties });
    if (condition) this.#tell({ namespace, name, properties: [] });
    if (properties.length > 0 || condition) {
      device.changes += 1;
      this.#touch(id, device);
    } else if (!device.outstanding) this.#turns.look(id); // it has answered, which is said now and then
  }

  /** There may be something to say. */
  #touch(id: string, device: Device): void {
    if (!device.outstanding) this.#turns.look(id);
    if ((device.outstanding || !this.#connected) && device.twin.hasNews) this.#snapshots.waits(id);
  }

  #dueMs(id: string): number {
    const device = this.#devices.get(id);
    return device === undefined || device.outstanding ? Infinity : device.twin.dueMs();
  }

  #speak(id: string): void {
    const device = this.#devices.get(id);
    if (device === undefined || device.outstanding) return;
    device.outstanding = true;
    const body = (): ReturnType<Twin['say']> => {
      this.#counters.reportsSent += 1;
      this.#counters.coalesced += Math.max(0, device.changes - 1);
      device.changes = 0;
      return device.twin.say(this.#now());
    };
    this.#options.reports.device(device.twin.about, body, (outcome) => this.#answered(id, device, outcome));
    this.#snapshots.waits(id);
  }

  #answered(id: string, device: Device, { status }: UpstreamOutcome): void {
    if (this.#devices.get(id) !== device || !device.outstanding) return;
    if (status === 0) this.#counters.reportsTaken += 1;
    // The outbox asks for it again.
    if (isAskedAgain(status)) {
      this.#counters.reportsRetried += 1;
      return;
    }
    // Refused for good, it would be refused again: the next change is another report.
    device.outstanding = false;
    this.#snapshots.taken(id);
    this.#turns.look(id);
  }

  /** What is on its way may not arrive. */
  #cutOff(id: string, device: Device): void {
    this.#turns.leave(id);
    if (device.outstanding) {
      device.outstanding = false;
      this.#options.reports.withdraw('device', device.twin.about);
      device.twin.sayAgain();
    }
    if (device.twin.hasNews) this.#snapshots.waits(id);
  }

  // ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes durable what is left of settings, after what is being written. Never rejects. */
  async #writeSettings(id: string): Promise<void> {
    const device = this.#devices.get(id);
    const write = (): Promise<void> => this.#settings.write(id, this.#devices.get(id)?.twin.settings);
    try {
      await (device === undefined ? write() : this.#inTurn(device, write));
    } catch (error) {
      const { clock, log } = this.#options;
      log.debug({ err: error, device: id }, 'what is left of settings could not be written; tried again');
      if (!this.#stopped) clock.setTimer(RETRY_MS, () => void this.#writeSettings(id), { background: true });
    }
  }

  /** @throws what the disk says: then it is not known to be durable, and written again */
  async #rewrite(id: string, twin: Twin): Promise<void> {
    try {
      await this.#settings.write(id, twin.settings);
    } catch (error) {
      void this.#writeSettings(id);
      throw error;
    }
  }

  async #inTurn(device: Device, write: () => Promise<void>): Promise<void> {
    device.waitingWrites += 1;
    const done = device.writes.then(write).finally(() => (device.waitingWrites -= 1));
    device.writes = done.catch(() => {}); // the caller has the rejection; the next write goes on
    await done;
  }

  #now(): Now {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  }

  #tell(change: TwinChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.log.error({ err: error }, 'a listener of the twins failed');
      }
    }
  }
}

function unknownDevice(id: string): DeviceError {
  return new DeviceError('ERR_DEVICES_UNKNOWN', `there is no device ${id} at this node`);
}
