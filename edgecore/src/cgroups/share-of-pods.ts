import type { EdgeConfig } from '../config/options.ts';
import type { Quantities } from '../pods/pod.ts';
import { quantityOf } from '../pods/quantity.ts';

/**
 * What all pods of a node together may take: not what is reserved. What pressure keeps free is theirs until it is
 * short. Source: kubelet, GetNodeAllocatableAbsolute.
 * @param allocatable as in the status of the node, which has the pressure's part taken off
 * @returns undefined: not known yet
 */
export function shareOfPods(
  { cpu, memory }: Quantities,
  pressure: Pick<EdgeConfig['pressure'], 'memoryAvailable'>,
): { readonly cpuMillis: number; readonly memoryBytes: number } | undefined {
  const cores = cpu === undefined ? undefined : quantityOf(cpu);
  const bytes = memory === undefined ? undefined : quantityOf(memory);
  if (cores === undefined || bytes === undefined) return undefined;
  const kept = quantityOf(pressure.memoryAvailable) ?? 0;
  return { cpuMillis: Math.round(cores * 1000), memoryBytes: bytes + kept };
}
