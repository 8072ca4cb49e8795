import { mkdtempSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, systemClock, type Logger } from '@hawser/seams';
import type { Pod } from '../../src/pods/pod.ts';
import { PodFolders } from '../../src/pods/pod-folders.ts';
import type { PodVolume } from '../../src/pods/volume-source.ts';
import type { KeptToken } from '../../src/tokens/token-manager.ts';
import { mountsBelow } from '../../src/volumes/mount-table.ts';
import { SystemMounter, type Mounter } from '../../src/volumes/mounter.ts';
import type { OpenEntry } from '../../src/volumes/open-folder.ts';
import { VolumeManager, type VolumeManagerOptions } from '../../src/volumes/volume-manager.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { MemoryObjects } from './memory-objects.ts';

/** Mounts for real, and counts the programs. */
export class CountingMounter implements Mounter {
  readonly #mounter = new SystemMounter();
  readonly calls: string[] = [];

  tmpfs(folder: string, sizeBytes?: bigint): Promise<void> {
    this.calls.push('tmpfs');
    return this.#mounter.tmpfs(folder, sizeBytes);
  }

  bind(source: OpenEntry, target: string): Promise<void> {
    this.calls.push('bind');
    return this.#mounter.bind(source, target);
  }

  unmount(paths: readonly string[], lazy?: boolean): Promise<void> {
    this.calls.push(lazy === true ? 'unmount lazily' : 'unmount');
    return this.#mounter.unmount(paths, lazy);
  }
}

/** A node's volumes in a folder of a test's own. */
export class VolumeSite {
  readonly dir = realpathSync(mkdtempSync(path.join(tmpdir(), 'hawser-volumes-')));
  readonly folders = new PodFolders({ dataDir: this.dir, logRoot: path.join(this.dir, 'logs') });
  readonly objects = new MemoryObjects();
  readonly mounter = new CountingMounter();
  /** Tokens by audience, of every pod. */
  readonly tokens = new Map<string, string>();
  readonly sources: string[] = [];
  readonly over: string[] = [];
  readonly logged: string[] = [];
  readonly #wish: Partial<VolumeManagerOptions>;
  volumes: VolumeManager;

  constructor(wish: Partial<VolumeManagerOptions> = {}) {
    this.#wish = wish;
    this.volumes = this.#make();
  }

  /** As a restart of the edge core would: everything in memory is gone. */
  async restart(): Promise<void> {
    await this.volumes.stop();
    this.volumes = this.#make();
    await this.volumes.start();
  }

  async mount(pod: Pod): Promise<void> {
    await this.volumes.mount(pod, AbortSignal.timeout(20_000));
  }

  async unmount(pod: Pod): Promise<void> {
    await this.volumes.unmount(pod.metadata.uid, AbortSignal.timeout(20_000));
  }

  mounts(pod: Pod, env: Readonly<Record<string, string>> = {}): ReturnType<VolumeManager['mounts']> {
    const [container = { name: 'none' }] = pod.spec.containers;
    return this.volumes.mounts(pod, container, new Map(Object.entries(env)), AbortSignal.timeout(20_000));
  }

  /** Where a container finds its first mount, on the host. */
  async place(pod: Pod): Promise<string> {
    const [first] = await this.mounts(pod);
    return first?.hostPath ?? '';
  }

  /** Mounts of the pod. */
  mounted(pod: Pod): Promise<readonly string[]> {
    return mountsBelow(this.folders.pod(pod.metadata.uid));
  }

  async close(): Promise<void> {
    await this.volumes.stop();
    const rest = await mountsBelow(this.dir);
    if (rest.length > 0) await new SystemMounter().unmount(rest.toReversed(), true);
  }

  #make(): VolumeManager {
    const log: Logger = {
      ...silentLogger,
      warn: (_, message) => this.logged.push(message),
      child: () => log,
    };
    return new VolumeManager({
      node: 'edge-1',
      folders: this.folders,
      objects: this.objects,
      tokens: {
        get: (_, wish): (KeptToken & { expired: boolean }) | undefined => {
          const token = this.tokens.get(wish?.audience ?? '');
          return token === undefined ? undefined : { token, receivedMs: 0, expiresMs: 1, expired: false };
        },
      },
      allocatable: () => ({ memory: '64Mi', cpu: '1' }),
      onSource: (uid) => this.sources.push(uid),
      onOverLimit: (uid, message) => this.over.push(`${uid}: ${message}`),
      mounter: this.mounter,
      clock: systemClock,
      log,
      ...this.#wish,
    });
  }
}

/** A pod with one volume, mounted once. */
export function podWith(
  name: string,
  volume: Omit<PodVolume, 'name'>,
  wish: Partial<Pod['spec']> & {
    readonly mount?: object;
    readonly labels?: Readonly<Record<string, string>>;
  } = {},
): Pod {
  const { mount = {}, labels = {}, ...spec } = wish;
  return makePod(name, {
    metadata: { labels },
    spec: {
      containers: [{ name: 'main', volumeMounts: [{ name: 'v', mountPath: '/v', ...mount }] }],
      volumes: [{ name: 'v', ...volume }],
      ...spec,
    },
  });
}

/** Text of a file; undefined: there is none. */
export function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
