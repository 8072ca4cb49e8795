import type { JsonObject } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field } from '../../status/field-error.ts';
import { invalid } from '../../status/status-errors.ts';
import type { Entry } from '../../store/store.ts';
import { draftOf, number, record, type Draft } from '../draft.ts';
import type { ScaleAccess } from '../registry/definition.ts';
import { decodeTyped } from '../registry/typed-codec.ts';

const KIND = 'Scale';
const API_VERSION = 'autoscaling/v1';

/** The Scale of an object. Source: k8s.io/api autoscaling/v1. */
export function scaleOf(access: ScaleAccess, object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = access.specReplicas(object);
  const selector = access.selector(object);
  return {
    kind: KIND,
    apiVersion: API_VERSION,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: access.statusReplicas(object), ...(selector === '' ? {} : { selector }) },
  };
}

/** Decodes a Scale. */
export function decodeScale(value: JsonObject, unknown: string[]): Draft {
  return decodeTyped('Scale', KIND, API_VERSION, value, unknown);
}

/**
 * The object as a Scale wants it; the Scale's uid and version are carried over as conditions.
 * @throws StatusError Invalid.
 */
export function scaled(access: ScaleAccess, current: Entry, scale: Draft): Draft {
  const replicas = number(record(scale['spec'])['replicas']) ?? 0;
  if (replicas < 0 && !access.validatesObject) {
    throw invalid({ group: 'autoscaling', kind: KIND }, scale.metadata.name ?? '', [
      field.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const draft = draftOf(current.object);
  access.setSpecReplicas(draft, replicas);
  const { uid, resourceVersion } = scale.metadata;
  if (uid !== undefined) draft.metadata.uid = uid;
  if (resourceVersion === undefined) delete draft.metadata.resourceVersion;
  else draft.metadata.resourceVersion = resourceVersion;
  return draft;
}
