import { dns1123LabelProblems } from '../../meta/names.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { record, records, text, type MutableRecord } from '../draft.ts';

/** Sources of a volume, in the order in which the API checks them. */
const SOURCES = [
  ...[
    'emptyDir',
    'hostPath',
    'gitRepo',
    'gcePersistentDisk',
    'awsElasticBlockStore',
    'secret',
    'nfs',
    'iscsi',
  ],
  ...['glusterfs', 'flocker', 'persistentVolumeClaim', 'rbd', 'cinder', 'cephfs', 'downwardAPI', 'fc'],
  ...['flexVolume', 'configMap', 'azureFile', 'vsphereVolume', 'azureDisk', 'photonPersistentDisk'],
  ...['portworxVolume', 'scaleIO', 'storageos', 'projected', 'quobyte', 'csi', 'ephemeral', 'image'],
] as const;

/** What a source must say. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  hostPath: ['path'],
  secret: ['secretName'],
  configMap: ['name'],
  nfs: ['server', 'path'],
  persistentVolumeClaim: ['claimName'],
  csi: ['driver'],
};

/**
 * Checks volumes. Names of those that are well-formed are put into `names`.
 * Source: kubernetes pkg/apis/core/validation ValidateVolumes.
 */
export function volumeErrors(volumes: unknown, path: string, names: Set<string>): FieldError[] {
  return records(volumes).flatMap((volume, index) => {
    const at = `${path}[${index}]`;
    const name = text(volume['name']);
    const errors = sourceErrors(volume, at);
    if (name === '') errors.push(field.required(`${at}.name`));
    else {
      const problems = dns1123LabelProblems(name).map((problem) =>
        field.invalid(`${at}.name`, name, problem),
      );
      if (problems.length === 0 && names.has(name)) problems.push(field.duplicate(`${at}.name`, name));
      errors.push(...problems);
    }
    if (errors.length === 0) names.add(name);
    return errors;
  });
}

function sourceErrors(volume: MutableRecord, path: string): FieldError[] {
  const present = SOURCES.filter((source) => volume[source] !== undefined);
  if (present.length === 0) return [field.required(path, 'must specify a volume type')];
  return present.flatMap((source, index) => {
    const at = `${path}.${source}`;
    if (index > 0) return [field.forbidden(at, 'may not specify more than 1 volume type')];
    const value = record(volume[source]);
    return (REQUIRED[source] ?? [])
      .filter((key) => text(value[key]) === '')
      .map((key) => field.required(`${at}.${key}`));
  });
}
