import type { ContentKey } from '@hawser/sync';
import type { ApiObject, ObjectSource } from '../objects/object-source.ts';
import type { Pod } from '../pods/pod.ts';
import { PodError } from '../pods/pod-error.ts';
import type { HostPathSource, PodVolume } from '../pods/volume-source.ts';
import { checkHostPath, typeOf } from './host-path.ts';
import { matchesNode, type NodeSelectorTerm } from './node-affinity.ts';
import { failedMount, messageOf, VolumeError } from './volume-error.ts';

/** A volume that a claim is bound to, found and checked. */
export interface ClaimedVolume {
  /** Name of the PersistentVolume. */
  readonly name: string;
  readonly hostPath: string;
  /** Only `local` ones take part in fsGroup. */
  readonly kind: 'hostPath' | 'local';
  readonly readOnly: boolean;
  /** Group that its users need. */
  readonly gid?: number;
}

/** What of a PersistentVolumeClaim counts here. */
interface Claim {
  readonly metadata?: { readonly uid?: string; readonly deletionTimestamp?: string };
  readonly spec?: { readonly volumeName?: string; readonly volumeMode?: string };
  readonly status?: { readonly phase?: string };
}

/** What of a PersistentVolume counts here. */
interface Volume {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly claimRef?: { readonly uid?: string };
    readonly volumeMode?: string;
    readonly mountOptions?: readonly string[];
    readonly nodeAffinity?: {
      readonly required?: { readonly nodeSelectorTerms?: readonly NodeSelectorTerm[] };
    };
    readonly hostPath?: HostPathSource;
    readonly local?: { readonly path: string };
  };
}

/** Fields of a PersistentVolume's spec that are no source. Source: core/v1 PersistentVolumeSpec. */
const NO_SOURCES: readonly string[] = [
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
];
/** Source: kubelet, volume/util VolumeGidAnnotationKey. */
const GID_ANNOTATION = 'pv.beta.kubernetes.io/gid';

/**
 * Finds the PersistentVolume that a pod's claim is bound to, and checks that this node can use it. Access modes are
 * not enforced, as the API documents; what is asked for read-only is.
 *
 * @param seen is told each object that it depends on
 * @throws PodError `FailedMount`; final where the kind of the volume is not supported
 * Source: kubelet, volumemanager/populator, volume/local, volume/hostpath.
 */
export async function findClaimed(
  pod: Pod,
  volume: PodVolume & Required<Pick<PodVolume, 'persistentVolumeClaim'>>,
  node: string,
  objects: ObjectSource,
  seen: (key: ContentKey) => void,
): Promise<ClaimedVolume> {
  const { claimName, readOnly = false } = volume.persistentVolumeClaim;
  const { namespace } = pod.metadata;
  const get = (key: ContentKey): Promise<ApiObject | undefined> => {
    seen(key);
    return objects.get(key);
  };
  let name: string;
  let found: Volume;
  try {
    const claim = claimOf(await get(`persistentvolumeclaims/${namespace}/${claimName}`), claimName);
    name = claim.spec?.volumeName ?? '';
    found = volumeOf(await get(`persistentvolumes//${name}`), name, claim.metadata?.uid ?? '');
    checkMode(found, volume, pod);
  } catch (error) {
    throw unprocessed(pod, volume.name, claimName, error);
  }
  const terms = found.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  if (
    terms !== undefined &&
    !matchesNode(terms, { name: node, labels: labelsOf(await get(`nodes//${node}`)) })
  ) {
    throw failedMount(name, 'no matching NodeSelectorTerms', 'NodeAffinity check failed');
  }
  const gid = Number.parseInt(found.metadata?.annotations?.[GID_ANNOTATION] ?? '', 10);
  return { name, readOnly, ...(await placeOf(name, found)), ...(gid >= 0 && { gid }) };
}

function claimOf(object: ApiObject | undefined, name: string): Claim {
  if (object === undefined) {
    throw new Error(`failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`);
  }
  const claim = object as Claim;
  if (claim.metadata?.deletionTimestamp !== undefined) throw new Error('PVC is being deleted');
  if (claim.status?.phase !== 'Bound') throw new Error('PVC is not bound');
  if ((claim.spec?.volumeName ?? '') === '') throw new Error('PVC has empty pvc.Spec.VolumeName');
  return claim;
}

function volumeOf(object: ApiObject | undefined, name: string, claimUid: string): Volume {
  if (object === undefined) {
    throw new Error(`failed to fetch PV ${name} from API server: persistentvolumes "${name}" not found`);
  }
  const volume = object as Volume;
  const reference = volume.spec?.claimRef;
  if (reference === undefined) {
    throw new Error(
      `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
    );
  }
  if (reference.uid !== claimUid) {
    const { uid = '' } = reference;
    throw new Error(
      `found PV object ${name} but its pv.Spec.ClaimRef.UID ${uid} does not point to claim.UID ${claimUid}`,
    );
  }
  return volume;
}

function checkMode({ spec }: Volume, { name }: PodVolume, pod: Pod): void {
  const mode = spec?.volumeMode ?? 'Filesystem';
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const isMounted = containers.some(({ volumeMounts = [] }) =>
    volumeMounts.some((mount) => mount.name === name),
  );
  if (mode !== 'Filesystem' && isMounted) {
    throw new VolumeError(`volume ${name} has volumeMode ${mode}, but is specified in volumeMounts`, {
      isFinal: true,
    });
  }
}

function unprocessed(pod: Pod, volume: string, claim: string, error: unknown): PodError {
  const message =
    `Unable to attach or mount volumes: unmounted volumes=[${volume}], unattached volumes=[], ` +
    `failed to process volumes=[${volume}]: error processing PVC ${pod.metadata.namespace}/${claim}: ` +
    messageOf(error);
  const isFinal = error instanceof VolumeError && error.isFinal;
  return new PodError('FailedMount', message, { cause: error, isFinal });
}

async function placeOf(
  name: string,
  { spec = {} }: Volume,
): Promise<Pick<ClaimedVolume, 'hostPath' | 'kind'>> {
  const { hostPath, local, mountOptions = [] } = spec;
  if (hostPath === undefined && local === undefined) {
    const kind = Object.keys(spec).find((field) => !NO_SOURCES.includes(field)) ?? 'none';
    throw failedMount(
      name,
      new VolumeError(`this node has no persistent volumes of kind ${kind}`, { isFinal: true }),
    );
  }
  if (mountOptions.length > 0) {
    const message = 'Mount options are not supported for this volume type';
    throw failedMount(name, new VolumeError(message, { isFinal: true }));
  }
  if (hostPath !== undefined) {
    await checkHostPath(hostPath).catch((error: unknown) => {
      throw failedMount(name, error);
    });
    return { hostPath: hostPath.path, kind: 'hostPath' };
  }
  const path = local?.path ?? '';
  await checkLocal(path).catch((error: unknown) => {
    throw failedMount(name, error, 'NewMounter initialization failed');
  });
  return { hostPath: path, kind: 'local' };
}

async function checkLocal(path: string): Promise<void> {
  const type = await typeOf(path);
  if (type === undefined) throw new VolumeError(`path "${path}" does not exist`);
  if (type === 'block device') {
    throw new VolumeError(`${path} is a block device, and this node does not format and mount them`, {
      isFinal: true,
    });
  }
  if (type !== 'directory') throw new VolumeError('only directory and block device are supported');
}

function labelsOf(node: ApiObject | undefined): Readonly<Record<string, string>> {
  const metadata = node?.['metadata'] as { readonly labels?: Readonly<Record<string, string>> } | undefined;
  return metadata?.labels ?? {};
}
