import type { FileUsage } from './file-usage.ts';
import type { PodUsage, RunningUsage } from './pod-usage.ts';
import type { ProcUsage } from './proc-usage.ts';

/** What a summary is made from. */
export interface SummaryInput {
  readonly node: string;
  readonly machine: ProcUsage;
  readonly pids: { readonly used: number; readonly max: number };
  readonly pods: readonly PodUsage[];
  /** This process. */
  readonly edgecore: { readonly cpuNanos: number; readonly rssBytes: number; readonly startedMs: number };
  /** Billionths of a core by {@link nodeRateId}, pod UID, or container id; undefined: not known yet. */
  readonly rateOf: (id: string) => number | undefined;
  /** undefined: only CPU and memory are wanted. */
  readonly files:
    | {
        /** Of the data folder. */
        readonly node: FileUsage;
        readonly images: FileUsage | undefined;
        /** By id of the container. */
        readonly logs: ReadonlyMap<string, FileUsage>;
        /** By UID of the pod: volumes in memory. */
        readonly volumes: ReadonlyMap<string, readonly (FileUsage & { readonly name: string })[]>;
      }
    | undefined;
}

/** Under which ids rates of what is no pod are known. */
export const NODE_RATE = 'node';
export const EDGECORE_RATE = 'edgecore';

/**
 * What the node, its pods and containers use. Left out where it would cost a walk through a tree of files: volumes on
 * disk. Source: kubelet, pkg/apis/stats/v1alpha1 Summary.
 */
export function summary(input: SummaryInput): object {
  const { node, machine, pids, pods, edgecore, files, rateOf } = input;
  const time = rfc3339(machine.atMs);
  return {
    node: {
      nodeName: node,
      systemContainers: [
        {
          name: 'kubelet',
          startTime: rfc3339(edgecore.startedMs),
          cpu: cpu(time, edgecore.cpuNanos, rateOf(EDGECORE_RATE)),
          memory: { time, workingSetBytes: edgecore.rssBytes, rssBytes: edgecore.rssBytes },
        },
      ],
      startTime: rfc3339(machine.bootMs),
      cpu: cpu(time, machine.cpuNanos, rateOf(NODE_RATE)),
      memory: nodeMemory(machine, time),
      ...(files !== undefined && {
        network: network(machine, time),
        fs: files.node,
        ...(files.images !== undefined && { runtime: { imageFs: files.images, containerFs: files.images } }),
        rlimit: { time, maxpid: pids.max, curproc: pids.used },
      }),
      swap: {
        time,
        swapAvailableBytes: machine.swap.totalBytes - machine.swap.usedBytes,
        swapUsageBytes: machine.swap.usedBytes,
      },
    },
    pods: pods.map((pod) => podStats(pod, input)),
  };
}

function podStats(pod: PodUsage, { files, rateOf }: SummaryInput): object {
  const { uid, namespace, name } = pod;
  const time = rfc3339(pod.atMs);
  const volumes = files?.volumes.get(uid) ?? [];
  return {
    podRef: { name, namespace, uid },
    startTime: rfc3339(pod.startedAtMs),
    containers: pod.containers.map((container) => containerStats(container, files, rateOf)),
    cpu: cpu(time, pod.cpuNanos, rateOf(uid)),
    memory: { time, workingSetBytes: pod.memoryWorkingSetBytes },
    ...(files !== undefined && {
      ...(volumes.length > 0 && { volume: volumes }),
      'ephemeral-storage': ephemeralStorage(pod, files),
    }),
  };
}

function containerStats(
  { name, id, startedAtMs, usage }: RunningUsage,
  files: SummaryInput['files'],
  rateOf: SummaryInput['rateOf'],
): object {
  const time = rfc3339(usage.atMs);
  const logs = files?.logs.get(id);
  return {
    name,
    startTime: startedAtMs === undefined ? null : rfc3339(startedAtMs),
    cpu: cpu(time, usage.cpuNanos, rateOf(id)),
    memory: { time, workingSetBytes: usage.memoryWorkingSetBytes },
    ...(files !== undefined && {
      rootfs: { time, usedBytes: usage.diskBytes, inodesUsed: usage.diskInodes },
      ...(logs !== undefined && { logs }),
    }),
  };
}

/** What a pod has on the disk of the node: writable layers and logs. */
function ephemeralStorage(pod: PodUsage, files: NonNullable<SummaryInput['files']>): FileUsage {
  let [usedBytes, inodesUsed] = [0, 0];
  for (const { id, usage } of pod.containers) {
    usedBytes += usage.diskBytes + (files.logs.get(id)?.usedBytes ?? 0);
    inodesUsed += usage.diskInodes + (files.logs.get(id)?.inodesUsed ?? 0);
  }
  return { ...files.node, time: rfc3339(pod.atMs), usedBytes, inodesUsed };
}

function cpu(time: string, usageCoreNanoSeconds: number, usageNanoCores: number | undefined): object {
  return { time, ...(usageNanoCores !== undefined && { usageNanoCores }), usageCoreNanoSeconds };
}

function nodeMemory({ memory }: ProcUsage, time: string): object {
  const { totalBytes, usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults } = memory;
  const availableBytes = totalBytes - workingSetBytes;
  return { time, availableBytes, usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults };
}

function network({ interfaces }: ProcUsage, time: string): object {
  return { time, ...interfaces[0], interfaces };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
