import type { MachineReading } from './machine.ts';

/** The pressures that a node tells of. */
export const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;
export type Pressure = (typeof PRESSURES)[number];

/** When a node is under pressure. */
export interface PressureThresholds {
  readonly memoryAvailableBytes: number;
  readonly diskAvailablePercent: number;
  readonly inodesFreePercent: number;
  readonly pidsAvailablePercent: number;
  /** How long a pressure has to be away before it counts as gone, milliseconds. */
  readonly transitionMs: number;
}

/** A condition of a node, as the API has it, without its heartbeat time. Source: core/v1 NodeCondition. */
export interface NodeCondition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** Reasons and messages that tools know from kubelets. Source: kubelet, nodestatus/setters.go. */
export const PRESSURE_TEXTS: Readonly<
  Record<Pressure, { readonly yes: readonly [string, string]; readonly no: readonly [string, string] }>
> = {
  MemoryPressure: {
    yes: ['KubeletHasInsufficientMemory', 'edgecore has insufficient memory available'],
    no: ['KubeletHasSufficientMemory', 'edgecore has sufficient memory available'],
  },
  DiskPressure: {
    yes: ['KubeletHasDiskPressure', 'edgecore has disk pressure'],
    no: ['KubeletHasNoDiskPressure', 'edgecore has no disk pressure'],
  },
  PIDPressure: {
    yes: ['KubeletHasInsufficientPID', 'edgecore has insufficient PID available'],
    no: ['KubeletHasSufficientPID', 'edgecore has sufficient PID available'],
  },
};

/** Which thresholds a reading is beyond. */
export function pressuresOf(reading: MachineReading, thresholds: PressureThresholds): ReadonlySet<Pressure> {
  const { disk, pids, memoryAvailableBytes } = reading;
  const found = new Set<Pressure>();
  if (memoryAvailableBytes < thresholds.memoryAvailableBytes) found.add('MemoryPressure');
  if (isBelow(disk.availableBytes, disk.totalBytes, thresholds.diskAvailablePercent))
    found.add('DiskPressure');
  if (isBelow(disk.inodesFree, disk.inodes, thresholds.inodesFreePercent)) found.add('DiskPressure');
  if (isBelow(pids.max - pids.used, pids.max, thresholds.pidsAvailablePercent)) found.add('PIDPressure');
  return found;
}

/** What has no total is not counted by the system, and is never short. */
function isBelow(part: number, total: number, percent: number): boolean {
  return total > 0 && (part / total) * 100 < percent;
}

/**
 * Turns readings into pressures that do not flutter: one begins at once, and ends when it has been away for
 * `transitionMs`. Source: kubelet, `--eviction-pressure-transition-period`.
 */
export class PressureTracker {
  readonly #thresholds: PressureThresholds;
  readonly #lastSeenMs = new Map<Pressure, number>();

  constructor(thresholds: PressureThresholds) {
    this.#thresholds = thresholds;
  }

  /** @param nowMs monotonic, milliseconds */
  update(reading: MachineReading, nowMs: number): ReadonlySet<Pressure> {
    for (const pressure of pressuresOf(reading, this.#thresholds)) this.#lastSeenMs.set(pressure, nowMs);
    for (const [pressure, seenMs] of this.#lastSeenMs) {
      if (nowMs !== seenMs && nowMs - seenMs >= this.#thresholds.transitionMs)
        this.#lastSeenMs.delete(pressure);
    }
    return new Set(this.#lastSeenMs.keys());
  }
}
