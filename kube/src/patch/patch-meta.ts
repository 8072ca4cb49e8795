/**
 * How strategic merge patches treat the fields of the built-in kinds. What is not named here has the default: maps
 * are merged, lists replaced. Source: the patchStrategy and patchMergeKey tags of k8s.io/api.
 */

/** One field. */
export interface FieldPatchMeta {
  /** `merge`: a list is merged, items by `key`, or as a set without one. `replace`: a map is replaced. */
  readonly strategy?: 'merge' | 'replace';
  /** Which member tells a list's items apart. */
  readonly key?: string;
  /** What the field, or each item of the list, is made of. */
  readonly type?: PatchType;
}

/** The fields of a type that are not treated in the default way, or lead to such. */
export type PatchType = Readonly<Record<string, FieldPatchMeta>>;

/** Every field in the default way. */
export const PLAIN: PatchType = {};

function byKey(key: string, type: PatchType = PLAIN): FieldPatchMeta {
  return { strategy: 'merge', key, type };
}

const SET: FieldPatchMeta = { strategy: 'merge' };

const OBJECT_META: PatchType = { ownerReferences: byKey('uid'), finalizers: SET };

const CONTAINER: PatchType = {
  ports: byKey('containerPort'),
  env: byKey('name'),
  volumeMounts: byKey('mountPath'),
  volumeDevices: byKey('devicePath'),
};

const POD_SPEC: PatchType = {
  volumes: byKey('name'),
  initContainers: byKey('name', CONTAINER),
  containers: byKey('name', CONTAINER),
  ephemeralContainers: byKey('name', CONTAINER),
  imagePullSecrets: byKey('name'),
  hostAliases: byKey('ip'),
  topologySpreadConstraints: byKey('topologyKey'),
  schedulingGates: byKey('name'),
  resourceClaims: byKey('name'),
};

const POD_STATUS: PatchType = {
  conditions: byKey('type'),
  podIPs: byKey('ip'),
  hostIPs: byKey('ip'),
  resourceClaimStatuses: byKey('name'),
};

const CONDITIONS: PatchType = { conditions: byKey('type') };
const TEMPLATE: PatchType = { metadata: { type: OBJECT_META }, spec: { type: POD_SPEC } };
const WITH_TEMPLATE: PatchType = { template: { type: TEMPLATE } };
const JOB_TEMPLATE: PatchType = { metadata: { type: OBJECT_META }, spec: { type: WITH_TEMPLATE } };

function kind(spec: PatchType = PLAIN, status: PatchType = PLAIN, others: PatchType = PLAIN): PatchType {
  return { metadata: { type: OBJECT_META }, spec: { type: spec }, status: { type: status }, ...others };
}

const WEBHOOKS = kind(PLAIN, PLAIN, { webhooks: byKey('name') });

/** By `group/Kind`; the version does not matter. */
const KINDS: Readonly<Record<string, PatchType>> = {
  '/Pod': kind(POD_SPEC, POD_STATUS),
  '/PodTemplate': kind(PLAIN, PLAIN, WITH_TEMPLATE),
  '/ReplicationController': kind(WITH_TEMPLATE, CONDITIONS),
  '/Node': kind({ podCIDRs: SET }, { conditions: byKey('type'), addresses: byKey('type') }),
  '/Service': kind({ ports: byKey('port') }, CONDITIONS),
  '/ServiceAccount': kind(PLAIN, PLAIN, { secrets: byKey('name') }),
  '/Namespace': kind(PLAIN, CONDITIONS),
  '/PersistentVolumeClaim': kind(PLAIN, CONDITIONS),
  '/ComponentStatus': kind(PLAIN, PLAIN, CONDITIONS),
  'apps/Deployment': kind(WITH_TEMPLATE, CONDITIONS),
  'apps/ReplicaSet': kind(WITH_TEMPLATE, CONDITIONS),
  'apps/DaemonSet': kind(WITH_TEMPLATE, CONDITIONS),
  'apps/StatefulSet': kind(WITH_TEMPLATE, CONDITIONS),
  'batch/Job': kind(WITH_TEMPLATE, CONDITIONS),
  'batch/CronJob': kind({ jobTemplate: { type: JOB_TEMPLATE } }),
  'autoscaling/HorizontalPodAutoscaler': kind(PLAIN, CONDITIONS),
  'policy/PodDisruptionBudget': kind({ selector: { strategy: 'replace' } }, CONDITIONS),
  'apiregistration.k8s.io/APIService': kind(PLAIN, CONDITIONS),
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': WEBHOOKS,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': WEBHOOKS,
};

/** How patches treat a kind; a kind without rules of its own has those of its metadata. */
export function patchTypeOf(group: string, kindName: string): PatchType {
  const id = `${group}/${kindName}`;
  return (Object.hasOwn(KINDS, id) ? KINDS[id] : undefined) ?? kind();
}
