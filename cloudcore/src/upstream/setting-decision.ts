import { createHash } from 'node:crypto';
import { isPlainObject, jsonEqual, type JsonObject } from '@hawser/kube';
import { canonicalJson, type UpstreamSetting, type UpstreamTwinValue } from '@hawser/sync';
import { record, text, texts } from '../cache/json-reader.ts';

/** What of a Device decides about settings. */
export interface SettableDevice {
  /** `spec.properties`. */
  readonly properties: readonly JsonObject[];
  /** Value of the annotation `hawser.dev/edge-settings`: what was decided before. */
  readonly decided: string | undefined;
}

/** A setting that came too late: the cloud has another value, and its own. */
export interface SupersededSetting {
  readonly setting: UpstreamSetting;
  /** What the Device has; undefined: no desired value. */
  readonly present: UpstreamTwinValue | undefined;
}

/** What becomes of the settings of one message. */
export interface SettingDecision {
  /** The properties that the Device is to have; undefined: those that it has. */
  readonly properties: readonly JsonObject[] | undefined;
  /** The annotation that it is to have; undefined: the one that it has. */
  readonly decided: string | undefined;
  readonly written: readonly UpstreamSetting[];
  /** The Device has them already. */
  readonly same: readonly UpstreamSetting[];
  readonly superseded: readonly SupersededSetting[];
  /** Neither the Device nor its model has the property. */
  readonly unknown: readonly UpstreamSetting[];
}

/** Of the last setting of a property that was decided: its id, and the hash of the value that it made. */
interface Decided {
  readonly id: string;
  /** `''`: it made none. */
  readonly hash: string;
}

const HASH_CHARS = 16;

/**
 * Decides each setting once, without clocks:
 * 1. the Device has the value: nothing to do;
 * 2. it was decided before (its id is remembered), and the Device has another value by now: superseded, though that may be
 *    the value which it was made over;
 * 3. the Device has the value that it was made over, or still the one that the edge's former setting has made: it is
 *    the newest, and written. One that was made over none is the newest also where the Device has `''`: manifests of
 *    KubeEdge have that where nothing is to be set, and the edge takes it so where the type has no empty value;
 * 4. otherwise the cloud has set another value without knowing of it, and is right about what it wants: superseded.
 *
 * Everything else of the properties stays. A property that the Device does not list is added if the model has it.
 * @param modelHas whether the model has a property of this name
 */
export function decideSettings(
  device: SettableDevice,
  settings: readonly UpstreamSetting[],
  modelHas: (property: string) => boolean,
): SettingDecision {
  const properties = [...device.properties];
  const memory = readMemory(device.decided);
  const written: UpstreamSetting[] = [];
  const same: UpstreamSetting[] = [];
  const superseded: SupersededSetting[] = [];
  const unknown: UpstreamSetting[] = [];
  for (const setting of settings) {
    const { property, id } = setting;
    const index = properties.findIndex(({ name }) => name === property);
    if (index < 0 && !modelHas(property)) {
      unknown.push(setting);
      continue;
    }
    const listed = properties[index];
    const present = desiredOf(listed);
    const before = memory.get(property);
    if (sameValue(present, setting)) {
      same.push(setting);
      if (id !== undefined) memory.set(property, { id, hash: hashOf(setting) });
    } else if (isNewest(setting, present, before)) {
      written.push(setting);
      const next = { ...(listed ?? { name: property }), desired: valueOf(setting) };
      properties.splice(index < 0 ? properties.length : index, 1, next);
      memory.set(property, { id: id ?? '', hash: hashOf(setting) });
    } else {
      superseded.push({ setting, present });
      if (id !== undefined) memory.set(property, { id, hash: '' });
    }
  }
  const decided = writeMemory(memory, properties);
  return {
    properties: written.length > 0 ? properties : undefined,
    decided: decided === (device.decided ?? NOTHING_DECIDED) ? undefined : decided,
    ...{ written, same, superseded, unknown },
  };
}

function isNewest(
  { id, over }: UpstreamSetting,
  present: UpstreamTwinValue | undefined,
  before: Decided | undefined,
): boolean {
  if (id !== undefined && before?.id === id) return false;
  if (sameValue(present, over)) return true;
  // What the type is is not known here. Where it has an empty value the edge says so, as `over`, once it knows of it.
  if (over === undefined && present?.value === '') return true;
  return present !== undefined && before?.hash === hashOf(present);
}

function sameValue(left: UpstreamTwinValue | undefined, right: UpstreamTwinValue | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left.value === right.value && jsonEqual(left.metadata ?? {}, right.metadata ?? {});
}

/** The desired value of a property as the API server has it; undefined where there is none. */
export function desiredOf(property: JsonObject | undefined): UpstreamTwinValue | undefined {
  const { value, metadata } = record(property?.['desired']);
  if (typeof value !== 'string') return undefined;
  return isPlainObject(metadata) ? { value, metadata: texts(metadata) } : { value };
}

function valueOf({ value, metadata }: UpstreamTwinValue): UpstreamTwinValue {
  return metadata === undefined ? { value } : { value, metadata };
}

function hashOf({ value, metadata = {} }: UpstreamTwinValue): string {
  return createHash('sha256')
    .update(canonicalJson([value, metadata]))
    .digest('base64url')
    .slice(0, HASH_CHARS);
}

const NOTHING_DECIDED = '{}';

/** What cannot be read was written by somebody else, and counts as nothing. */
function readMemory(written: string | undefined): Map<string, Decided> {
  const memory = new Map<string, Decided>();
  if (written === undefined) return memory;
  let parsed: unknown;
  try {
    parsed = JSON.parse(written);
  } catch {
    return memory; // see above
  }
  for (const [property, entry] of Object.entries(record(parsed))) {
    const [id, hash] = Array.isArray(entry) ? (entry as unknown[]) : [];
    memory.set(property, { id: text(id), hash: text(hash) });
  }
  return memory;
}

/** Of properties that are still there; others have nothing to be compared with. */
function writeMemory(memory: ReadonlyMap<string, Decided>, properties: readonly JsonObject[]): string {
  const names = new Set(properties.map(({ name }) => name));
  const entries = [...memory].filter(([property]) => names.has(property));
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify(
    Object.fromEntries(entries.map(([property, { id, hash }]) => [property, [id, hash]])),
  );
}
