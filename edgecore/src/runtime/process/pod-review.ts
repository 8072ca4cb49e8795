import type { ContainerConfig, LinuxSecurity, SandboxConfig } from '../container-config.ts';
import type { Abilities } from './abilities.ts';

/** What processes of the host cannot give a pod. */
export interface PodReview {
  /** It must not run without these. */
  readonly refused: readonly string[];
  /** It runs without these, and somebody has to know. */
  readonly missed: readonly string[];
}

type Reviewed = Pick<ContainerConfig, 'security' | 'mounts' | 'devices' | 'tty' | 'resources'>;

/**
 * What of a pod cannot be had where containers are processes of the host. A function of its arguments; what is not
 * named in either list is kept. What protects is refused; what only limits or separates is said.
 */
export function reviewSandbox(config: SandboxConfig, abilities: Abilities): PodReview {
  const { runtimeHandler, sysctls, dns } = config;
  const names = Object.keys(sysctls);
  return {
    refused: [
      ...(runtimeHandler === '' ? [] : [`the runtime class with the handler ${runtimeHandler}`]),
      ...(names.length === 0 ? [] : [`sysctls (${names.join(', ')})`]),
    ],
    missed: [
      'containers are processes of this host, as its user; nothing keeps them apart from it',
      'nothing is pulled: an image is a name, and a command is one of this host',
      ...(abilities.uid === 0 ? [] : ['secrets, tokens and volumes in memory are on the disk']),
      ...(abilities.mounts === 'namespace'
        ? []
        : [`volumes are links below $HAWSER_MOUNTS, because nothing can be mounted (${abilities.whyLinks})`]),
      ...(dns !== undefined && abilities.mounts === 'links' ? ['names are looked up as the host does'] : []),
    ],
  };
}

/** As {@link reviewSandbox}, of a container. */
export function reviewContainer(config: Reviewed, abilities: Abilities): PodReview {
  const { security, mounts, devices, tty, resources } = config;
  const limits = [
    ...(resources.cpuQuota === undefined ? [] : ['cpu']),
    ...((resources.memoryLimitBytes ?? 0) > 0 ? ['memory'] : []),
  ];
  return {
    refused: [
      ...identity(security, abilities),
      ...confinement(security, abilities),
      ...(tty ? ['tty: containers have no terminal here'] : []),
      ...(devices.length === 0 ? [] : ['devices']),
      ...mounts.flatMap(({ containerPath, propagation, recursiveReadOnly, readOnly }) => [
        ...(propagation === 'bidirectional' ? [`mountPropagation Bidirectional of ${containerPath}`] : []),
        ...(recursiveReadOnly === true ? [`recursiveReadOnly of ${containerPath}`] : []),
        ...(readOnly === true && isNotKept(containerPath, mounts) ? [`two volumes at ${containerPath}`] : []),
      ]),
    ],
    missed: [
      ...(limits.length === 0 ? [] : [`limits of ${limits.join(' and ')} are not kept`]),
      ...(security.seccomp.type === 'runtime-default' ? ['no seccomp profile'] : []),
      ...(security.appArmor?.type === 'runtime-default' ? ['no AppArmor profile'] : []),
    ],
  };
}

/** Whom it runs as. */
function identity(security: LinuxSecurity, { uid, gids, mounts, setpriv }: Abilities): readonly string[] {
  const { runAsUser, runAsUsername, runAsGroup, supplementalGroups } = security;
  const canChange = uid === 0 && setpriv && mounts === 'namespace';
  const why = uid === 0 ? 'needs setpriv and mount namespaces' : `needs root; the edge core is user ${uid}`;
  const others = supplementalGroups.filter((gid) => !gids.includes(gid));
  const [own] = gids;
  return [
    ...(runAsUsername === undefined ? [] : [`the user ${runAsUsername} by name`]),
    ...(runAsUser !== undefined && runAsUser !== uid && !canChange ? [`runAsUser ${runAsUser}: ${why}`] : []),
    ...(runAsGroup !== undefined && runAsGroup !== own && !canChange
      ? [`runAsGroup ${runAsGroup}: ${why}`]
      : []),
    ...(others.length > 0 && !canChange
      ? [`supplementalGroups or fsGroup ${others.join(', ')}: ${why}`]
      : []),
  ];
}

/** What it must not be able to do. */
function confinement(security: LinuxSecurity, { uid, setpriv }: Abilities): readonly string[] {
  const { privileged, capabilities, readOnlyRootFilesystem, noNewPrivileges, seccomp, appArmor, seLinux } =
    security;
  const isRoot = uid === 0;
  return [
    ...(privileged && !isRoot ? ['privileged: needs root'] : []),
    ...(capabilities.add.length > 0 && !isRoot
      ? [`capabilities ${capabilities.add.join(', ')}: need root`]
      : []),
    ...(capabilities.drop.length > 0 && isRoot && !setpriv ? ['capabilities.drop: needs setpriv'] : []),
    ...(noNewPrivileges && !setpriv ? ['allowPrivilegeEscalation: false needs setpriv'] : []),
    ...(readOnlyRootFilesystem ? ['readOnlyRootFilesystem: the root is the host’s'] : []),
    ...(seccomp.type === 'localhost' ? ['a seccomp profile'] : []),
    ...(appArmor?.type === 'localhost' ? ['an AppArmor profile'] : []),
    ...(seLinux === undefined ? [] : ['seLinuxOptions']),
  ];
}

function isNotKept(containerPath: string, mounts: Reviewed['mounts']): boolean {
  return mounts.filter((other) => other.containerPath === containerPath).length > 1;
}
