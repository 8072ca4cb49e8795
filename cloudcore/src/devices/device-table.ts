import { DEAD_BAND_ANNOTATION } from '@hawser/devices';
import type { KubeObject } from '@hawser/kube';
import { createHash } from 'node:crypto';
import { packJson, unpackJson, type ContentKey } from '@hawser/sync';
import { DEVICES } from '../cache/bound-devices.ts';
import { resourceName } from '../cache/object-key.ts';
import { record, text, texts } from '../cache/json-reader.ts';
import { isOlder } from '../cache/record-table.ts';
import { conditionText, validOf } from './verdict.ts';

const PREFIX = `${resourceName(DEVICES)}/`;

/** What is kept of a Device, some hundred bytes: the rest is in the cache, where a node has it. */
export interface DeviceEntry {
  /** `<namespace>/<name>`. */
  readonly key: string;
  readonly uid: string;
  /** resourceVersion of what was seen last. */
  version: string;
  generation: number;
  /** `''`: none. */
  readonly node: string;
  /** `<namespace>/<name>`; `''`: none. */
  readonly model: string;
  /** Lower case; `''`: its model says it. */
  readonly protocol: string;
  /** Another one where the device may have become valid or invalid. */
  readonly stamp: string;
  /** Of a device that no node has: metadata and spec, packed. */
  readonly content: Uint8Array | undefined;
  /** Of its condition `Valid`, see {@link conditionText}. */
  said: string;
  /** What was to be written last, where the API server did not keep it: its definition has no conditions. */
  unkept: string;
  /** Writes for this stamp in the last minutes, and the last of them, monotonic: two hubs may be of two minds. */
  writes: number;
  writtenMs: number;
  /** Since when its model is not there, monotonic. */
  missingMs: number | undefined;
}

/** Every Device of the cluster, as it passes by; by `<namespace>/<name>`. */
export class DeviceTable {
  readonly #onChange: (key: string) => void;
  readonly #devices = new Map<string, DeviceEntry>();
  /** Keys of devices, by that of their model. */
  readonly #byModel = new Map<string, Set<string>>();

  /** @param onChange a device is there, or it may have become valid or invalid, or its condition is another */
  constructor(onChange: (key: string) => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#devices.size;
  }

  get(key: string): DeviceEntry | undefined {
    return this.#devices.get(key);
  }

  values(): Iterable<DeviceEntry> {
    return this.#devices.values();
  }

  /** How many have a condition `Valid` of which status; `none`: have none. */
  counts(): Iterable<readonly [string, number]> {
    const counts = new Map<string, number>([
      ['True', 0],
      ['False', 0],
      ['Unknown', 0],
      ['none', 0],
    ]);
    for (const { said } of this.#devices.values()) {
      const status = said === '' ? 'none' : String((JSON.parse(said) as unknown[])[0]);
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    return counts;
  }

  /** Keys of the devices of a model. */
  ofModel(model: string): Iterable<string> {
    return this.#byModel.get(model) ?? [];
  }

  /** The Device as it is now. */
  seen(object: KubeObject): void {
    const entry = entryOf(object);
    const before = this.#devices.get(entry.key);
    if (before?.uid === entry.uid && before.stamp === entry.stamp) {
      before.version = entry.version;
      if (before.said === entry.said && before.generation === entry.generation) return;
      before.said = entry.said;
      before.generation = entry.generation;
    } else {
      this.#unlink(before);
      this.#devices.set(entry.key, entry);
      this.#link(entry);
    }
    this.#onChange(entry.key);
  }

  /** What the API server answered to a write of its condition, unless what came after it was seen already. */
  written(object: KubeObject): void {
    const { namespace = '', name = '', uid, resourceVersion = '' } = object.metadata;
    const entry = this.#devices.get(`${namespace}/${name}`);
    if (entry === undefined || entry.uid !== uid || !isOlder(entry.version, resourceVersion)) return;
    entry.version = resourceVersion;
    entry.said = conditionText(validOf(object));
  }

  gone(key: string): void {
    this.#unlink(this.#devices.get(key));
    this.#devices.delete(key);
  }

  /** These are all there are. @param keys as contents have them: `devices.devices.kubeedge.io/<namespace>/<name>` */
  listed(keys: ReadonlySet<ContentKey>): void {
    for (const key of [...this.#devices.keys()]) {
      if (!keys.has(`${PREFIX}${key}`)) this.gone(key);
    }
  }

  #link({ model, key }: DeviceEntry): void {
    const found = this.#byModel.get(model);
    if (found === undefined) this.#byModel.set(model, new Set([key]));
    else found.add(key);
  }

  #unlink(entry: DeviceEntry | undefined): void {
    const found = entry && this.#byModel.get(entry.model);
    if (entry === undefined || found === undefined) return;
    found.delete(entry.key);
    if (found.size === 0) this.#byModel.delete(entry.model);
  }
}

/** Key of a Device's content in the cache. */
export function contentKey(key: string): ContentKey {
  return `${PREFIX}${key}`;
}

/** What {@link DeviceEntry.content} is of. */
export function unpackDevice(content: Uint8Array): unknown {
  return unpackJson(content);
}

function entryOf(object: KubeObject): DeviceEntry {
  const { namespace = '', name = '', uid = '', generation = 0, annotations } = object.metadata;
  const { resourceVersion: version = '' } = object.metadata;
  const spec = record(object['spec']);
  const node = text(spec['nodeName']);
  const model = text(record(spec['deviceModelRef'])['name']);
  const deadBands = Object.entries(texts(annotations)).filter(([at]) => at.startsWith(DEAD_BAND_ANNOTATION));
  const metadata = { namespace, name, uid, generation, annotations: Object.fromEntries(deadBands) };
  return {
    key: `${namespace}/${name}`,
    uid,
    version,
    generation,
    node,
    model: model === '' ? '' : `${namespace}/${model}`,
    protocol: text(record(spec['protocol'])['protocolName']).toLowerCase(),
    stamp: hashOf([object['spec'], deadBands]),
    content: node === '' ? packJson({ metadata, spec: object['spec'] }) : undefined,
    said: conditionText(validOf(object)),
    unkept: '',
    writes: 0,
    writtenMs: 0,
    missingMs: undefined,
  };
}

/** Not the generation: where a definition has no status subresource, a report of the edge is a new one. */
function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16);
}
