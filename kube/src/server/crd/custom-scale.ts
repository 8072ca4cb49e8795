import { ensureRecord, type Draft, type MutableRecord } from '../draft.ts';
import type { ScaleAccess } from '../registry/definition.ts';
import type { CrdVersion } from './crd-types.ts';
import { JsonPath } from './json-path.ts';

type ScalePaths = NonNullable<NonNullable<CrdVersion['subresources']>['scale']>;

/** Scale of a custom resource, by the paths of its definition. */
export function customScale({
  specReplicasPath,
  statusReplicasPath,
  labelSelectorPath,
}: ScalePaths): ScaleAccess {
  const spec = new JsonPath(specReplicasPath);
  const status = new JsonPath(statusReplicasPath);
  const selector = labelSelectorPath === undefined ? undefined : new JsonPath(labelSelectorPath);
  const members = specReplicasPath.split('.').filter((part) => part !== '');
  return {
    specReplicas: (object) => whole(spec.find(object)[0]),
    statusReplicas: (object) => whole(status.find(object)[0]),
    selector: (object) => {
      const [value] = selector?.find(object) ?? [];
      return typeof value === 'string' ? value : '';
    },
    setSpecReplicas(draft: Draft, replicas: number) {
      let parent: MutableRecord = draft;
      for (const member of members.slice(0, -1)) parent = ensureRecord(parent, member);
      parent[members.at(-1) ?? 'replicas'] = replicas;
    },
    validatesObject: true,
  };
}

function whole(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
