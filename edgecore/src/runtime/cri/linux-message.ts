import type { LinuxContainerSecurityContext } from '../../cri/container-messages.ts';
import {
  NamespaceMode,
  ProfileType,
  type LinuxContainerResources,
  type NamespaceOption,
  type SecurityProfile as SecurityProfileMessage,
} from '../../cri/linux-messages.ts';
import type { LinuxSandboxSecurityContext } from '../../cri/sandbox-messages.ts';
import type { Encodable } from '../../cri/wire.ts';
import type { LinuxResources, LinuxSecurity, Namespaces, SecurityProfile } from '../container-config.ts';

const MODES = {
  pod: NamespaceMode.POD,
  container: NamespaceMode.CONTAINER,
  node: NamespaceMode.NODE,
} as const;

const PROFILES = {
  'runtime-default': ProfileType.RuntimeDefault,
  unconfined: ProfileType.Unconfined,
  localhost: ProfileType.Localhost,
} as const;

/** Which namespaces are shared. */
export function namespaceOption(namespaces: Namespaces): Encodable<typeof NamespaceOption.fields> {
  const { network, pid, ipc } = namespaces;
  return { network: MODES[network], pid: MODES[pid], ipc: MODES[ipc] };
}

/** Values for a cgroup. What is absent stays 0, which a runtime takes as "not said". */
export function linuxResources(resources: LinuxResources): Encodable<typeof LinuxContainerResources.fields> {
  return {
    cpuPeriod: resources.cpuPeriod,
    cpuQuota: resources.cpuQuota,
    cpuShares: resources.cpuShares,
    memoryLimitInBytes: resources.memoryLimitBytes,
    oomScoreAdj: resources.oomScoreAdj,
    hugepageLimits: resources.hugepageLimits,
    unified: resources.unified,
  };
}

/** What the processes of a container may do. */
export function containerSecurity(
  security: LinuxSecurity,
  namespaces: Namespaces,
): Encodable<typeof LinuxContainerSecurityContext.fields> {
  const { add, drop } = security.capabilities;
  return {
    capabilities: { addCapabilities: add, dropCapabilities: drop },
    privileged: security.privileged,
    namespaceOptions: namespaceOption(namespaces),
    selinuxOptions: security.seLinux,
    runAsUser: int64Value(security.runAsUser),
    runAsUsername: security.runAsUsername,
    runAsGroup: int64Value(security.runAsGroup),
    readonlyRootfs: security.readOnlyRootFilesystem,
    supplementalGroups: security.supplementalGroups,
    noNewPrivs: security.noNewPrivileges,
    maskedPaths: security.maskedPaths,
    readonlyPaths: security.readonlyPaths,
    seccomp: profile(security.seccomp),
    apparmor: profile(security.appArmor),
  };
}

/** What the pause process of a sandbox may do. */
export function sandboxSecurity(
  security: LinuxSecurity,
  namespaces: Namespaces,
): Encodable<typeof LinuxSandboxSecurityContext.fields> {
  return {
    namespaceOptions: namespaceOption(namespaces),
    selinuxOptions: security.seLinux,
    runAsUser: int64Value(security.runAsUser),
    runAsGroup: int64Value(security.runAsGroup),
    readonlyRootfs: security.readOnlyRootFilesystem,
    supplementalGroups: security.supplementalGroups,
    privileged: security.privileged,
    seccomp: profile(security.seccomp),
    apparmor: profile(security.appArmor),
  };
}

function int64Value(value: number | undefined): { readonly value: number } | undefined {
  return value === undefined ? undefined : { value };
}

function profile(
  from: SecurityProfile | undefined,
): Encodable<typeof SecurityProfileMessage.fields> | undefined {
  return from && { profileType: PROFILES[from.type], localhostRef: from.localhost };
}
