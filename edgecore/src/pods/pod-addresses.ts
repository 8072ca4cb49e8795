import type { RuntimePod } from '../runtime/container-runtime.ts';
import type { Pod } from './pod.ts';

/** The addresses by which a pod is reached. */
export function addressesOf(
  { spec }: Pod,
  inRuntime: RuntimePod | undefined,
  hostIps: readonly string[],
): readonly string[] {
  return spec.hostNetwork === true ? hostIps : (inRuntime?.sandboxes[0]?.ips ?? []);
}
