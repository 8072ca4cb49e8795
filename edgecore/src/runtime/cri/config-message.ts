import { MountPropagation, type ContainerConfig as ContainerMessage } from '../../cri/container-messages.ts';
import { Protocol, type PodSandboxConfig } from '../../cri/sandbox-messages.ts';
import type { Encodable } from '../../cri/wire.ts';
import type { ContainerConfig, ContainerMount, SandboxConfig } from '../container-config.ts';
import { containerAnnotations, containerLabels, sandboxLabels } from './labels.ts';
import { containerSecurity, linuxResources, sandboxSecurity } from './linux-message.ts';

const PROPAGATION = {
  private: MountPropagation.PROPAGATION_PRIVATE,
  'host-to-container': MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
} as const;

/** A sandbox as CRI wants it. @param owner value of the label that marks what is ours */
export function sandboxMessage(
  config: SandboxConfig,
  owner: string,
): Encodable<typeof PodSandboxConfig.fields> {
  const { uid, namespace, name, attempt } = config;
  return {
    metadata: { uid, namespace, name, attempt },
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dns,
    portMappings: config.portMappings.map(({ protocol, containerPort, hostPort, hostIp }) => ({
      protocol: Protocol[protocol],
      containerPort,
      hostPort,
      hostIp,
    })),
    labels: sandboxLabels(config, owner),
    annotations: config.annotations,
    linux: {
      cgroupParent: config.cgroupParent,
      securityContext: sandboxSecurity(config.security, config.namespaces),
      sysctls: config.sysctls,
      resources: linuxResources(config.resources),
    },
  };
}

/** A container as CRI wants it. @param owner as in {@link sandboxMessage} */
export function containerMessage(
  sandbox: SandboxConfig,
  config: ContainerConfig,
  owner: string,
): Encodable<typeof ContainerMessage.fields> {
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.imageRef, userSpecifiedImage: config.image },
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.env,
    mounts: config.mounts.map(mountMessage),
    devices: config.devices,
    labels: containerLabels(sandbox, config, owner),
    annotations: containerAnnotations(config),
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: linuxResources(config.resources),
      securityContext: containerSecurity(config.security, config.namespaces),
    },
  };
}

function mountMessage(mount: ContainerMount): {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readonly: boolean | undefined;
  readonly recursiveReadOnly: boolean | undefined;
  readonly propagation: 0 | 1 | 2;
} {
  const { hostPath, containerPath, readOnly, recursiveReadOnly, propagation = 'private' } = mount;
  return {
    hostPath,
    containerPath,
    readonly: readOnly,
    recursiveReadOnly,
    propagation: PROPAGATION[propagation],
  };
}
