import { jsonEqual } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { ensureRecord, number, record, setDefault, text, type Draft, type MutableRecord } from '../draft.ts';
import type {
  ResourceDefinition,
  ResourceStrategy,
  ScaleAccess,
  SubresourceDefinition,
} from '../registry/definition.ts';
import {
  daemonSetPrinter,
  deploymentPrinter,
  replicaSetPrinter,
  selectorText,
  statefulSetPrinter,
} from '../table/workload-printers.ts';
import { builtIn, PART_VERBS } from './define.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { specStatus, statusStrategy, statusSubresource } from './strategies.ts';
import { notNegative, selectorImmutable, templateErrors } from './workload-validation.ts';

const GROUP = 'apps';

/** Fills in the defaults of `spec.template`. */
export function defaultTemplate(spec: MutableRecord): void {
  defaultPodSpec(ensureRecord(ensureRecord(spec, 'template'), 'spec'));
}

/** Scale of a workload with `spec.replicas`. */
const workloadScale: ScaleAccess = {
  specReplicas: (object) => number(record(object['spec'])['replicas']) ?? 0,
  statusReplicas: (object) => number(record(object['status'])['replicas']) ?? 0,
  selector: (object) => selectorText(record(object['spec'])['selector']),
  setSpecReplicas(draft, replicas) {
    ensureRecord(draft, 'spec')['replicas'] = replicas;
  },
  validatesObject: false,
};

const SCALE: SubresourceDefinition = {
  name: 'scale',
  verbs: PART_VERBS,
  responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  behaviour: { type: 'scale', scale: workloadScale },
};

interface Workload {
  readonly kind: string;
  readonly defaults: (spec: MutableRecord) => void;
  readonly errors: (spec: MutableRecord) => FieldError[];
  /** Further rules on updates. */
  readonly updateErrors?: (draft: Draft, old: KubeObject) => FieldError[];
}

function workloadStrategy({ kind, defaults, errors, updateErrors }: Workload): ResourceStrategy {
  const base = specStatus(kind, { generation: true, status: true });
  return {
    ...base,
    default(draft) {
      const spec = ensureRecord(draft, 'spec');
      defaults(spec);
      defaultTemplate(spec);
    },
    prepareForUpdate(draft, old, context) {
      base.prepareForUpdate(draft, old, context);
      const annotated =
        kind === 'Deployment' && !jsonEqual(draft.metadata.annotations, old.metadata.annotations);
      // Of deployments, annotations count as well: rollouts carry their cause there.
      if (annotated) draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    validate: (draft) => errors(record(draft['spec'])),
    validateUpdate: (draft, old) => [
      ...errors(record(draft['spec'])),
      ...selectorImmutable(draft, old),
      ...(updateErrors?.(draft, old) ?? []),
    ],
  };
}

const deployment: Workload = {
  kind: 'Deployment',
  defaults(spec) {
    spec['replicas'] ??= 1;
    const strategy = ensureRecord(spec, 'strategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      const rolling = ensureRecord(strategy, 'rollingUpdate');
      rolling['maxUnavailable'] ??= '25%';
      rolling['maxSurge'] ??= '25%';
    }
    spec['revisionHistoryLimit'] ??= 10;
    spec['progressDeadlineSeconds'] ??= 600;
  },
  errors(spec) {
    const strategy = record(spec['strategy']);
    const type = text(strategy['type']);
    const errors = notNegative(spec, ['replicas']);
    errors.push(...templateErrors(spec, { restartPolicies: ['Always'], kind: 'deployment' }));
    if (type === 'Recreate' && strategy['rollingUpdate'] !== undefined) {
      const detail = "may not be specified when strategy `type` is 'Recreate'";
      errors.push(field.forbidden('spec.strategy.rollingUpdate', detail));
    } else if (type !== 'Recreate' && type !== 'RollingUpdate') {
      errors.push(field.notSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate']));
    }
    errors.push(...notNegative(spec, ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds']));
    const deadline = number(spec['progressDeadlineSeconds']) ?? 0;
    const minReady = number(spec['minReadySeconds']) ?? 0;
    if (deadline > 0 && deadline <= minReady) {
      const detail = 'must be greater than minReadySeconds';
      errors.push(field.invalid('spec.progressDeadlineSeconds', deadline, detail));
    }
    return errors;
  },
};

const replicaSet: Workload = {
  kind: 'ReplicaSet',
  defaults(spec) {
    spec['replicas'] ??= 1;
  },
  errors: (spec) => [
    ...notNegative(spec, ['replicas', 'minReadySeconds']),
    ...templateErrors(spec, { restartPolicies: ['Always'], kind: 'replicaset' }),
  ],
};

const daemonSet: Workload = {
  kind: 'DaemonSet',
  defaults(spec) {
    const strategy = ensureRecord(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') {
      const rolling = ensureRecord(strategy, 'rollingUpdate');
      rolling['maxUnavailable'] ??= 1;
      rolling['maxSurge'] ??= 0;
    }
    spec['revisionHistoryLimit'] ??= 10;
  },
  errors: (spec) => [
    ...templateErrors(spec, { restartPolicies: ['Always'], kind: 'daemonset' }),
    ...notNegative(spec, ['minReadySeconds', 'revisionHistoryLimit']),
  ],
};

/** What a StatefulSet may change of its spec. */
const STATEFUL_SET_MUTABLE = [
  ...['replicas', 'template', 'updateStrategy', 'revisionHistoryLimit', 'minReadySeconds', 'ordinals'],
  ...['persistentVolumeClaimRetentionPolicy'],
];
const STATEFUL_SET_FORBIDDEN =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

const statefulSet: Workload = {
  kind: 'StatefulSet',
  defaults(spec) {
    setDefault(spec, 'podManagementPolicy', 'OrderedReady');
    const strategy = ensureRecord(spec, 'updateStrategy');
    setDefault(strategy, 'type', 'RollingUpdate');
    if (strategy['type'] === 'RollingUpdate') ensureRecord(strategy, 'rollingUpdate')['partition'] ??= 0;
    const retention = ensureRecord(spec, 'persistentVolumeClaimRetentionPolicy');
    setDefault(retention, 'whenDeleted', 'Retain');
    setDefault(retention, 'whenScaled', 'Retain');
    spec['replicas'] ??= 1;
    spec['revisionHistoryLimit'] ??= 10;
  },
  errors: (spec) => [
    ...notNegative(spec, ['replicas', 'minReadySeconds']),
    ...templateErrors(spec, { restartPolicies: ['Always'], kind: 'statefulset' }),
  ],
  updateErrors(draft, old) {
    const fixed = (spec: MutableRecord): MutableRecord =>
      Object.fromEntries(Object.entries(spec).filter(([key]) => !STATEFUL_SET_MUTABLE.includes(key)));
    return jsonEqual(fixed(record(draft['spec'])), fixed(record(old['spec'])))
      ? []
      : [field.forbidden('spec', STATEFUL_SET_FORBIDDEN)];
  },
};

/** Resources of apps/v1. */
export function workloadResources(): ResourceDefinition[] {
  const common = { group: GROUP, categories: ['all'] };
  const replicas = (object: KubeObject): Record<string, string> => ({
    'status.replicas': String(number(record(object['status'])['replicas']) ?? 0),
  });
  return [
    builtIn({ group: GROUP, kind: 'ControllerRevision', resource: 'controllerrevisions' }),
    builtIn({
      ...common,
      kind: 'DaemonSet',
      resource: 'daemonsets',
      shortNames: ['ds'],
      strategy: workloadStrategy(daemonSet),
      table: daemonSetPrinter,
      subresources: [statusSubresource()],
    }),
    builtIn({
      ...common,
      kind: 'Deployment',
      resource: 'deployments',
      shortNames: ['deploy'],
      strategy: workloadStrategy(deployment),
      table: deploymentPrinter,
      subresources: [SCALE, statusSubresource(statusStrategy({ keepLabels: true }))],
    }),
    builtIn({
      ...common,
      kind: 'ReplicaSet',
      resource: 'replicasets',
      shortNames: ['rs'],
      strategy: workloadStrategy(replicaSet),
      table: replicaSetPrinter,
      fieldNames: ['status.replicas'],
      fields: replicas,
      subresources: [SCALE, statusSubresource()],
    }),
    builtIn({
      ...common,
      kind: 'StatefulSet',
      resource: 'statefulsets',
      shortNames: ['sts'],
      strategy: workloadStrategy(statefulSet),
      table: statefulSetPrinter,
      subresources: [SCALE, statusSubresource()],
    }),
  ];
}
