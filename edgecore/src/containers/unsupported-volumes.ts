import type { PodVolume } from '../pods/volume-source.ts';

/** Sources of volumes that this release mounts. */
const SOURCES: ReadonlySet<string> = new Set([
  'emptyDir',
  'hostPath',
  'configMap',
  'secret',
  'downwardAPI',
  'projected',
  'persistentVolumeClaim',
]);
const PROJECTED: ReadonlySet<string> = new Set(['configMap', 'secret', 'downwardAPI', 'serviceAccountToken']);

/** What of the volumes of a pod is not supported, for people to read. */
export function unsupportedVolumes(volumes: readonly PodVolume[]): readonly string[] {
  return volumes.flatMap((volume) => kindsOf(volume).map((kind) => `${kind} (volume "${volume.name}")`));
}

function kindsOf(volume: PodVolume): readonly string[] {
  const kinds = Object.keys(volume).filter((kind) => kind !== 'name' && !SOURCES.has(kind));
  const medium = volume.emptyDir?.medium ?? '';
  if (medium !== '' && medium !== 'Memory') kinds.push(`emptyDir of medium ${medium}`);
  const projected = (volume.projected?.sources ?? []).flatMap((source) => Object.keys(source));
  for (const kind of new Set(projected)) if (!PROJECTED.has(kind)) kinds.push(`projected ${kind}`);
  return kinds;
}
