import {
  DeviceError,
  isWithinDeadBand,
  type BoundDesired,
  type BoundProperty,
  type TwinValue,
} from '@hawser/devices';
import type { UpstreamTwin } from '@hawser/sync';
import { inForce, judge, type EdgeSetting, type PropertySettings } from './twin-settings.ts';
import type { TwinView } from './twins.ts';

/** A value that the device had, and when; wall clock, milliseconds. */
export interface Reported {
  readonly value: string;
  readonly atMs: number;
}

/** What the cloud was told of a property, and when; monotonic, milliseconds. */
interface Said {
  readonly reported: Reported | undefined;
  readonly expected: { readonly version: string; readonly written: TwinValue } | undefined;
  readonly atMs: number;
}

/** How long a new expected value waits for what the mapper says of it: one report instead of two. */
const SETTLE_MS = 1_000;
const NOTHING_SAID: Said = { reported: undefined, expected: undefined, atMs: -Infinity };

/** What the mapper said of a setting. */
interface Settled {
  readonly version: string;
  readonly ok: boolean;
  readonly message?: string;
  readonly atMs: number;
}

/** What became of settings: see {@link PropertyTwin.judge}. */
export type Verdict = 'waits' | 'taken' | { readonly superseded: EdgeSetting };

/** One property of a twin. */
export class PropertyTwin {
  #bound: BoundProperty;
  /** What the Device wants. */
  cloud: BoundDesired | undefined;
  /** Id of the setting of this node that the cloud has decided last. */
  decided: string | undefined;
  /** What was set here, and is not in the Device yet. */
  settings: PropertySettings | undefined;
  reported: Reported | undefined;
  #settled: Settled | undefined;
  #said = NOTHING_SAID;
  /** What was last seen to be in force, and since when, monotonic. */
  #inForce: { readonly version: string | undefined; readonly sinceMs: number } = {
    version: undefined,
    sinceMs: -Infinity,
  };

  constructor(bound: BoundProperty) {
    this.#bound = bound;
  }

  get bound(): BoundProperty {
    return this.#bound;
  }

  /** The property is another one; a value of another type means nothing any more. */
  rebind(bound: BoundProperty): void {
    if (this.#bound.type !== bound.type) {
      this.reported = undefined;
      this.#said = NOTHING_SAID;
    }
    this.#bound = bound;
  }

  /** What is in force: what was set here, else what the cloud wants. */
  get expected(): BoundDesired | undefined {
    if (this.settings === undefined) return this.cloud;
    const { written, version } = inForce(this.settings);
    return { value: written.value, version, written };
  }

  /** Sees what has become of what was set here, and what is in force. @param nowMs monotonic */
  judge(nowMs: number): Verdict {
    const verdict = this.#judge();
    const version = this.expected?.version;
    if (version !== this.#inForce.version) this.#inForce = { version, sinceMs: nowMs };
    return verdict;
  }

  #judge(): Verdict {
    if (this.settings === undefined) return 'waits';
    const present = inForce(this.settings);
    const { left, outcome } = judge(this.settings, this.cloud, this.decided);
    this.settings = left;
    return outcome === 'superseded' ? { superseded: present } : outcome;
  }

  /** @returns whether it is news */
  settle(settled: Settled): boolean {
    if (this.expected?.version !== settled.version) return false;
    const { version, ok, message } = this.#settled ?? {};
    if (version === settled.version && ok === settled.ok && message === settled.message) return false;
    this.#settled = settled;
    return true;
  }

  // ── what is said to the cloud ────────────────────────────────────────────────────────────────────────────────

  /** When the cloud is to hear of it, monotonic; Infinity: there is nothing new. */
  get dueMs(): number {
    if (!this.#bound.reportToCloud) return Infinity;
    const dueMs = this.#said.atMs + this.#bound.reportCycleMs;
    if (this.#hasNewValue) return dueMs;
    const { version, sinceMs } = this.#inForce;
    if (this.expected?.version === this.#said.expected?.version) return Infinity;
    return this.#settled?.version === version ? dueMs : Math.max(dueMs, sinceMs + SETTLE_MS);
  }

  get #hasNewValue(): boolean {
    const { reported } = this;
    const said = this.#said.reported;
    if (reported === undefined || reported === said) return false;
    return !isWithinDeadBand(this.#bound, said?.value, reported.value);
  }

  /** What the cloud is told now: what is due, else what it was told before. undefined: nothing is for the cloud. */
  say(nowMs: number): UpstreamTwin | undefined {
    if (!this.#bound.reportToCloud) return undefined;
    if (this.dueMs <= nowMs) {
      const reported = this.#hasNewValue ? this.reported : this.#said.reported;
      this.#said = { reported, expected: this.expected, atMs: nowMs };
    }
    const { reported, expected } = this.#said;
    const { name: propertyName, type } = this.#bound;
    return {
      propertyName,
      ...(reported !== undefined && {
        reported: { value: reported.value, metadata: { timestamp: String(reported.atMs), type } },
      }),
      ...(expected !== undefined && { observedDesired: expected.written }),
    };
  }

  view(): TwinView {
    const { reported, expected } = this;
    const { name, type, accessMode, unit } = this.#bound;
    const settled = expected !== undefined && this.#settled?.version === expected.version && this.#settled;
    return {
      ...{ property: name, type, writable: accessMode === 'ReadWrite' },
      ...(unit !== undefined && { unit }),
      ...(expected !== undefined && {
        expected: {
          ...{ value: expected.value, version: expected.version },
          from: this.settings === undefined ? 'cloud' : 'edge',
          ...(settled !== false && { settled: verdictOf(settled) }),
        },
      }),
      ...(reported !== undefined && { reported }),
    };
  }
}

function verdictOf({ ok, atMs, message }: Settled): Omit<Settled, 'version'> {
  return { ok, atMs, ...(message !== undefined && { message }) };
}

/** What is thrown, or told, of a property that the device does not have. */
export function unknownProperty(device: string, property: string): DeviceError {
  return new DeviceError('ERR_DEVICES_UNKNOWN', `${device} has no property ${property}`);
}
