import { checkReading, checkValue, DeviceError, type DeviceState, type Problem } from '@hawser/devices';
import type { UpstreamBodies, UpstreamSetting } from '@hawser/sync';
import type { DirectoryEntry } from '../devices/device-directory.ts';
import type { AboutDevice } from './device-reports.ts';
import { PropertyTwin, unknownProperty, type Reported } from './property-twin.ts';
import {
  edgeSetting,
  withSetting,
  type DeviceSettings,
  type EdgeSetting,
  type PropertySettings,
} from './twin-settings.ts';
import type { TwinSnapshot } from './twin-snapshot.ts';
import type { DeviceView, TwinView } from './twins.ts';

/** When something happens: monotonic for what is waited for, wall clock for what is said. Milliseconds. */
export interface Now {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** What a step has changed. */
export interface TwinEffect {
  /** Properties whose expected value, settlement or reported value is another one. */
  readonly properties: readonly string[];
  /** Whether state or problems are. */
  readonly condition: boolean;
  /** Settings made here that the cloud has overridden. */
  readonly superseded: readonly SupersededSetting[];
  /** Whether what has to be kept of settings is another one. */
  readonly settings: boolean;
}

/** A setting made here that the cloud has overridden. */
export interface SupersededSetting {
  readonly property: string;
  readonly setting: EdgeSetting;
}

/** A setting that is to be made. */
export interface ProposedSetting {
  readonly setting: EdgeSetting;
  /** Version of what is in force; undefined: nothing. */
  readonly over: string | undefined;
}

/** What setting values comes to: of each property, and what has to be kept of all. */
export interface Proposal {
  readonly set: Readonly<Record<string, ProposedSetting>>;
  readonly kept: DeviceSettings;
}

const NO_EFFECT: TwinEffect = { properties: [], condition: false, superseded: [], settings: false };
/** How long a device is not said that nothing is known of yet: its mapper may be about to speak. */
const SPEECHLESS_MS = 15_000;
/** How long the first values of a device wait for the others. */
const GATHER_MS = 1_000;
/** The time at which the device last answered is worth a report of its own no more often. */
const LAST_ONLINE_MS = 60_000;
/** Of a device that has no valid version. */
const DEFAULT_REPORT_CYCLE_MS = 1_000;
const SERVED_MESSAGE_MAX = 1_000;

type Served = NonNullable<UpstreamBodies['device']['served']>;

/**
 * The twin of one device: what shall be and what is of each property, what of it was said to the cloud, and when the rest
 * may be. Knows neither clock nor disk nor bus: each step is given its time, and answers what it has changed.
 */
export class Twin {
  readonly uid: string;
  #entry: DirectoryEntry;
  readonly #properties = new Map<string, PropertyTwin>();
  /** What was set here before a restart, while nobody knows which properties the device has: it has no valid version. */
  #parked: Readonly<Record<string, PropertySettings>> = {};
  #refused: readonly Problem[] = [];
  #state: DeviceState = 'unknown';
  /** Its mapper is gone, or hangs. */
  #silent = false;
  /** Whether its mapper has said anything of it. */
  #heard = false;
  #lastOnlineMs: number | undefined;
  /** When there is no point in waiting for more before the first report, monotonic. */
  #gatheredMs: number;
  /** What was said of state and problems, and of the time of the last answer, and when, monotonic. */
  #condition = { said: '', atMs: -Infinity };
  #lastOnline = { said: '', atMs: -Infinity };
  /** The cloud may not have what it was told. */
  #mustSay = true;

  constructor(entry: DirectoryEntry, now: Now) {
    this.uid = entry.uid;
    this.#entry = entry;
    this.#gatheredMs = now.monotonicMs + SPEECHLESS_MS;
    this.bind(entry, now);
  }

  /** Which device it is. */
  get about(): AboutDevice {
    const { namespace, name } = this.#entry;
    return { namespace, name, uid: this.uid };
  }

  get entry(): DirectoryEntry {
    return this.#entry;
  }

  /** Properties. */
  get size(): number {
    return this.#properties.size;
  }

  // ── down ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The Device or its model is another one. */
  bind(entry: DirectoryEntry, now: Now): TwinEffect {
    const isOther = entry.device !== this.#entry.device;
    const condition = isOther || JSON.stringify(entry.problems) !== JSON.stringify(this.#entry.problems);
    // What the mapper had against another version of it is settled by what it says of this one.
    if (isOther) this.#refused = [];
    this.#entry = entry;
    const properties = new Set<string>();
    const bound = new Map(entry.device?.properties.map((property) => [property.name, property]));
    let settings = false;
    for (const [name, twin] of this.#properties) {
      if (bound.has(name)) continue;
      this.#properties.delete(name);
      properties.add(name);
      if (twin.settings !== undefined) settings = true;
    }
    const versions = new Map<string, string | undefined>();
    for (const [name, property] of bound) {
      const twin = this.#properties.get(name) ?? new PropertyTwin(property);
      this.#properties.set(name, twin);
      versions.set(name, twin.expected?.version);
      twin.rebind(property);
      twin.cloud = entry.desired.get(name);
      twin.decided = entry.decided.get(name);
    }
    if (entry.device !== undefined && this.#unpark()) settings = true;
    const judged = this.#judge(bound.keys(), now);
    for (const [name, version] of versions)
      if (this.#properties.get(name)?.expected?.version !== version) properties.add(name);
    return {
      ...{ properties: [...properties], condition, superseded: judged.superseded },
      settings: settings || judged.settings,
    };
  }

  /** What has to be kept of settings; undefined: nothing. */
  get settings(): DeviceSettings | undefined {
    const settings = this.#presentSettings();
    return Object.keys(settings).length === 0 ? undefined : { uid: this.uid, settings };
  }

  /**
   * What setting values here comes to; nothing is changed before {@link adopt}.
   * @param id makes one for each
   * @throws DeviceError `ERR_DEVICES_UNKNOWN`, `ERR_DEVICES_READ_ONLY`, `ERR_DEVICES_VALUE`
   */
  propose(values: Readonly<Record<string, string>>, id: () => string, now: Now): Proposal {
    const set: Record<string, ProposedSetting> = {};
    const kept: Record<string, PropertySettings> = { ...this.#presentSettings() };
    for (const [property, text] of Object.entries(values)) {
      const twin = this.#properties.get(property);
      if (twin === undefined) throw unknownProperty(this.#entry.id, property);
      const value = checkValue(twin.bound, text);
      const timestamp = Math.max(Math.round(now.wallMs), timestampOf(twin) + 1);
      const setting = edgeSetting({ uid: this.uid, property, id: id() }, value, timestamp);
      set[property] = { setting, over: twin.expected?.version };
      kept[property] = withSetting(twin.settings, twin.cloud, setting);
    }
    return { set, kept: { uid: this.uid, settings: kept } };
  }

  /**
   * What was proposed is durable: it is in force, unless the cloud has set something else meanwhile. `settings` of the effect:
   * what has to be kept is not what was proposed.
   */
  adopt({ set, kept }: Proposal, now: Now): TwinEffect {
    const superseded: SupersededSetting[] = [];
    for (const [property, { setting, over }] of Object.entries(set)) {
      const twin = this.#properties.get(property);
      if (twin === undefined) continue;
      if (twin.expected?.version === over) twin.settings = withSetting(twin.settings, twin.cloud, setting);
      else superseded.push({ property, setting });
    }
    const properties = Object.keys(set);
    this.#judge(properties, now); // what was made over what is in force waits
    const settings = JSON.stringify(this.#presentSettings()) !== JSON.stringify(kept.settings);
    return { properties, condition: false, superseded, settings };
  }

  /** Takes what was set here before a restart. */
  restoreSettings({ settings: set }: DeviceSettings, now: Now): TwinEffect {
    const properties = Object.keys(set);
    let settings = false;
    for (const [property, kept] of Object.entries(set)) {
      const twin = this.#properties.get(property);
      if (twin !== undefined) twin.settings = kept;
      else if (this.#entry.device === undefined) this.#parked = { ...this.#parked, [property]: kept };
      else settings = true;
    }
    const judged = this.#judge(properties, now);
    return {
      ...{ properties, condition: false, superseded: judged.superseded },
      settings: settings || judged.settings,
    };
  }

  /** What the cloud is to be told of settings. */
  settingsToTell(): readonly UpstreamSetting[] {
    const told: UpstreamSetting[] = [];
    for (const [property, { settings }] of this.#properties) {
      if (settings === undefined) continue;
      const { over, told: setting } = settings;
      const { id, written } = setting;
      told.push({ property, id, ...written, ...(over !== undefined && { over: over.written }) });
    }
    return told;
  }

  /** What the mapper is to write, by property. */
  expected(): ReadonlyMap<string, { readonly value: string; readonly version: string }> {
    const expected = new Map<string, { value: string; version: string }>();
    for (const [name, { expected: found }] of this.#properties)
      if (found !== undefined) expected.set(name, { value: found.value, version: found.version });
    return expected;
  }

  /** Versions other than the present one are passed over. */
  settle(
    results: Readonly<Record<string, { version: string; ok: boolean; message?: string }>>,
    now: Now,
  ): TwinEffect {
    this.#hear(now);
    const properties = Object.entries(results)
      .filter(([name, result]) => this.#properties.get(name)?.settle({ ...result, atMs: now.wallMs }))
      .map(([name]) => name);
    return { ...NO_EFFECT, properties };
  }

  /** @returns whether there was anything: the cloud has not been told */
  #unpark(): boolean {
    const parked = Object.entries(this.#parked);
    this.#parked = {};
    for (const [property, settings] of parked) {
      const twin = this.#properties.get(property);
      if (twin !== undefined) twin.settings = settings;
    }
    return parked.length > 0;
  }

  #judge(properties: Iterable<string>, now: Now): Pick<TwinEffect, 'superseded' | 'settings'> {
    const superseded: SupersededSetting[] = [];
    let settings = false;
    for (const property of properties) {
      const verdict = this.#properties.get(property)?.judge(now.monotonicMs) ?? 'waits';
      if (verdict !== 'waits') settings = true;
      if (typeof verdict === 'object') superseded.push({ property, setting: verdict.superseded });
    }
    return { superseded, settings };
  }

  #presentSettings(): Readonly<Record<string, PropertySettings>> {
    const settings: Record<string, PropertySettings> = { ...this.#parked };
    for (const [name, twin] of this.#properties)
      if (twin.settings !== undefined) settings[name] = twin.settings;
    return settings;
  }

  // ── up ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns what it has changed, and what was refused, by property */
  report(
    values: Readonly<Record<string, string>>,
    atMs: number,
    now: Now,
  ): { readonly effect: TwinEffect; readonly refused: Readonly<Record<string, string>> } {
    const refused: Record<string, string> = {};
    const properties: string[] = [];
    let taken = false;
    for (const [name, text] of Object.entries(values)) {
      const twin = this.#properties.get(name);
      if (twin === undefined) {
        refused[name] = unknownProperty(this.#entry.id, name).message;
        continue;
      }
      try {
        // What is said again as it was has been checked.
        const value = text === twin.reported?.value ? text : checkReading(twin.bound, text);
        taken = true;
        if (value === twin.reported?.value) continue;
        twin.reported = { value, atMs: Math.round(atMs) };
        properties.push(name);
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        refused[name] = error.message;
      }
    }
    if (taken) this.#answered(now);
    return { effect: { ...NO_EFFECT, properties }, refused };
  }

  /** The mapper says how the device is. */
  reportState(state: DeviceState, now: Now): TwinEffect {
    const before = this.state;
    this.#state = state;
    this.#hear(now);
    if (state === 'ok' || state === 'online') this.#answered(now);
    return { ...NO_EFFECT, condition: this.state !== before };
  }

  /** The mapper says why it does not serve the device; empty: it does. */
  refuse(problems: readonly Problem[], now: Now): TwinEffect {
    this.#hear(now);
    if (JSON.stringify(problems) === JSON.stringify(this.#refused)) return NO_EFFECT;
    this.#refused = problems;
    return { ...NO_EFFECT, condition: true };
  }

  /** Its mapper says nothing any more, or speaks again. */
  setSilent(silent: boolean): TwinEffect {
    if (silent === this.#silent) return NO_EFFECT;
    this.#silent = silent;
    return { ...NO_EFFECT, condition: true };
  }

  /** Its mapper has begun anew: what it said of the state is not known to be so. */
  forgetState(): TwinEffect {
    const before = this.state;
    this.#state = 'unknown';
    return { ...NO_EFFECT, condition: this.state !== before };
  }

  /** Takes what was reported before a restart; what was reported since stays. */
  restore({ values, lastOnlineMs }: TwinSnapshot): TwinEffect {
    const properties: string[] = [];
    for (const [name, reported] of Object.entries(values)) {
      const twin = this.#properties.get(name);
      if (twin === undefined || twin.reported !== undefined) continue;
      twin.reported = reported;
      properties.push(name);
    }
    this.#lastOnlineMs ??= lastOnlineMs;
    return { ...NO_EFFECT, properties };
  }

  /** What a restart would lose; undefined: nothing. */
  snapshot(): TwinSnapshot | undefined {
    const values: Record<string, Reported> = {};
    for (const [name, { reported, bound }] of this.#properties)
      if (reported !== undefined && bound.reportToCloud) values[name] = reported;
    if (Object.keys(values).length === 0) return undefined;
    const lastOnlineMs = this.#lastOnlineMs;
    return { uid: this.uid, values, ...(lastOnlineMs !== undefined && { lastOnlineMs }) };
  }

  get state(): DeviceState {
    return this.#silent ? 'unknown' : this.#state;
  }

  #hear({ monotonicMs }: Now): void {
    if (!this.#heard) this.#gatheredMs = Math.min(this.#gatheredMs, monotonicMs + GATHER_MS);
    this.#heard = true;
  }

  #answered(now: Now): void {
    this.#hear(now);
    this.#lastOnlineMs = now.wallMs;
  }

  // ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────

  /** The cloud may not have what it was told: it is said again. */
  sayAgain(): void {
    this.#mustSay = true;
  }

  /** When the next report is due, monotonic; Infinity: nothing is to be said. */
  dueMs(): number {
    if (this.#isGathering()) return this.#gatheredMs;
    if (this.#mustSay) return -Infinity;
    const newsMs = this.#newsDueMs();
    if (this.#lastOnlineText() === this.#lastOnline.said) return newsMs;
    return Math.min(newsMs, this.#lastOnline.atMs + LAST_ONLINE_MS);
  }

  /** Whether there is something to say that the cloud does not have, beside the time of the last answer. */
  get hasNews(): boolean {
    return this.#mustSay || this.#newsDueMs() < Infinity;
  }

  #newsDueMs(): number {
    let dueMs = Infinity;
    for (const twin of this.#properties.values()) dueMs = Math.min(dueMs, twin.dueMs);
    if (this.#conditionText() === this.#condition.said) return dueMs;
    const cycleMs = this.#entry.device?.state.reportCycleMs ?? DEFAULT_REPORT_CYCLE_MS;
    return Math.min(dueMs, this.#condition.atMs + cycleMs);
  }

  /** Nothing was said yet, and more is about to be known. */
  #isGathering(): boolean {
    if (this.#condition.atMs !== -Infinity || this.#served().status === 'False') return false;
    const isComplete = [...this.#properties.values()].every(
      ({ reported, bound }) => reported !== undefined || !bound.reportToCloud,
    );
    return !(isComplete && this.state !== 'unknown');
  }

  /**
   * What the cloud is told now: everything, with what is due since the last time, the rest as it was said then. It counts as
   * said; {@link sayAgain} where it was not taken.
   */
  say(now: Now): UpstreamBodies['device'] {
    const twins = [...this.#properties.values()].flatMap((twin) => twin.say(now.monotonicMs) ?? []);
    this.#mustSay = false;
    this.#condition = { said: this.#conditionText(), atMs: now.monotonicMs };
    this.#lastOnline = { said: this.#lastOnlineText(), atMs: now.monotonicMs };
    const { said: lastOnlineTime } = this.#lastOnline;
    return {
      ...this.about,
      ...{ twins, served: this.#served() },
      ...(this.#saysState && { state: this.state }),
      ...(lastOnlineTime !== '' && { lastOnlineTime }),
    };
  }

  get #saysState(): boolean {
    return this.#entry.device?.state.reportToCloud !== false;
  }

  #conditionText(): string {
    return JSON.stringify([this.#saysState ? this.state : '', this.#served()]);
  }

  #lastOnlineText(): string {
    if (this.#lastOnlineMs === undefined || !this.#saysState) return '';
    return `${new Date(this.#lastOnlineMs).toISOString().slice(0, 19)}Z`;
  }

  #served(): Served {
    const { device, problems } = this.#entry;
    if (problems.length > 0) {
      const kept = device === undefined ? '' : 'the last valid version is in force; ';
      const message = `${kept}${textOf(problems)}`.slice(0, SERVED_MESSAGE_MAX);
      return { status: 'False', reason: 'Invalid', message };
    }
    if (this.#refused.length > 0)
      return { status: 'False', reason: 'Refused', message: textOf(this.#refused) };
    if (this.#heard && !this.#silent) return { status: 'True', reason: 'Served', message: '' };
    const what = this.#silent ? 'is silent' : 'has not said anything yet';
    const message = `the mapper of ${device?.protocol ?? 'its protocol'} ${what}`;
    return { status: 'Unknown', reason: 'NoMapper', message };
  }

  // ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────

  view(): DeviceView {
    const { device, problems, namespace, name } = this.#entry;
    const lastOnlineMs = this.#lastOnlineMs;
    return {
      ...{ namespace, name, state: this.state },
      protocol: device?.protocol ?? '',
      ...(lastOnlineMs !== undefined && { lastOnlineMs }),
      twins: [...this.#properties.values()].map((twin) => twin.view()),
      problems: [...problems, ...this.#refused],
    };
  }

  /** One property; undefined: there is none. */
  viewOf(property: string): TwinView | undefined {
    return this.#properties.get(property)?.view();
  }
}

/** Of the setting in force, where it says it: milliseconds. */
function timestampOf({ expected }: PropertyTwin): number {
  const timestamp = Number(expected?.written.metadata?.['timestamp'] ?? 0);
  return Number.isSafeInteger(timestamp) ? timestamp : 0;
}

function textOf(problems: readonly Problem[]): string {
  const texts = problems.map(({ path, message }) => `${path} ${message}`.trim());
  return texts.join('; ').slice(0, SERVED_MESSAGE_MAX);
}
