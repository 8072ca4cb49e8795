import { mkdir, readdir, realpath } from 'node:fs/promises';
import type { Clock, Logger } from '@hawser/seams';
import type { ContentKey } from '@hawser/sync';
import { ContainerError } from '../pods/container-error.ts';
import { podName, type Pod, type PodContainer } from '../pods/pod.ts';
import { PodError } from '../pods/pod-error.ts';
import type { PodFolders } from '../pods/pod-folders.ts';
import type { ContainerMount } from '../runtime/container-config.ts';
import { containerMount, type ResolvedMount } from './container-mounts.ts';
import { SystemMounter, type Mounter } from './mounter.ts';
import { isFileName, PodVolumeSet } from './pod-volume-set.ts';
import type { PodVolumes } from './pod-volumes.ts';
import { removePod } from './remove-pod.ts';
import { MakeFolderError } from './safe-path.ts';
import { SizeWatch } from './size-watch.ts';
import { bindSubPath } from './sub-paths.ts';
import type { PayloadSources } from './volume-payload.ts';

/** What a {@link VolumeManager} needs. */
export interface VolumeManagerOptions extends PayloadSources {
  /** Name of this node. */
  readonly node: string;
  readonly folders: PodFolders;
  /** What a mount of this pod that failed waits for has come or changed: it may be tried again at once. */
  readonly onSource: (uid: string) => void;
  /**
   * An emptyDir volume of this pod is larger than its limit: the pod is to be evicted (phase Failed, reason `Evicted`,
   * this message). Said with each measurement.
   */
  readonly onOverLimit: (uid: string, message: string) => void;
  /** Whether what runs this pod can make mounts below a read-only one read-only too. Default: it cannot. */
  readonly recursiveReadOnly?: (pod: Pod) => boolean;
  /** Time between measurements of emptyDir volumes with a limit, milliseconds. Default 60000, a kubelet's. */
  readonly measurePeriodMs?: number;
  /** Default: the programs of util-linux. */
  readonly mounter?: Mounter;
  readonly clock: Clock;
  readonly log: Logger;
}

const MEASURE_PERIOD_MS = 60_000;
const ROOT_MODE = 0o750;
/** The file system's own, where the folder of pods is the root of one: no pod's, and not to be removed. */
const LOST_AND_FOUND = 'lost+found';

/** The {@link PodVolumes} of a node. */
export class VolumeManager implements PodVolumes {
  readonly #options: VolumeManagerOptions;
  readonly #mounter: Mounter;
  readonly #watch: SizeWatch;
  readonly #sets = new Map<string, PodVolumeSet>();
  /** Who depends on an object. */
  readonly #dependents = new Map<ContentKey, Set<PodVolumeSet>>();
  /** Pods that a life before has left, and that nobody has asked for yet. */
  readonly #left = new Set<string>();
  #stopping = new AbortController();
  #root: string;
  #unlisten: (() => void) | undefined;

  constructor(options: VolumeManagerOptions) {
    this.#options = options;
    this.#root = options.folders.root;
    this.#mounter = options.mounter ?? new SystemMounter();
    this.#watch = new SizeWatch({
      volumes: () => [...this.#sets.values()].flatMap((set) => set.limited()),
      onOverLimit: options.onOverLimit,
      periodMs: options.measurePeriodMs ?? MEASURE_PERIOD_MS,
      clock: options.clock,
      log: options.log,
    });
  }

  async start(): Promise<void> {
    if (this.#unlisten !== undefined) return;
    this.#stopping = new AbortController();
    await mkdir(this.#options.folders.root, { recursive: true, mode: ROOT_MODE });
    this.#root = await realpath(this.#options.folders.root);
    for (const uid of await this.uids()) this.#left.add(uid);
    this.#unlisten = this.#options.objects.listen((keys) => this.#changed(keys));
    this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the edge is stopping'));
    this.#unlisten?.();
    this.#unlisten = undefined;
    await this.#watch.stop();
    const sets = [...this.#sets.values()];
    await Promise.all(sets.map((set) => this.#forget(set)));
  }

  async mount(pod: Pod, signal: AbortSignal): Promise<void> {
    if (!isFileName(pod.metadata.uid)) {
      throw new PodError('FailedMount', 'the UID of the pod is no name of a file', { isFinal: true });
    }
    await this.#setOf(pod).mount(pod, signal);
  }

  async mounts(
    pod: Pod,
    container: PodContainer,
    env: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<readonly ContainerMount[]> {
    const set = this.#sets.get(pod.metadata.uid);
    const recursiveReadOnly = this.#options.recursiveReadOnly?.(pod) ?? false;
    const resolved = (container.volumeMounts ?? []).map((mount) => ({
      ...containerMount({ container, mount, volume: set?.volume(mount.name), env, recursiveReadOnly }),
      name: mount.name,
    }));
    const mounts: ContainerMount[] = [];
    for (const [index, each] of resolved.entries()) {
      signal.throwIfAborted();
      mounts.push(each.subPath === '' ? each.mount : await this.#subPath(pod, container, index, each));
    }
    return mounts;
  }

  supplementalGroups(pod: Pod): readonly number[] {
    return this.#sets.get(pod.metadata.uid)?.groups ?? [];
  }

  update(pod: Pod): void {
    const { uid } = pod.metadata;
    const set = this.#sets.get(uid);
    if (set !== undefined) set.update(pod);
    else if (this.#left.has(uid)) this.#adopt(pod);
  }

  /** The pod has another token than before: what shows it follows. For `TokenManager.onToken`. */
  tokenChanged(uid: string): void {
    this.#sets.get(uid)?.tokenChanged();
  }

  async unmount(uid: string, signal: AbortSignal): Promise<void> {
    if (!isFileName(uid)) return; // such a pod was never mounted
    const set = this.#sets.get(uid);
    this.#left.delete(uid);
    if (set !== undefined) await this.#forget(set);
    const { clock, log } = this.#options;
    await removePod({ root: this.#root, uid, mounter: this.#mounter, clock, log }, signal);
  }

  async uids(): Promise<readonly string[]> {
    const entries = await readdir(this.#root, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && entry.name !== LOST_AND_FOUND)
      .map(({ name }) => name);
  }

  #setOf(pod: Pod): PodVolumeSet {
    const { uid } = pod.metadata;
    const present = this.#sets.get(uid);
    if (present !== undefined) return present;
    const { node, folders, objects, tokens, allocatable, clock, log, onSource } = this.#options;
    const set: PodVolumeSet = new PodVolumeSet(pod, {
      ...{ node, folders, objects, tokens, allocatable, clock, log, mounter: this.#mounter },
      apiForPods: this.#options.apiForPods,
      onKey: (key) => this.#depend(key, set),
      onSource: () => onSource(uid),
      groupInUse: (name) => this.#groupInUse(name),
    });
    this.#sets.set(uid, set);
    this.#left.delete(uid);
    return set;
  }

  /** A pod that ran when this life began: its volumes are seen to be there, and follow their sources again. */
  #adopt(pod: Pod): void {
    this.mount(pod, this.#stopping.signal).catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return;
      this.#options.log.warn({ err: error, pod: podName(pod), uid: pod.metadata.uid }, 'volumes of a pod');
    });
  }

  async #subPath(
    pod: Pod,
    container: PodContainer,
    index: number,
    { mount, subPath, name }: ResolvedMount & { readonly name: string },
  ): Promise<ContainerMount> {
    const { folders, log } = this.#options;
    const target = folders.subPath(pod.metadata.uid, name, container.name, index);
    try {
      return { ...mount, hostPath: await bindSubPath(mount.hostPath, subPath, target, this.#mounter) };
    } catch (error) {
      // In full only here: it could tell a pod about the host's files.
      log.warn({ err: error, pod: podName(pod), container: container.name, volume: name }, 'no sub-path');
      const step = error instanceof MakeFolderError ? 'create subPath directory' : 'prepare subPath';
      const message = `failed to ${step} for volumeMount "${name}" of container "${container.name}"`;
      throw new ContainerError('CreateContainerConfigError', message, { cause: error });
    }
  }

  #groupInUse(persistentVolume: string): number | undefined {
    for (const set of this.#sets.values()) {
      const gid = set.groupOf(persistentVolume);
      if (gid !== undefined) return gid;
    }
    return undefined;
  }

  #depend(key: ContentKey, set: PodVolumeSet): void {
    const sets = this.#dependents.get(key) ?? new Set();
    this.#dependents.set(key, sets.add(set));
  }

  #changed(keys: readonly ContentKey[]): void {
    for (const key of keys) for (const set of this.#dependents.get(key) ?? []) set.changed(key);
  }

  async #forget(set: PodVolumeSet): Promise<void> {
    await set.close();
    if (this.#sets.get(set.uid) === set) this.#sets.delete(set.uid);
    for (const key of set.keys) {
      const sets = this.#dependents.get(key);
      if (sets?.delete(set) === true && sets.size === 0) this.#dependents.delete(key);
    }
  }
}
