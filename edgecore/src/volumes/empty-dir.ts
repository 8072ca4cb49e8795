import { cgroupLimits } from '../cgroups/pod-limits.ts';
import { wholeUnits } from '../containers/resource-fields.ts';
import type { Pod, Quantities } from '../pods/pod.ts';
import type { EmptyDirSource } from '../pods/volume-source.ts';
import type { Mounter } from './mounter.ts';
import { exists, isInMemory, makeVolumeFolder, writeMarker } from './volume-folder.ts';
import { VolumeError } from './volume-error.ts';

/** Where an emptyDir volume is. */
export interface EmptyDirPlace {
  readonly folder: string;
  /** File that says that it was made ready. */
  readonly marker: string;
}

/**
 * Makes an emptyDir volume. One that was ready before is left as it is, with what is in it; memory that a power cut
 * has taken is made again.
 * @throws VolumeError the medium is none of this node (final), the limit is no quantity; MountError
 * Source: kubelet, volume/emptydir.
 */
export async function makeEmptyDir(
  { folder, marker }: EmptyDirPlace,
  source: EmptyDirSource,
  pod: Pod,
  allocatable: Quantities,
  mounter: Mounter,
): Promise<void> {
  const { medium = '', sizeLimit } = source;
  if (medium !== '' && medium !== 'Memory') {
    throw new VolumeError(`unknown storage medium "${medium}"`, { isFinal: true });
  }
  const isMemory = medium === 'Memory';
  if ((await exists(marker)) && (await exists(folder)) && (!isMemory || (await isInMemory(folder)))) return;
  const memory = isMemory ? { sizeBytes: memorySize(pod, sizeLimit, allocatable) } : undefined;
  const gid = pod.spec.securityContext?.fsGroup;
  await makeVolumeFolder({ folder, memory, gid, readOnly: false }, mounter);
  await writeMarker(marker);
}

/**
 * Size of a volume in memory: what the node has for pods, less where the pod may take less, less still where the
 * volume is limited.
 * @throws FieldError no quantity
 * Source: KEP-1967, sizable memory-backed volumes.
 */
export function memorySize(
  pod: Pod,
  sizeLimit: string | number | undefined,
  allocatable: Quantities,
): bigint {
  const ofPod = cgroupLimits(pod).memoryBytes;
  const bounds = [
    wholeUnits(allocatable['memory'] ?? 0),
    ofPod === undefined ? 0n : BigInt(Math.ceil(ofPod)),
    wholeUnits(sizeLimit ?? 0),
  ].filter((bound) => bound > 0n);
  const [first, ...rest] = bounds;
  if (first === undefined) throw new VolumeError('the memory of the node is not known yet');
  return rest.reduce((least, bound) => (bound < least ? bound : least), first);
}
