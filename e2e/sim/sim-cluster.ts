import {
  contentOf,
  type Content,
  type ContentKey,
  type NormalForms,
  type UpstreamBodies,
} from '@hawser/sync';
import { deviceSpec, modelSpec, type DeviceFields, type ModelFields } from './device-fields.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What runs in a pod, where pods run in a simulation. */
export interface PodFields {
  /** Of its containers. */
  readonly images?: readonly string[];
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
}

/** An object of the modelled API server. Never changed: a write makes another one. */
export interface ApiObject extends PodFields {
  readonly key: ContentKey;
  readonly rv: number;
  readonly uid: string;
  /** Of pods: the node that it is bound to. */
  readonly node?: string;
  /** Of pods: keys of what it refers to. */
  readonly refs: readonly ContentKey[];
  /** Of pods: whether it is marked for deletion. */
  readonly deleting: boolean;
  readonly data: Readonly<Record<string, string>>;
  /** Of a Device, and of a DeviceModel. */
  readonly device?: DeviceFields;
  readonly model?: ModelFields;
}

/** The status of a device, as an edge reported it. */
export interface ApiDeviceStatus {
  readonly body: UpstreamBodies['device'];
  readonly rv: number;
}

/** What a write did: `object` undefined means that it was removed. */
export interface ApiEvent {
  readonly rv: number;
  readonly key: ContentKey;
  readonly object: ApiObject | undefined;
  /** What each node is to have from here on. */
  readonly desired: ReadonlyMap<string, Desired>;
}

/** What a node is to have; another map whenever that is something else. */
export type Desired = ReadonlyMap<ContentKey, ApiObject>;

interface Snapshot {
  readonly rv: number;
  readonly objects: ReadonlyMap<ContentKey, ApiObject>;
  readonly statuses: ReadonlyMap<string, ApiStatus>;
  readonly deviceStatuses: ReadonlyMap<string, ApiDeviceStatus>;
}

/** The status of a pod, as an edge reported it: the edge's own count of what has become of the pod. */
export interface ApiStatus {
  readonly seq: number;
  /** The status itself, as JSON, where pods run. */
  readonly status: string | undefined;
  readonly rv: number;
}

/** What the API server says to a write of a status. */
export type StatusOutcome = 'done' | 'conflict' | 'gone';

/** Writes between a backup and whatever follows: more than a simulation makes. */
export const UNSEEN_WRITES = 100_000;

/** Normal forms of two releases: the second one drops an annotation. */
export const RELEASES: readonly NormalForms[] = [release(1), release(2)];

/** What a node is to have of some objects: itself, its pods, and what these refer to. */
export function desiredOf(
  objects: ReadonlyMap<ContentKey, ApiObject>,
  node: string,
): Map<ContentKey, ApiObject> {
  const desired = new Map<ContentKey, ApiObject>();
  const take = (key: ContentKey): void => {
    const object = objects.get(key);
    if (object !== undefined) desired.set(key, object);
  };
  take(`nodes//${node}`);
  for (const pod of objects.values()) {
    if (pod.node !== node) continue;
    desired.set(pod.key, pod);
    pod.refs.forEach(take);
  }
  return desired;
}

/** The model of a cluster: what its API server has, and all that it ever wanted each node to have. */
export class SimCluster {
  readonly uid: string;
  readonly objects = new Map<ContentKey, ApiObject>();
  /** By UID of the pod. */
  readonly statuses = new Map<string, ApiStatus>();
  /** By UID of the device. */
  readonly deviceStatuses = new Map<string, ApiDeviceStatus>();
  /** Ids of the events that were written. */
  readonly events = new Set<string>();
  /** Epoch of the newest session of each node. */
  readonly leases = new Map<string, number>();
  readonly log: ApiEvent[] = [];
  /** Grows when the API server goes back to an older state: a log begins anew. */
  generation = 0;
  incarnation = 'life-1';
  /** Incarnations after which an operator has accepted the present one. */
  follows: string[] = [];
  rv = 100;
  /** When each resourceVersion was written, monotonic milliseconds. */
  readonly writtenMs = new Map<number, number>();
  /** When the state went back to an older one; undefined: it did not. */
  restoredMs: number | undefined;
  /** The resourceVersion that it went back to; Infinity: it did not. */
  restoredRv = Infinity;
  /** Called after each write. */
  onWrite: () => void = () => {};
  readonly #time: VirtualTime;
  readonly #nodes: readonly string[];
  readonly #made = new Set<string>();
  readonly #contents = new WeakMap<ApiObject, Content[]>();
  readonly #desired = new Map<string, Desired>();
  /** Times at which an object was not wanted at a node: beginning and end (undefined: still so). */
  readonly #absences = new Map<string, { from: number; to: number | undefined }[]>();
  #uids = 0;
  #lives = 1;
  #snapshot: Snapshot | undefined;

  constructor(time: VirtualTime, uid: string, nodes: readonly string[]) {
    this.#time = time;
    this.uid = uid;
    this.#nodes = nodes;
    for (const node of nodes) this.#desired.set(node, new Map());
  }

  /** Writes an object; a new one gets a UID. */
  put(key: ContentKey, fields: Partial<Omit<ApiObject, 'key' | 'rv' | 'uid'>>): void {
    const before = this.objects.get(key);
    this.#uids += before === undefined ? 1 : 0;
    const rest = before ?? { uid: `uid-${this.#uids}`, refs: [], deleting: false, data: {} };
    this.#write(key, { ...rest, ...fields, key, rv: this.rv + 1 });
  }

  remove(key: ContentKey): void {
    if (this.objects.has(key)) this.#write(key, undefined);
  }

  /** Writes the status of the pod with this UID, if nobody has written it since `rv` (0: nobody at all). */
  writeStatus(uid: string, seq: number, rv: number, status?: string): StatusOutcome {
    const pod = this.podOf(uid);
    if (pod === undefined) return 'gone';
    if ((this.statuses.get(uid)?.rv ?? 0) !== rv) return 'conflict';
    this.#touch(pod);
    this.statuses.set(uid, { seq, rv: this.rv, status });
    return 'done';
  }

  /** Writes the status of the device with this UID, if nobody has written the Device since `rv`. */
  writeDeviceStatus(body: UpstreamBodies['device'], rv: number): StatusOutcome {
    const device = this.podOf(body.uid);
    if (device === undefined) return 'gone';
    if (device.rv !== rv) return 'conflict';
    this.#touch(device);
    this.deviceStatuses.set(body.uid, { body, rv: this.rv });
    return 'done';
  }

  podOf(uid: string): ApiObject | undefined {
    for (const object of this.objects.values()) if (object.uid === uid) return object;
    return undefined;
  }

  /** What a node is to have now. */
  desired(node: string): Desired {
    return this.#desired.get(node) ?? NOTHING;
  }

  /** What each node is to have now. */
  allDesired(): ReadonlyMap<string, Desired> {
    return new Map(this.#desired);
  }

  /** The object as it travels, in the normal form of a release. */
  content(object: ApiObject, release: number): Content {
    let contents = this.#contents.get(object);
    if (contents === undefined) this.#contents.set(object, (contents = []));
    const content = (contents[release] ??= make(object, release));
    this.#made.add(`${content.key} ${content.hash}`);
    return content;
  }

  /** Whether a node was not to have this object at some moment of a span of time. */
  wasAbsent(node: string, key: ContentKey, fromMs: number, toMs: number): boolean {
    const absences = this.#absences.get(`${node} ${key}`);
    // Never written: as absent as can be.
    if (absences === undefined) return !this.desired(node).has(key);
    return absences.some(({ from, to = Infinity }) => from <= toMs && to >= fromMs);
  }

  /** Remembers this state, and lets many writes pass that are not modelled. */
  snapshot(): void {
    this.#snapshot = {
      rv: this.rv,
      objects: new Map(this.objects),
      statuses: new Map(this.statuses),
      deviceStatuses: new Map(this.deviceStatuses),
    };
    this.rv += UNSEEN_WRITES;
  }

  /** Whether there is a state to go back to. Once: resourceVersions of a third life could be those of the first. */
  get canRestore(): boolean {
    return this.#snapshot !== undefined && this.generation === 0;
  }

  get canSnapshot(): boolean {
    return this.#snapshot === undefined && this.generation === 0;
  }

  /** Whether this content was ever that of an object of this name. */
  everHad(key: ContentKey, hash: string): boolean {
    return this.#made.has(`${key} ${hash}`);
  }

  /** Goes back to the state that was remembered: its data were restored from a backup. */
  restore(): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || !this.canRestore) return;
    this.#snapshot = undefined;
    this.restoredMs = this.#time.monotonicMs();
    this.restoredRv = snapshot.rv;
    this.generation += 1;
    this.log.length = 0;
    this.rv = snapshot.rv;
    replace(this.objects, snapshot.objects);
    replace(this.statuses, snapshot.statuses);
    replace(this.deviceStatuses, snapshot.deviceStatuses);
    this.#follow();
    this.onWrite();
  }

  /** Incarnations so far. */
  get lives(): number {
    return this.#lives;
  }

  /** A hub has noticed that the API server went back. */
  declareNewIncarnation(): void {
    this.#lives += 1;
    this.incarnation = `life-${this.#lives}`;
    this.follows = [];
  }

  /** An operator says that the present life is as it should be. */
  accept(): void {
    this.follows = Array.from({ length: this.#lives - 1 }, (_, n) => `life-${n + 1}`);
  }

  /** Another version, with nothing new of what an edge reads: the content stays. */
  #touch(object: ApiObject): void {
    const written: ApiObject = { ...object, rv: this.rv + 1 };
    const contents = this.#contents
      .get(object)
      ?.map((content) => ({ ...content, version: String(written.rv) }));
    if (contents !== undefined) this.#contents.set(written, contents);
    this.#write(object.key, written);
  }

  #write(key: ContentKey, object: ApiObject | undefined): void {
    this.rv += 1;
    this.writtenMs.set(this.rv, this.#time.monotonicMs());
    if (object === undefined) this.objects.delete(key);
    else this.objects.set(key, object);
    this.#follow();
    this.log.push({ rv: this.rv, key, object, desired: new Map(this.#desired) });
    this.onWrite();
  }

  /** Notes what has begun or ceased to be wanted. */
  #follow(): void {
    const nowMs = this.#time.monotonicMs();
    for (const node of this.#nodes) {
      const before = this.desired(node);
      const after = desiredOf(this.objects, node);
      if (isSame(before, after)) continue;
      for (const key of after.keys()) {
        if (before.has(key)) continue;
        const absences = this.#absencesOf(node, key);
        const last = absences.at(-1);
        if (last === undefined) absences.push({ from: 0, to: nowMs });
        else last.to = nowMs;
      }
      for (const key of before.keys()) {
        if (!after.has(key)) this.#absencesOf(node, key).push({ from: nowMs, to: undefined });
      }
      this.#desired.set(node, after);
    }
  }

  #absencesOf(node: string, key: ContentKey): { from: number; to: number | undefined }[] {
    const name = `${node} ${key}`;
    let absences = this.#absences.get(name);
    if (absences === undefined) this.#absences.set(name, (absences = []));
    return absences;
  }
}

const NOTHING: Desired = new Map();

function isSame(one: Desired, other: Desired): boolean {
  if (one.size !== other.size) return false;
  for (const [key, object] of one) if (other.get(key) !== object) return false;
  return true;
}

function make(object: ApiObject, release: number): Content {
  const [resource = '', namespace = '', name = ''] = object.key.split('/');
  const deletionTimestamp = object.deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  const metadata = {
    name,
    ...(namespace === '' ? {} : { namespace }),
    uid: object.uid,
    resourceVersion: String(object.rv),
    annotations: {
      ...{ 'example.com/dropped-later': 'yes', 'example.com/kept': 'yes' },
      ...(object.device?.decided !== undefined && { 'hawser.dev/edge-settings': object.device.decided }),
    },
    ...deletionTimestamp,
  };
  const spec = specOf(object);
  return contentOf(resource, { kind: resource, metadata, spec, data: object.data }, RELEASES[release]);
}

function specOf(object: ApiObject): object {
  const { node, device, model, refs } = object;
  if (device !== undefined) return deviceSpec(node, device);
  if (model !== undefined) return modelSpec(model);
  return { nodeName: node ?? null, refs, ...podSpec(object) };
}

function podSpec({ images, restartPolicy }: ApiObject): object {
  if (images === undefined) return {};
  const containers = images.map((image, index) => ({ name: `c${index}`, image }));
  return { containers, restartPolicy, terminationGracePeriodSeconds: 10 };
}

function release(version: 1 | 2): NormalForms {
  const first = {
    version: 1,
    withoutMetadata: ['managedFields', 'resourceVersion', 'selfLink'],
    withoutAnnotations: [] as string[],
    withoutStatusOf: ['pods', 'nodes'],
  };
  if (version === 1) return { current: first };
  return {
    current: { ...first, version: 2, withoutAnnotations: ['example.com/dropped-later'] },
    previous: first,
  };
}

function replace<K, V>(map: Map<K, V>, by: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of by) map.set(key, value);
}
