import { isSidecar, type Pod } from '../pods/pod.ts';
import type { PortMapping } from '../runtime/container-config.ts';

/**
 * The ports of a pod on the host: of its containers and sidecars. A pod on the host's network has them already. The same
 * one twice is one.
 * Source: kubelet, container/helpers.go MakePortMappings.
 */
export function portMappings({ spec }: Pod): readonly PortMapping[] {
  if (spec.hostNetwork === true) return [];
  const containers = [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers];
  const mappings = new Map<string, PortMapping>();
  for (const { ports = [] } of containers) {
    for (const { containerPort, hostPort = 0, hostIP: hostIp = '', protocol = 'TCP' } of ports) {
      if (hostPort === 0) continue;
      const key = `${protocol}/${hostIp}/${hostPort}`;
      if (!mappings.has(key)) mappings.set(key, { protocol, containerPort, hostPort, hostIp });
    }
  }
  return [...mappings.values()];
}
