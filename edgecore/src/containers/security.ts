import path from 'node:path';
import { ContainerError } from '../pods/container-error.ts';
import type { Pod, PodContainer } from '../pods/pod.ts';
import type { AppArmorProfile, SeccompProfile, SeLinuxOptions } from '../pods/security-context.ts';
import type { LinuxSecurity, SecurityProfile } from '../runtime/container-config.ts';
import type { RuntimeImage } from '../runtime/image-store.ts';
import { checkNonRoot } from './non-root.ts';
import { MASKED_PATHS, READONLY_PATHS } from './proc-paths.ts';

/** How the node is set up. */
export interface SecuritySettings {
  /** Folder of the profiles that pods name (`Localhost`). */
  readonly seccompRoot: string;
  /** Profile of containers that ask for none. */
  readonly seccompDefault: 'Unconfined' | 'RuntimeDefault';
}

/**
 * What a container's processes may do: what the container says, else what the pod says, else what the image says.
 * @param image whose user runs where the spec names none; one that names none is root
 * @param volumeGroups further groups that the pod's volumes ask for
 * @throws ContainerError `CreateContainerConfigError`: it must not be root and would be, or might be; a profile without
 *   a name
 * Source: kubelet, kuberuntime/security_context.go; securitycontext.DetermineEffectiveSecurityContext.
 */
export function containerSecurity(
  pod: Pod,
  container: PodContainer,
  image: Pick<RuntimeImage, 'uid' | 'username'>,
  volumeGroups: readonly number[],
  settings: SecuritySettings,
): LinuxSecurity {
  const ofPod = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  checkNonRoot(pod, container, image);
  const { capabilities = {} } = own;
  const unmasked = own.procMount === 'Unmasked';
  return {
    privileged: own.privileged === true,
    capabilities: { add: capabilities.add ?? [], drop: capabilities.drop ?? [] },
    ...userOf(own.runAsUser ?? ofPod.runAsUser, image),
    ...optional('runAsGroup', own.runAsGroup ?? ofPod.runAsGroup),
    supplementalGroups: groups(pod, volumeGroups),
    readOnlyRootFilesystem: own.readOnlyRootFilesystem === true,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: seccomp(own.seccompProfile ?? ofPod.seccompProfile, settings),
    ...optional('appArmor', appArmor(pod, container)),
    ...optional('seLinux', seLinux(own.seLinuxOptions ?? ofPod.seLinuxOptions)),
  };
}

/**
 * What the sandbox's own process may do: it only waits, so its seccomp profile is always the runtime's.
 * Source: kubelet, kuberuntime_sandbox.go generatePodSandboxLinuxConfig.
 */
export function sandboxSecurity(pod: Pod): LinuxSecurity {
  const { containers, initContainers = [], securityContext = {} } = pod.spec;
  const { runAsUser, runAsGroup } = securityContext;
  return {
    privileged: [...containers, ...initContainers].some((each) => each.securityContext?.privileged === true),
    capabilities: { add: [], drop: [] },
    ...optional('runAsUser', runAsUser),
    // Runtimes refuse a group without a user, although a pod may name one without the other.
    ...(runAsUser !== undefined && optional('runAsGroup', runAsGroup)),
    supplementalGroups: groups(pod, []),
    readOnlyRootFilesystem: false,
    noNewPrivileges: false,
    maskedPaths: [],
    readonlyPaths: [],
    seccomp: { type: 'runtime-default' },
    ...optional('seLinux', seLinux(securityContext.seLinuxOptions)),
  };
}

/**
 * The AppArmor profile that a container asks for, undefined: none. Fields go before the annotation of old.
 * @throws ContainerError `CreateContainerConfigError`: it names none, or one that is none
 * Source: kubelet, kuberuntime/security_context.go; pkg/security/apparmor GetProfile.
 */
export function appArmor(pod: Pod, container: PodContainer): SecurityProfile | undefined {
  const field = container.securityContext?.appArmorProfile ?? pod.spec.securityContext?.appArmorProfile;
  if (field !== undefined) return ofField(field, 'AppArmor', (name) => name);
  const annotation =
    pod.metadata.annotations?.[`container.apparmor.security.beta.kubernetes.io/${container.name}`];
  if (annotation === undefined || annotation === '') return undefined;
  if (annotation === 'runtime/default') return { type: 'runtime-default' };
  if (annotation === 'unconfined') return { type: 'unconfined' };
  const name = /^localhost\/(.+)$/.exec(annotation)?.[1];
  if (name === undefined) throw configError(`invalid AppArmor profile name: "${annotation}"`);
  return { type: 'localhost', localhost: name };
}

function seccomp(profile: SeccompProfile | undefined, settings: SecuritySettings): SecurityProfile {
  return ofField(profile ?? { type: settings.seccompDefault }, 'seccomp', (name) => {
    const file = path.join(settings.seccompRoot, name);
    // The API lets no such name through; a path of the host is not to rest on that.
    if (!file.startsWith(path.join(settings.seccompRoot, '/'))) {
      throw configError(`seccomp profile "${name}" is not below ${settings.seccompRoot}`);
    }
    return file;
  });
}

function ofField(
  { type, localhostProfile = '' }: SeccompProfile | AppArmorProfile,
  kind: 'seccomp' | 'AppArmor',
  named: (name: string) => string,
): SecurityProfile {
  switch (type) {
    case 'RuntimeDefault':
      return { type: 'runtime-default' };
    case 'Unconfined':
      return { type: 'unconfined' };
    case 'Localhost':
      if (localhostProfile === '') {
        throw configError(`localhostProfile must be set if ${kind}Profile type is Localhost.`);
      }
      return { type: 'localhost', localhost: named(localhostProfile) };
    default:
      throw configError(`${kind}Profile type "${String(type)}" is not known`);
  }
}

function userOf(
  runAsUser: number | undefined,
  { uid, username = '' }: Pick<RuntimeImage, 'uid' | 'username'>,
): Pick<LinuxSecurity, 'runAsUser' | 'runAsUsername'> {
  if (runAsUser !== undefined) return { runAsUser };
  if (uid !== undefined) return { runAsUser: uid };
  return username === '' ? { runAsUser: 0 } : { runAsUsername: username };
}

/** Those of the pod, its file system group among them, and those of its volumes; each once. */
function groups({ spec }: Pod, volumeGroups: readonly number[]): readonly number[] {
  const { fsGroup, supplementalGroups = [] } = spec.securityContext ?? {};
  return [...new Set([...(fsGroup === undefined ? [] : [fsGroup]), ...supplementalGroups, ...volumeGroups])];
}

function seLinux(options: SeLinuxOptions | undefined): LinuxSecurity['seLinux'] {
  if (options === undefined) return undefined;
  const { user = '', role = '', type = '', level = '' } = options;
  return { user, role, type, level };
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Readonly<Record<Name, Value>>> {
  // A computed name makes the type checker forget which one it is.
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}

function configError(message: string): ContainerError {
  return new ContainerError('CreateContainerConfigError', message);
}
