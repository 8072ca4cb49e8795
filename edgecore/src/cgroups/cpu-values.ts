import { quantityOf } from '../pods/quantity.ts';

/** A kernel takes no less. Source: kubelet, cm/helpers_linux.go. */
export const MIN_CPU_SHARES = 2;
/** A kernel takes no more. */
export const MAX_CPU_SHARES = 262_144;
/** Length of a period of CPU quotas, microseconds. Source: kubelet, cm/helpers_linux.go QuotaPeriod. */
export const CPU_PERIOD_US = 100_000;
const SHARES_PER_CPU = 1024;
/** A kernel takes no smaller quota, microseconds. */
const MIN_QUOTA_US = 1000;
const MAX_CPU_WEIGHT = 10_000;

/**
 * A quantity of CPU in thousandths of a core, rounded up as the API does; 0 where it is none.
 * Source: resource.Quantity.MilliValue.
 */
export function cpuMillis(quantity: string | number | undefined): number {
  const cores = quantityOf(quantity ?? 0) ?? 0;
  // Billionths first: 0.29 cores are 290, not 290.00000000000006 rounded up.
  return Math.ceil(Math.round(cores * 1e9) / 1e6);
}

/** Weight of a cgroup v1 against its siblings. Source: kubelet, cm/helpers_linux.go MilliCPUToShares. */
export function cpuShares(millis: number): number {
  const shares = Math.floor((millis * SHARES_PER_CPU) / 1000);
  return Math.min(Math.max(shares, MIN_CPU_SHARES), MAX_CPU_SHARES);
}

/**
 * Microseconds of CPU in each {@link CPU_PERIOD_US}; undefined: no limit.
 * Source: kubelet, cm/helpers_linux.go MilliCPUToQuota.
 */
export function cpuQuota(millis: number): number | undefined {
  if (millis === 0) return undefined;
  return Math.max(Math.floor((millis * CPU_PERIOD_US) / 1000), MIN_QUOTA_US);
}

/** `cpu.weight` of cgroup v2, 1 to 10,000. Source: KEP-2254, cgroup v2; kubelet, cm CpuSharesToCpuWeight. */
export function cpuWeight(shares: number): number {
  return (
    1 + Math.floor(((shares - MIN_CPU_SHARES) * (MAX_CPU_WEIGHT - 1)) / (MAX_CPU_SHARES - MIN_CPU_SHARES))
  );
}

/** The shares that a weight of cgroup v2 stands for, to within the 26 that the rounding of {@link cpuWeight} loses. */
export function sharesOfWeight(weight: number): number {
  return (
    MIN_CPU_SHARES + Math.round(((weight - 1) * (MAX_CPU_SHARES - MIN_CPU_SHARES)) / (MAX_CPU_WEIGHT - 1))
  );
}
