import { versionOfDesired, type BoundDesired, type TwinValue } from '@hawser/devices';

/** A desired value that was set at this node. */
export interface EdgeSetting {
  /** Made here, another one for each setting. */
  readonly id: string;
  /**
   * As the Device will have it, in the one text of its type. Its time makes it another one than an earlier setting of the
   * same value.
   */
  readonly written: TwinValue;
  readonly version: string;
}

/**
 * What was set at this node of one property, and is not in the cloud's Device yet. At most two: the cloud is told the
 * second one when the fate of the first one is known, so that each names the one value that it was made over.
 */
export interface PropertySettings {
  /** What the Device had when {@link told} was set; undefined: nothing. */
  readonly over: { readonly written: TwinValue; readonly version: string } | undefined;
  readonly told: EdgeSetting;
  /** Made over {@link told}. */
  readonly next?: EdgeSetting;
}

/** Settings of one device, by property, as they are kept. */
export interface DeviceSettings {
  readonly uid: string;
  readonly settings: Readonly<Record<string, PropertySettings>>;
}

/** What became of settings, seen from what the Device has now. */
export interface Judgement {
  /** What is left of them; undefined: nothing. */
  readonly left: PropertySettings | undefined;
  /**
   * `waits`: the cloud has not decided. `taken`: it has taken one. `superseded`: it has set the value without knowing of
   * them.
   */
  readonly outcome: 'waits' | 'taken' | 'superseded';
}

/** Makes a setting. @param timestamp milliseconds, later than that of the setting before */
export function edgeSetting(
  about: { readonly uid: string; readonly property: string; readonly id: string },
  value: string,
  timestamp: number,
): EdgeSetting {
  const written: TwinValue = { value, metadata: { timestamp: String(timestamp) } };
  return { id: about.id, written, version: versionOfDesired(about.uid, about.property, written) };
}

/** The settings of a property with one more, made over what is in force. */
export function withSetting(
  before: PropertySettings | undefined,
  cloud: BoundDesired | undefined,
  setting: EdgeSetting,
): PropertySettings {
  if (before !== undefined) return { over: before.over, told: before.told, next: setting };
  const over = cloud === undefined ? undefined : { written: cloud.written, version: cloud.version };
  return { over, told: setting };
}

/**
 * Newest wins, and no clock says what is newest: the Device still has what a setting was made over, or has the setting,
 * or the cloud has set something else without knowing of it.
 * @param cloud what the Device has
 * @param decided id of the setting that the hub has decided last: it decides each once, so that one which the Device does
 *   not have then is superseded, though the Device may have again what it was made over
 */
export function judge(
  settings: PropertySettings,
  cloud: BoundDesired | undefined,
  decided: string | undefined,
): Judgement {
  const { over, told, next } = settings;
  if (next !== undefined && cloud?.version === next.version) return { left: undefined, outcome: 'taken' };
  if (cloud?.version === told.version) {
    const left = next && { over: { written: told.written, version: told.version }, told: next };
    return { left, outcome: 'taken' };
  }
  if (decided !== told.id && cloud?.version === over?.version) return { left: settings, outcome: 'waits' };
  return { left: undefined, outcome: 'superseded' };
}

/** The one that is in force. */
export function inForce({ told, next }: PropertySettings): EdgeSetting {
  return next ?? told;
}

/** Reads what was kept. undefined: it is not what is kept. */
export function readSettings(value: unknown): DeviceSettings | undefined {
  if (!isFields(value) || typeof value['uid'] !== 'string' || !isFields(value['settings'])) return undefined;
  const settings: Record<string, PropertySettings> = {};
  for (const [property, kept] of Object.entries(value['settings'])) {
    if (!isFields(kept) || !isSetting(kept['told'])) return undefined;
    const over = kept['over'];
    if (over !== undefined && !(isFields(over) && isWritten(over['written']) && isText(over['version'])))
      return undefined;
    if (kept['next'] !== undefined && !isSetting(kept['next'])) return undefined;
    settings[property] = kept as unknown as PropertySettings; // looked at above
  }
  return { uid: value['uid'], settings };
}

function isSetting(value: unknown): boolean {
  return isFields(value) && [value['id'], value['version']].every(isText) && isWritten(value['written']);
}

function isWritten(value: unknown): boolean {
  return isFields(value) && isText(value['value']);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
