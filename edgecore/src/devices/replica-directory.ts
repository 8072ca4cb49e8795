import { bindDevice, revisionOf, type Binding } from '@hawser/devices';
import type { Clock, Logger, Timer } from '@hawser/seams';
import { parseKey, type ContentKey, type ReplicaStore } from '@hawser/sync';
import { EdgeCoreError } from '../errors.ts';
import type { ApiObject, ObjectSource } from '../objects/object-source.ts';
import { decidedSettings } from './decided-settings.ts';
import { DEVICE_PREFIX } from './lazy-devices.ts';
import type { DeviceDirectory, DirectoryEntry } from './device-directory.ts';

/** What a {@link ReplicaDirectory} needs. */
export interface ReplicaDirectoryOptions {
  readonly replica: Pick<ReplicaStore, 'entries'>;
  /** `node/<name>`. */
  readonly scope: string;
  /** The same objects, parsed; `get` throws `ERR_EDGE_STORE_DAMAGED` for what the disk lost. */
  readonly objects: ObjectSource;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keys of models in the replica begin so. */
const MODEL_PREFIX = 'devicemodels.devices.kubeedge.io/';
/** Devices that are read at the same time. */
const PARALLEL_READS = 8;
/** Wait before what could not be read is read again, milliseconds. */
const READ_AGAIN_MS = 5_000;

type Listener = (id: string, entry: DirectoryEntry | undefined) => void;

interface Known {
  readonly entry: DirectoryEntry;
  /** Another one where anything in `entry` is. */
  readonly mark: string;
}

/**
 * The {@link DeviceDirectory} over the replica. Changes only name keys; what becomes of them is read then, one look at a
 * time for each device. A device whose object was lost to damage is as it was: nobody took it away. A model may come
 * later than its devices, and each change of it is one of theirs.
 */
export class ReplicaDirectory implements DeviceDirectory {
  readonly #options: ReplicaDirectoryOptions;
  readonly #known = new Map<string, Known>();
  /** Key of the model that each device refers to, by the key of the device. */
  readonly #models = new Map<ContentKey, ContentKey>();
  readonly #dirty = new Set<ContentKey>();
  readonly #listeners = new Set<Listener>();
  #ending: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #again: Timer | undefined;

  constructor(options: ReplicaDirectoryOptions) {
    this.#options = options;
  }

  /** Idempotent. */
  async start(): Promise<void> {
    this.#ending ??= this.#options.objects.listen((keys) => this.#changed(keys));
    for (const key of this.#keys()) this.#dirty.add(key);
    this.#work();
    await this.#working;
  }

  /** Resolves when nothing is read any more. Idempotent. */
  async stop(): Promise<void> {
    this.#ending?.();
    this.#ending = undefined;
    this.#again?.cancel();
    this.#dirty.clear();
    await this.#working;
  }

  get(namespace: string, name: string): DirectoryEntry | undefined {
    return this.#known.get(`${namespace}/${name}`)?.entry;
  }

  list(): readonly DirectoryEntry[] {
    return [...this.#known.values()].map(({ entry }) => entry);
  }

  has(namespace: string, name: string): boolean {
    const { replica, scope } = this.#options;
    const key = `${DEVICE_PREFIX}${namespace}/${name}`;
    return this.#known.has(`${namespace}/${name}`) || replica.entries(scope).has(key);
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #keys(): readonly ContentKey[] {
    const { replica, scope } = this.#options;
    return [...replica.entries(scope).keys()].filter((key) => key.startsWith(DEVICE_PREFIX));
  }

  #changed(keys: readonly ContentKey[]): void {
    const models = new Set<ContentKey>();
    for (const key of keys) {
      if (key.startsWith(DEVICE_PREFIX)) this.#dirty.add(key);
      else if (key.startsWith(MODEL_PREFIX)) models.add(key);
    }
    if (models.size > 0)
      for (const [device, model] of this.#models) if (models.has(model)) this.#dirty.add(device);
    this.#work();
  }

  #work(): void {
    if (this.#dirty.size === 0) return;
    this.#working ??= this.#workAll().finally(() => {
      this.#working = undefined;
      this.#work();
    });
  }

  async #workAll(): Promise<void> {
    while (this.#dirty.size > 0) {
      const keys = [...this.#dirty].slice(0, PARALLEL_READS);
      for (const key of keys) this.#dirty.delete(key);
      await Promise.all(keys.map((key) => this.#look(key)));
    }
  }

  /** Sees what a device is now. Never rejects. */
  async #look(key: ContentKey): Promise<void> {
    try {
      const object = await this.#options.objects.get(key);
      if (this.#ending === undefined) return;
      if (object === undefined) this.#gone(key);
      else await this.#found(key, object);
    } catch (error) {
      // Lost: it is as it was until the hub has sent it again, which is a change.
      if (isLost(error)) return;
      this.#options.log.warn({ err: error, key }, 'a device cannot be read; tried again');
      this.#lookAgain(key);
    }
  }

  async #found(key: ContentKey, object: ApiObject): Promise<void> {
    const { namespace, name } = parseKey(key);
    const { modelKey, uid } = referencesOf(object, namespace);
    if (modelKey === undefined) this.#models.delete(key);
    else this.#models.set(key, modelKey);
    const id = `${namespace}/${name}`;
    let model: ApiObject | undefined;
    try {
      model = modelKey === undefined ? undefined : await this.#options.objects.get(modelKey);
    } catch (error) {
      // The model was lost, and comes again: what was made of it stays.
      if (!isLost(error) || this.#known.get(id)?.entry.uid === uid) throw error;
    }
    if (this.#ending === undefined) return;
    this.#show({ id, namespace, name, uid, decided: decidedSettings(object) }, bindDevice(object, model));
  }

  #show(
    { id, ...names }: Pick<DirectoryEntry, 'id' | 'namespace' | 'name' | 'uid' | 'decided'>,
    { device, desired, problems }: Binding,
  ): void {
    const known = this.#known.get(id);
    const before = known?.entry.uid === names.uid ? known.entry : undefined;
    if (known !== undefined && before === undefined) {
      this.#known.delete(id);
      this.#tell(id, undefined);
    }
    // What the hub has decided is of the same version as what it wants.
    const { decided } = device === undefined && before !== undefined ? before : names;
    const made = device === undefined ? before : { device, desired };
    const inForce = made?.device;
    const revision = inForce === undefined ? '' : revisionOf(inForce);
    const versions = [...(made?.desired ?? [])].map(([property, { version }]) => [property, version]);
    const mark = JSON.stringify([revision, versions, problems, [...decided]]);
    if (before !== undefined && known?.mark === mark) return;
    const isSame = before?.device !== undefined && known?.mark.startsWith(`["${revision}"`) === true;
    const entry: DirectoryEntry = {
      ...{ id, ...names, decided, problems },
      device: isSame ? before.device : inForce,
      desired: made?.desired ?? new Map(),
    };
    this.#known.set(id, { entry, mark });
    this.#tell(id, entry);
  }

  #gone(key: ContentKey): void {
    const { namespace, name } = parseKey(key);
    this.#models.delete(key);
    const id = `${namespace}/${name}`;
    this.#known.delete(id);
    // One that could not be read has been here, too: there may be something of it on the disk.
    this.#tell(id, undefined);
  }

  #lookAgain(key: ContentKey): void {
    this.#again?.cancel();
    this.#dirtyLater.add(key);
    this.#again = this.#options.clock.setTimer(
      READ_AGAIN_MS,
      () => {
        for (const each of this.#dirtyLater) this.#dirty.add(each);
        this.#dirtyLater.clear();
        this.#work();
      },
      { background: true },
    );
  }

  readonly #dirtyLater = new Set<ContentKey>();

  /** A listener that throws must not keep the others from hearing of it. */
  #tell(id: string, entry: DirectoryEntry | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(id, entry);
      } catch (error) {
        this.#options.log.error({ err: error, device: id }, 'a listener of the devices failed');
      }
    }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof EdgeCoreError && error.code === 'ERR_EDGE_STORE_DAMAGED';
}

/** What a Device refers to, whatever else is wrong with it. */
function referencesOf(
  { metadata, spec }: ApiObject,
  namespace: string,
): { readonly modelKey: ContentKey | undefined; readonly uid: string } {
  const { uid } = fields(metadata);
  const { name } = fields(fields(spec)['deviceModelRef']);
  return {
    uid: typeof uid === 'string' ? uid : '',
    modelKey: isName(name) ? `${MODEL_PREFIX}${namespace}/${name}` : undefined,
  };
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[a-z0-9][-a-z0-9.]*$/.test(name);
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
