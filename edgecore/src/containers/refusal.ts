import type { Pod, PodContainer } from '../pods/pod.ts';
import { quantityOf } from '../pods/quantity.ts';
import { appArmor } from './security.ts';
import { sysctlRefusal } from './sysctls.ts';
import { unsupportedVolumes } from './unsupported-volumes.ts';

/** What of the node decides which pods it can run. */
export interface RefusalNode {
  /** `uname -r`. */
  readonly kernel: string;
  readonly hasAppArmor: boolean;
  /** Names of the runtime classes that it has a handler for. */
  readonly runtimeClasses: ReadonlySet<string>;
}

/** Why a pod is refused for good: reason and message of its status. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/**
 * Whether a node can run a pod; undefined: it can. Everything in it that is known and not supported is named at once.
 * Reasons: `PodOSNotSupported`, `AppArmor`, `SysctlForbidden`, `SupplementalGroupsPolicyNotSupported` as a kubelet's,
 * `RuntimeClassNotSupported`, and `PodFeatureUnsupported` for the rest.
 * Source: kubelet, lifecycle/predicate.go, sysctl/allowlist.go; pkg/security/apparmor.
 */
export function refusalOf(pod: Pod, node: RefusalNode): Refusal | undefined {
  const os = field(field(pod.spec, 'os'), 'name');
  if (os !== undefined && os !== 'linux') {
    return {
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    };
  }
  if (!node.hasAppArmor && needsAppArmor(pod)) {
    return {
      reason: 'AppArmor',
      message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
    };
  }
  const sysctls = sysctlRefusal(pod, node.kernel);
  if (sysctls !== undefined) return { reason: 'SysctlForbidden', message: sysctls };
  const { runtimeClassName = '', securityContext } = pod.spec;
  if (securityContext?.supplementalGroupsPolicy === 'Strict') {
    return {
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    };
  }
  if (runtimeClassName !== '' && !node.runtimeClasses.has(runtimeClassName)) {
    return {
      reason: 'RuntimeClassNotSupported',
      message: `the node has no handler for runtime class "${runtimeClassName}": name it in pods.runtimeClasses of its configuration`,
    };
  }
  const unsupported = unsupportedParts(pod);
  if (unsupported.length === 0) return undefined;
  return { reason: 'PodFeatureUnsupported', message: `the node does not support ${unsupported.join('; ')}` };
}

function needsAppArmor(pod: Pod): boolean {
  const { containers, initContainers = [] } = pod.spec;
  return [...containers, ...initContainers].some((container) => {
    const type = appArmorType(pod, container);
    return type !== undefined && type !== 'unconfined';
  });
}

/** A profile that makes no sense is said when the container is made. */
function appArmorType(pod: Pod, container: PodContainer): string | undefined {
  try {
    return appArmor(pod, container)?.type;
  } catch {
    return 'unreadable';
  }
}

function unsupportedParts(pod: Pod): readonly string[] {
  const { spec } = pod;
  const found: string[] = [];
  if (spec.hostUsers === false) found.push('user namespaces (hostUsers: false)');
  if (hasItems(field(spec, 'resourceClaims'))) found.push('resource claims (resourceClaims)');
  if (hasItems(field(spec, 'resources'))) found.push('resources of the whole pod (resources)');
  if (spec.securityContext?.windowsOptions !== undefined) found.push('securityContext.windowsOptions');
  found.push(...unsupportedVolumes(spec.volumes ?? []));
  for (const container of spec.initContainers ?? []) found.push(...ofContainer(container, true));
  for (const container of spec.containers) found.push(...ofContainer(container, false));
  return found;
}

function ofContainer(container: PodContainer, isInit: boolean): readonly string[] {
  const found: string[] = [];
  const { resources = {}, env = [], lifecycle, securityContext } = container;
  if (securityContext?.windowsOptions !== undefined) found.push('securityContext.windowsOptions');
  if (hasItems(container.volumeDevices)) found.push('block volumes (volumeDevices)');
  if (hasItems(field(resources, 'claims'))) found.push('resource claims (resources.claims)');
  const amounts = { ...resources.requests, ...resources.limits };
  const pages = Object.keys(amounts).filter((name) => name.startsWith('hugepages-') && isSome(amounts[name]));
  if (pages.length > 0) found.push(`huge pages (${pages.join(', ')})`);
  if (env.some(({ valueFrom }) => field(valueFrom, 'fileKeyRef') !== undefined)) {
    found.push('variables from files (fileKeyRef)');
  }
  if (field(lifecycle, 'stopSignal') !== undefined) found.push('lifecycle.stopSignal');
  if (hasItems(field(container, 'restartPolicyRules'))) found.push('restartPolicyRules');
  if (!isInit && container.restartPolicy !== undefined) found.push('a restartPolicy of its own');
  return found.map((what) => `${what} of container "${container.name}"`);
}

function isSome(amount: string | number | undefined): boolean {
  return amount !== undefined && quantityOf(amount) !== 0;
}

/** A field that the types of this package do not have. */
function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function hasItems(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
