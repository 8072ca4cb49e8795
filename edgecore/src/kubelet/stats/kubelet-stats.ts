import path from 'node:path';
import type { Clock } from '@hawser/seams';
import type { Machine } from '../../node/machine.ts';
import type { Pod } from '../../pods/pod.ts';
import type { PodFolders } from '../../pods/pod-folders.ts';
import type { PodVolume } from '../../pods/volume-source.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';
import { CpuRates } from './cpu-rates.ts';
import { fileSystemUsage, folderUsage, memoryVolumeUsage, type FileUsage } from './file-usage.ts';
import { podUsages, type PodUsage } from './pod-usage.ts';
import { readProcUsage, type ProcUsage } from './proc-usage.ts';
import { resourceMetrics } from './resource-metrics.ts';
import { EDGECORE_RATE, NODE_RATE, summary, type SummaryInput } from './summary.ts';

/** What {@link KubeletStats} are read from. */
export interface KubeletStatsOptions {
  /** Name of the node. */
  readonly node: string;
  readonly machine: Machine;
  readonly runtime: Pick<ContainerRuntime, 'list' | 'usage' | 'images'>;
  readonly pods: () => readonly Pod[];
  readonly folders: PodFolders;
  readonly clock: Clock;
  /** Prefix of `/proc`, for tests. */
  readonly root?: string;
}

/** How long the runtime has to say what containers use, milliseconds. */
const USAGE_MS = 10_000;

/** Kinds of volumes that may be in memory, as their folders are named. */
const MEMORY_VOLUMES = {
  emptyDir: 'empty-dir',
  secret: 'secret',
  configMap: 'configmap',
  downwardAPI: 'downward-api',
  projected: 'projected',
} as const satisfies Partial<Record<keyof PodVolume, string>>;

/** What the node, its pods and containers use, as `kubectl top` and autoscalers want to know it. */
export class KubeletStats {
  readonly #options: KubeletStatsOptions;
  readonly #rates = new CpuRates();
  readonly #startedMs: number;

  constructor(options: KubeletStatsOptions) {
    this.#options = options;
    this.#startedMs = options.clock.wallMs() - process.uptime() * 1000;
  }

  /**
   * A Summary of kubelet stats/v1alpha1.
   * @param onlyCpuAndMemory leave out what is read from file systems
   * @throws RuntimeError where the runtime does not say what containers use
   */
  async summary(onlyCpuAndMemory: boolean): Promise<object> {
    const { node, clock, machine, root } = this.#options;
    const pods = await this.#podUsages();
    const usage = readProcUsage(clock.wallMs(), root);
    const edgecore = this.#edgecore();
    const rates = this.#readRates(usage, edgecore.cpuNanos, pods);
    return summary({
      ...{ node, pods, edgecore },
      machine: usage,
      pids: machine.read().pids,
      rateOf: (id) => rates.get(id),
      files: onlyCpuAndMemory ? undefined : await this.#files(pods, new Date(usage.atMs).toISOString()),
    });
  }

  /** Text of Prometheus. A runtime that fails shows in it. */
  async resourceMetrics(): Promise<string> {
    const { clock, root } = this.#options;
    const pods = await this.#podUsages().catch(() => undefined); // says so: resource_scrape_error
    return resourceMetrics(readProcUsage(clock.wallMs(), root), pods);
  }

  async #podUsages(): Promise<readonly PodUsage[]> {
    const { runtime } = this.#options;
    const usages = await runtime.usage(AbortSignal.timeout(USAGE_MS));
    return podUsages(await runtime.list(), usages);
  }

  #edgecore(): SummaryInput['edgecore'] {
    const { user, system } = process.cpuUsage();
    return {
      cpuNanos: (user + system) * 1000,
      rssBytes: process.memoryUsage.rss(),
      startedMs: this.#startedMs,
    };
  }

  #readRates(
    machine: ProcUsage,
    edgecoreNanos: number,
    pods: readonly PodUsage[],
  ): ReadonlyMap<string, number | undefined> {
    const readings: (readonly [id: string, atMs: number, nanos: number])[] = [
      [NODE_RATE, machine.atMs, machine.cpuNanos],
      [EDGECORE_RATE, machine.atMs, edgecoreNanos],
      ...pods.flatMap(({ containers }) =>
        containers.map(({ id, usage }) => [id, usage.atMs, usage.cpuNanos] as const),
      ),
    ];
    const rates = new Map<string, number | undefined>(
      readings.map(([id, atMs, nanos]) => [id, this.#rates.rate(id, atMs, nanos)]),
    );
    this.#rates.keep(new Set(rates.keys()));
    // The sum of its counters goes back when one of them begins anew; the sum of its rates does not.
    for (const { uid, containers } of pods) {
      const ofContainers = containers.map(({ id }) => rates.get(id)).filter((rate) => rate !== undefined);
      if (ofContainers.length > 0)
        rates.set(
          uid,
          ofContainers.reduce((sum, rate) => sum + rate, 0),
        );
    }
    return rates;
  }

  async #files(pods: readonly PodUsage[], time: string): Promise<NonNullable<SummaryInput['files']>> {
    const { folders } = this.#options;
    const logs = new Map<string, FileUsage>();
    for (const { id, logPath } of pods.flatMap(({ containers }) => containers)) {
      const usage = logPath === '' ? undefined : await folderUsage(path.dirname(logPath), time);
      if (usage !== undefined) logs.set(id, usage);
    }
    return {
      node: await fileSystemUsage(folders.root, time).catch(() => fileSystemUsage('/', time)),
      images: await this.#images(time),
      logs,
      volumes: await this.#volumes(time),
    };
  }

  /** Use of the file system of images; its capacity is that of the whole. */
  async #images(time: string): Promise<FileUsage | undefined> {
    try {
      const [first] = await this.#options.runtime.images.fileSystems();
      if (first === undefined) return undefined;
      const whole = await fileSystemUsage(first.mountpoint, time);
      return { ...whole, usedBytes: first.usedBytes, inodesUsed: first.inodes };
    } catch {
      return undefined; // a runtime in a place of its own: there is nothing to tell of it
    }
  }

  async #volumes(time: string): Promise<NonNullable<SummaryInput['files']>['volumes']> {
    const { pods, folders } = this.#options;
    const found = new Map<string, (FileUsage & { readonly name: string })[]>();
    for (const { metadata, spec } of pods()) {
      for (const volume of spec.volumes ?? []) {
        const kind = Object.entries(MEMORY_VOLUMES).find(([source]) => source in volume)?.[1];
        if (kind === undefined) continue;
        const usage = await memoryVolumeUsage(folders.volume(metadata.uid, kind, volume.name), time);
        if (usage === undefined) continue;
        const known = found.get(metadata.uid) ?? [];
        known.push({ ...usage, name: volume.name });
        found.set(metadata.uid, known);
      }
    }
    return found;
  }
}
