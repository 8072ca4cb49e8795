import { ContainerError } from '../pods/container-error.ts';
import type { PodContainer, VolumeMount } from '../pods/pod.ts';
import type { ContainerMount } from '../runtime/container-config.ts';
import { expandVariables } from '../containers/expansion.ts';
import type { ReadyVolume } from './pod-volume-set.ts';

/** What {@link containerMount} needs. */
export interface ContainerMountInput {
  readonly container: PodContainer;
  readonly mount: VolumeMount;
  /** undefined: the pod has no such volume. */
  readonly volume: ReadyVolume | undefined;
  readonly env: ReadonlyMap<string, string>;
  /** Whether the runtime can make mounts below a read-only one read-only too. */
  readonly recursiveReadOnly: boolean;
}

/** A mount, but for its sub-path, which is yet to be mounted; `''`: none. */
export interface ResolvedMount {
  readonly mount: ContainerMount;
  readonly subPath: string;
}

const PROPAGATIONS = { HostToContainer: 'host-to-container', Bidirectional: 'bidirectional' } as const;

/**
 * What a container is given for one of its volume mounts. A function of its arguments.
 * @throws ContainerError `CreateContainerConfigError` with a kubelet's words
 * Source: kubelet, kubelet_pods.go makeMounts, resolveRecursiveReadOnly.
 */
export function containerMount(input: ContainerMountInput): ResolvedMount {
  const { container, mount, volume } = input;
  if (volume === undefined) {
    throw refused(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
  }
  const subPath = subPathOf(mount, input.env);
  const propagation =
    mount.mountPropagation === undefined || mount.mountPropagation === 'None'
      ? undefined
      : PROPAGATIONS[mount.mountPropagation];
  const recursiveReadOnly = isRecursive(mount, input.recursiveReadOnly);
  return {
    mount: {
      hostPath: volume.hostPath,
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      readOnly: mount.readOnly === true || volume.readOnly,
      ...(recursiveReadOnly && { recursiveReadOnly }),
      ...(propagation !== undefined && { propagation }),
    },
    subPath,
  };
}

function subPathOf(
  { subPath = '', subPathExpr = '' }: VolumeMount,
  env: ReadonlyMap<string, string>,
): string {
  const found = subPathExpr === '' ? subPath : expand(subPathExpr, env);
  if (found.startsWith('/')) throw refused(`error SubPath \`${found}\` must not be an absolute path`);
  if (found.split('/').includes('..')) {
    throw refused(`unable to provision SubPath \`${found}\`: must not contain '..'`);
  }
  return found;
}

/** Here, other than in a variable, what names nothing (or nothing but an empty text) is an error. */
function expand(expression: string, env: ReadonlyMap<string, string>): string {
  const missing = new Set<string>();
  const values = new Map<string, string>();
  for (const [reference, name] of expression.matchAll(/\$(?:\$|\(([^)]*)\))/g)) {
    if (reference === '$$' || name === undefined) continue;
    const value = env.get(name) ?? '';
    if (value === '') missing.add(name);
    values.set(name, value);
  }
  if (missing.size > 0) throw refused(`missing value for ${[...missing].toSorted().join(', ')}`);
  return expandVariables(expression, values);
}

function isRecursive(mount: VolumeMount, isSupported: boolean): boolean {
  const { name, recursiveReadOnly: mode = 'Disabled', readOnly = false, mountPropagation = 'None' } = mount;
  if (mode === 'Disabled') return false;
  const wish = `volume "${name}" requested recursive read-only mode, but`;
  if (!readOnly) throw refused(`${wish} it is not read-only`);
  if (mountPropagation !== 'None') {
    throw refused(`${wish} it is not compatible with propagation "${mountPropagation}"`);
  }
  if (mode === 'IfPossible') return isSupported;
  if (mode !== 'Enabled') throw refused(`unknown recursive read-only mode "${mode}"`);
  if (!isSupported) throw refused(`${wish} it is not supported by the runtime`);
  return true;
}

function refused(message: string): ContainerError {
  return new ContainerError('CreateContainerConfigError', message);
}
