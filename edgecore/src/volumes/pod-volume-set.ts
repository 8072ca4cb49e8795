import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Clock, Logger, Timer } from '@hawser/seams';
import type { ContentKey } from '@hawser/sync';
import { wholeUnits } from '../containers/resource-fields.ts';
import { podName, type Pod } from '../pods/pod.ts';
import type { PodFolders } from '../pods/pod-folders.ts';
import { PodError } from '../pods/pod-error.ts';
import type { PodVolume, ProjectedSource } from '../pods/volume-source.ts';
import { AtomicWriter } from './atomic-writer.ts';
import { findClaimed } from './claimed-volume.ts';
import { makeEmptyDir, memorySize } from './empty-dir.ts';
import { applyFsGroup } from './fs-group.ts';
import { checkHostPath } from './host-path.ts';
import type { Mounter } from './mounter.ts';
import type { LimitedVolume } from './size-watch.ts';
import { failedMount, messageOf, VolumeError } from './volume-error.ts';
import { exists, makeVolumeFolder, writeMarker } from './volume-folder.ts';
import { isSecret, payloadKeys, projections, volumePayload, type PayloadSources } from './volume-payload.ts';

/** A volume that containers may be given. */
export interface ReadyVolume {
  readonly hostPath: string;
  readonly readOnly: boolean;
  /** Group that its users need. */
  readonly gid?: number;
}

/** What the volumes of one pod need. */
export interface PodVolumeSetOptions extends PayloadSources {
  readonly node: string;
  readonly folders: PodFolders;
  readonly mounter: Mounter;
  /** The set depends on this object. */
  readonly onKey: (key: ContentKey) => void;
  /** What a mount that failed waits for has changed. */
  readonly onSource: () => void;
  /** `fsGroup` of another pod of this node that uses a local PersistentVolume now. */
  readonly groupInUse: (persistentVolume: string) => number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A volume whose files follow its sources. */
interface Content {
  readonly volume: PodVolume;
  readonly writer: AtomicWriter;
}

/** Folder below `kubernetes.io~` for each kind. */
const KINDS = {
  configMap: 'configmap',
  secret: 'secret',
  downwardAPI: 'downward-api',
  projected: 'projected',
} as const;
const OTHER_KINDS: readonly string[] = ['emptyDir', 'hostPath', 'persistentVolumeClaim'];
/** A file that could not be written (the disk is full) is tried again after this time. */
const RETRY_MS = 10_000;

/** The volumes of one pod: makes them ready, and keeps their contents up to date. What it is asked is done in turn. */
export class PodVolumeSet {
  readonly uid: string;
  readonly #options: PodVolumeSetOptions;
  readonly #ready = new Map<string, ReadyVolume>();
  readonly #contents = new Map<string, Content>();
  readonly #localVolumes = new Set<string>();
  /** Names of volumes by what they depend on. */
  readonly #dependents = new Map<ContentKey, Set<string>>();
  readonly #dirty = new Set<string>();
  /** Volumes that are to be tried again. */
  readonly #failed = new Set<string>();
  readonly #closing = new AbortController();
  #pod: Pod;
  #queue: Promise<void> = Promise.resolve();
  #refreshing = false;
  #mounted = false;
  #waits = false;
  #retry: Timer | undefined;

  constructor(pod: Pod, options: PodVolumeSetOptions) {
    this.uid = pod.metadata.uid;
    this.#pod = pod;
    this.#options = options;
  }

  /** Objects that it depends on. */
  get keys(): IterableIterator<ContentKey> {
    return this.#dependents.keys();
  }

  get groups(): readonly number[] {
    return [...new Set([...this.#ready.values()].map(({ gid }) => gid).filter((gid) => gid !== undefined))];
  }

  volume(name: string): ReadyVolume | undefined {
    return this.#ready.get(name);
  }

  /** Its `fsGroup`, where it uses this PersistentVolume and has one. */
  groupOf(persistentVolume: string): number | undefined {
    return this.#localVolumes.has(persistentVolume) ? this.#fsGroup : undefined;
  }

  /** Its emptyDir volumes on the disk that have a limit. */
  limited(): readonly LimitedVolume[] {
    return (this.#pod.spec.volumes ?? []).flatMap(({ name, emptyDir }) => {
      const { medium = '', sizeLimit } = emptyDir ?? {};
      const hostPath = this.#ready.get(name)?.hostPath;
      if (sizeLimit === undefined || medium !== '' || hostPath === undefined) return [];
      const limitBytes = wholeUnits(sizeLimit);
      const limit = String(sizeLimit);
      return limitBytes > 0n ? [{ uid: this.uid, name, folder: hostPath, limit, limitBytes }] : [];
    });
  }

  /** See `PodVolumes.mount`. */
  mount(pod: Pod, signal: AbortSignal): Promise<void> {
    this.update(pod);
    if (this.#mounted) return Promise.resolve();
    return this.#inTurn(() => this.#mountAll(AbortSignal.any([signal, this.#closing.signal])));
  }

  /** The pod's object has changed. */
  update(pod: Pod): void {
    if (pod === this.#pod) return;
    this.#pod = pod;
    this.#touch(this.#named(({ downwardAPI }) => downwardAPI !== undefined));
  }

  /** An object that it depends on has changed. */
  changed(key: ContentKey): void {
    const names = this.#dependents.get(key);
    if (names === undefined) return;
    if (this.#waits) this.#options.onSource();
    this.#touch(names);
  }

  /** It has a token that it did not have. */
  tokenChanged(): void {
    if (this.#waits) this.#options.onSource();
    this.#touch(this.#named(({ serviceAccountToken }) => serviceAccountToken !== undefined));
  }

  /** Gives up what is under way, and does nothing any more. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the volumes of the pod are not needed any more'));
    this.#retry?.cancel();
    await this.#queue;
  }

  get #fsGroup(): number | undefined {
    return this.#pod.spec.securityContext?.fsGroup;
  }

  #inTurn(job: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(job);
    this.#queue = done.catch(() => {}); // whoever asked for it hears of it
    return done;
  }

  async #mountAll(signal: AbortSignal): Promise<void> {
    const errors: PodError[] = [];
    this.#waits = true; // what changes meanwhile may be what was found missing
    for (const volume of this.#volumes()) {
      if (this.#ready.has(volume.name)) continue;
      signal.throwIfAborted();
      try {
        this.#ready.set(volume.name, await this.#makeReady(volume, signal));
      } catch (error) {
        signal.throwIfAborted();
        errors.push(error instanceof PodError ? error : failedMount(volume.name, error));
      }
    }
    const [first] = errors;
    if (first === undefined) {
      this.#mounted = true;
      this.#waits = false;
      return;
    }
    if (errors.length === 1) throw first;
    const message = errors.map((error) => error.message).join('; ');
    const isFinal = errors.some((error) => error.isFinal);
    throw new PodError('FailedMount', message, { cause: new AggregateError(errors), isFinal });
  }

  async #makeReady(volume: PodVolume, signal: AbortSignal): Promise<ReadyVolume> {
    const { name, emptyDir, hostPath, persistentVolumeClaim } = volume;
    if (!isFileName(name)) throw new VolumeError('its name is no name of a file', { isFinal: true });
    if (emptyDir !== undefined) return this.#emptyDir(volume, emptyDir);
    if (hostPath !== undefined) {
      await checkHostPath(hostPath);
      return { hostPath: hostPath.path, readOnly: false };
    }
    if (persistentVolumeClaim !== undefined)
      return this.#claimed({ ...volume, persistentVolumeClaim }, signal);
    return this.#content(volume, signal);
  }

  async #emptyDir({ name }: PodVolume, source: NonNullable<PodVolume['emptyDir']>): Promise<ReadyVolume> {
    const { folders, mounter, allocatable } = this.#options;
    const place = {
      folder: folders.volume(this.uid, 'empty-dir', name),
      marker: this.#marker('empty-dir', name),
    };
    await makeEmptyDir(place, source, this.#pod, allocatable(), mounter);
    return { hostPath: place.folder, readOnly: false };
  }

  async #claimed(volume: Parameters<typeof findClaimed>[1], signal: AbortSignal): Promise<ReadyVolume> {
    const { node, objects } = this.#options;
    const seen = (key: ContentKey): void => this.#depend(key, volume.name);
    const claimed = await findClaimed(this.#pod, volume, node, objects, seen);
    if (claimed.kind === 'local' && !claimed.readOnly) {
      await this.#giveLocal(claimed.name, claimed.hostPath, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw failedMount(claimed.name, error);
      });
    }
    const { hostPath, readOnly, gid } = claimed;
    return { hostPath, readOnly, ...(gid !== undefined && { gid }) };
  }

  /** Once for each pod, and not while another pod uses it: that one has done so. */
  async #giveLocal(name: string, folder: string, signal: AbortSignal): Promise<void> {
    const gid = this.#fsGroup;
    const marker = this.#marker('local-volume', name);
    if (gid === undefined || (await exists(marker))) {
      this.#localVolumes.add(name);
      return;
    }
    const other = this.#options.groupInUse(name);
    if (other === undefined) {
      const onRootMismatch = this.#pod.spec.securityContext?.fsGroupChangePolicy === 'OnRootMismatch';
      await applyFsGroup(await realpath(folder), { gid, readOnly: false, onRootMismatch }, signal);
    } else if (other !== gid) {
      const message = `The requested fsGroup is ${gid}, but the volume ${name} has GID ${other}. The volume may not be shareable.`;
      this.#options.log.warn({ pod: podName(this.#pod), uid: this.uid }, message);
    }
    await writeMarker(marker);
    this.#localVolumes.add(name);
  }

  async #content(volume: PodVolume, signal: AbortSignal): Promise<ReadyVolume> {
    const { folders, mounter, allocatable } = this.#options;
    const kind = Object.entries(KINDS).find(
      ([field]) => volume[field as keyof typeof KINDS] !== undefined,
    )?.[1];
    if (kind === undefined) throw unsupported(volume);
    for (const key of payloadKeys(this.#pod, volume)) this.#depend(key, volume.name);
    const folder = folders.volume(this.uid, kind, volume.name);
    const content = { volume, writer: new AtomicWriter(folder, this.#fsGroup) };
    this.#dirty.delete(volume.name);
    // What is missing is found before anything is made.
    const payload = await volumePayload(this.#pod, volume, this.#options);
    const memory = isSecret(volume)
      ? { sizeBytes: memorySize(this.#pod, undefined, allocatable()) }
      : undefined;
    await makeVolumeFolder({ folder, memory, gid: this.#fsGroup, readOnly: true }, mounter);
    await content.writer.write(payload, this.#now(), signal);
    this.#contents.set(volume.name, content);
    return { hostPath: folder, readOnly: true };
  }

  #marker(kind: string, name: string): string {
    return path.join(this.#options.folders.pod(this.uid), 'plugins', `kubernetes.io~${kind}`, name, 'ready');
  }

  #depend(key: ContentKey, name: string): void {
    let names = this.#dependents.get(key);
    if (names === undefined) {
      names = new Set();
      this.#dependents.set(key, names);
      this.#options.onKey(key);
    }
    names.add(name);
  }

  /** Volumes that are in use. What no container mounts is left out. Source: kubelet, volumemanager/populator. */
  #volumes(): readonly PodVolume[] {
    const { containers, initContainers = [], volumes = [] } = this.#pod.spec;
    const mounts = [...containers, ...initContainers].flatMap(({ volumeMounts = [] }) => volumeMounts);
    const used = new Set(mounts.map(({ name }) => name));
    return volumes.filter(({ name }) => used.has(name));
  }

  /** Volumes that have a source like this. */
  #named(like: (source: ProjectedSource) => boolean): readonly string[] {
    return this.#volumes()
      .filter((volume) => projections(volume).some(like))
      .map(({ name }) => name);
  }

  /**
   * Has the contents of these volumes written anew, soon. A volume that is just being made ready may have read what
   * was before: it is among them.
   */
  #touch(names: Iterable<string>): void {
    for (const name of names) this.#dirty.add(name);
    if (this.#dirty.size === 0 || this.#refreshing || this.#closing.signal.aborted) return;
    this.#refreshing = true;
    void this.#inTurn(() => this.#refresh());
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    this.#refreshing = false;
    for (const name of [...this.#dirty]) {
      this.#dirty.delete(name);
      this.#failed.delete(name);
      const content = this.#contents.get(name);
      if (content === undefined || this.#closing.signal.aborted) continue;
      try {
        const payload = await volumePayload(this.#pod, content.volume, this.#options);
        await content.writer.write(payload, this.#now(), this.#closing.signal);
      } catch (error) {
        this.#refreshFailed(name, error);
      }
    }
  }

  /** What is there stays. A source that is missing tells when it comes; anything else is tried again. */
  #refreshFailed(name: string, error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const fields = { pod: podName(this.#pod), uid: this.uid, volume: name };
    this.#options.log.warn(fields, `a volume keeps its contents: ${messageOf(error)}`);
    if (error instanceof VolumeError && error.cause === undefined) return;
    this.#failed.add(name);
    this.#retry?.cancel();
    this.#retry = this.#options.clock.setTimer(RETRY_MS, () => this.#touch(this.#failed), {
      background: true,
    });
  }

  #now(): Date {
    return new Date(this.#options.clock.wallMs());
  }
}

/** What becomes part of a path. */
export function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

function unsupported(volume: PodVolume): VolumeError {
  const known: readonly string[] = ['name', ...Object.keys(KINDS), ...OTHER_KINDS];
  const kind = Object.keys(volume).find((field) => !known.includes(field)) ?? 'none';
  return new VolumeError(`this node has no volumes of kind ${kind}`, { isFinal: true });
}
