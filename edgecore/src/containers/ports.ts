import { isSidecar, type Pod, type PodContainer } from '../pods/pod.ts';
import type { PortMapping, SandboxConfig } from '../runtime/container-config.ts';

/**
 * The ports of a pod on the host: of its containers and sidecars. A pod on the host's network has them already. The same
 * one twice is one.
 * Source: kubelet, container/helpers.go MakePortMappings.
 */
export function portMappings(pod: Pod): readonly PortMapping[] {
  if (pod.spec.hostNetwork === true) return [];
  const mappings = new Map<string, PortMapping>();
  for (const { containerPort, hostPort = 0, hostIP: hostIp = '', protocol = 'TCP' } of portsOf(pod)) {
    if (hostPort === 0) continue;
    const key = `${protocol}/${hostIp}/${hostPort}`;
    if (!mappings.has(key)) mappings.set(key, { protocol, containerPort, hostPort, hostIp });
  }
  return [...mappings.values()];
}

/** The ports that containers and sidecars of a pod say to listen on. */
export function containerPorts(pod: Pod): NonNullable<SandboxConfig['containerPorts']> {
  return portsOf(pod).map(({ containerPort: port, protocol = 'TCP' }) => ({ protocol, port }));
}

function portsOf({ spec }: Pod): NonNullable<PodContainer['ports']> {
  const containers = [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers];
  return containers.flatMap(({ ports = [] }) => ports);
}
