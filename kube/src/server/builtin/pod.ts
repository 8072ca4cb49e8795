import type { FieldMap } from '../../meta/field-selector.ts';
import { jsonEqual } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import { Quantity } from '../../quantity/quantity.ts';
import { ensureRecord, number, record, records, text, type Draft, type MutableRecord } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy, UpdateStrategy } from '../registry/definition.ts';
import { podPrinter } from '../table/pod-printer.ts';
import { builtIn } from './define.ts';
import { defaultPod, defaultPodSpec } from './pod-defaults.ts';
import { podSpecErrors, podUpdateErrors } from './pod-validation.ts';
import { bumpGeneration, keep, statusSubresource } from './strategies.ts';

const FIELD_NAMES = [
  ...[
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
  ],
  ...['status.phase', 'status.podIP', 'status.nominatedNodeName'],
];
const PROXY_VERBS = ['create', 'delete', 'get', 'patch', 'update'];
const STREAM_VERBS = ['create', 'get'];
const PART_VERBS = ['get', 'patch', 'update'];

const strategy: ResourceStrategy = {
  returnDeletedObject: true,
  default(draft) {
    const spec = ensureRecord(draft, 'spec');
    defaultPodSpec(spec);
    defaultPod(spec);
  },
  prepareForCreate(draft) {
    draft['status'] = { phase: 'Pending', qosClass: qosClass(record(draft['spec'])) };
    draft.metadata.generation = 1;
  },
  validate: (draft) => podSpecErrors(record(draft['spec']), 'spec'),
  prepareForUpdate(draft, old) {
    keep(draft, old, 'status');
    bumpGeneration(draft, old);
  },
  validateUpdate: podUpdateErrors,
  /** A pod without a node, or one that has ended, has nothing to wait for. Source: podStrategy.CheckGracefulDelete. */
  gracePeriodSeconds(object, requested) {
    const spec = record(object['spec']);
    const { phase } = record(object['status']);
    if (text(spec['nodeName']) === '' || phase === 'Failed' || phase === 'Succeeded') return 0;
    const seconds = requested ?? number(spec['terminationGracePeriodSeconds']) ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};

const statusStrategy: UpdateStrategy = {
  prepareForUpdate(draft, old) {
    keep(draft, old, 'spec');
    const { ownerReferences } = structuredClone(old.metadata) as Draft['metadata']; // plain JSON of the same shape
    if (ownerReferences === undefined) delete draft.metadata.ownerReferences;
    else draft.metadata.ownerReferences = ownerReferences;
    const status = ensureRecord(draft, 'status');
    const { qosClass: known } = record(old['status']);
    if (known !== undefined) status['qosClass'] = known;
    alignIps(status, 'podIP', 'podIPs');
    alignIps(status, 'hostIP', 'hostIPs');
  },
};

/** The single address is the first of the list; who writes one writes both. */
function alignIps(status: MutableRecord, single: string, list: string): void {
  const ip = text(status[single]);
  const [first] = records(status[list]);
  if (first === undefined) {
    if (ip !== '' && list === 'podIPs') status[list] = [{ ip }];
  } else if (ip === '') status[single] = first['ip'];
  else if (first['ip'] !== ip) status[list] = [{ ip }];
}

/** Spec may change in these ways only; see the API's reference on the subresource. */
const ephemeralContainersStrategy: UpdateStrategy = {
  prepareForUpdate(draft, old) {
    const { ephemeralContainers } = record(draft['spec']);
    keep(draft, old, 'status');
    draft['spec'] = {
      ...record(old['spec']),
      ...(ephemeralContainers === undefined ? {} : { ephemeralContainers }),
    };
    bumpGeneration(draft, old);
  },
};

/** Container resources, and nothing else, change through `resize`. */
const resizeStrategy: UpdateStrategy = {
  prepareForUpdate(draft, old) {
    const wanted = records(record(draft['spec'])['containers']);
    const spec = structuredClone(record(old['spec']));
    for (const container of records(spec['containers'])) {
      const change = wanted.find(({ name }) => name === container['name']);
      if (change?.['resources'] !== undefined) container['resources'] = change['resources'];
    }
    draft['spec'] = spec;
    keep(draft, old, 'status');
    bumpGeneration(draft, old);
  },
};

function fields(object: KubeObject): FieldMap {
  const spec = record(object['spec']);
  const status = record(object['status']);
  return {
    'spec.nodeName': text(spec['nodeName']),
    'spec.restartPolicy': text(spec['restartPolicy']),
    'spec.schedulerName': text(spec['schedulerName']),
    'spec.serviceAccountName': text(spec['serviceAccountName']),
    'spec.hostNetwork': String(spec['hostNetwork'] === true),
    'status.phase': text(status['phase']),
    'status.podIP': text(status['podIP']),
    'status.nominatedNodeName': text(status['nominatedNodeName']),
  };
}

const COMPUTE = ['cpu', 'memory'];

/** Source: kubernetes pkg/apis/core/v1/helper/qos ComputePodQOS. */
function qosClass(spec: MutableRecord): string {
  let guaranteed = true;
  let any = false;
  for (const container of [...records(spec['containers']), ...records(spec['initContainers'])]) {
    const resources = record(container['resources']);
    const limits = computeResources(resources['limits']);
    const requests = computeResources(resources['requests']);
    if (Object.keys(limits).length > 0 || Object.keys(requests).length > 0) any = true;
    if (!COMPUTE.every((name) => limits[name] !== undefined)) guaranteed = false;
    else if (!jsonEqual(limits, { ...limits, ...requests })) guaranteed = false;
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function computeResources(list: unknown): Readonly<Record<string, string>> {
  const found = Object.entries(record(list)).filter(
    ([name, value]) => COMPUTE.includes(name) && !Quantity.parse(text(value)).isZero,
  );
  return Object.fromEntries(found.map(([name, value]) => [name, text(value)]));
}

/** Pods. */
export function podResource(): ResourceDefinition {
  const connect = { type: 'connect' } as const;
  const core = (kind: string): { group: string; version: string; kind: string } => ({
    group: '',
    version: '',
    kind,
  });
  return builtIn({
    kind: 'Pod',
    resource: 'pods',
    shortNames: ['po'],
    categories: ['all'],
    strategy,
    fieldNames: FIELD_NAMES,
    fields,
    table: podPrinter,
    subresources: [
      { name: 'attach', verbs: STREAM_VERBS, responseKind: core('PodAttachOptions'), behaviour: connect },
      {
        name: 'binding',
        verbs: ['create'],
        responseKind: core('Binding'),
        behaviour: { type: 'action', action: 'binding' },
      },
      {
        name: 'ephemeralcontainers',
        verbs: PART_VERBS,
        behaviour: { type: 'part', strategy: ephemeralContainersStrategy },
      },
      {
        name: 'eviction',
        verbs: ['create'],
        responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' },
        behaviour: { type: 'action', action: 'eviction' },
      },
      { name: 'exec', verbs: STREAM_VERBS, responseKind: core('PodExecOptions'), behaviour: connect },
      { name: 'log', verbs: ['get'], behaviour: connect },
      {
        name: 'portforward',
        verbs: STREAM_VERBS,
        responseKind: core('PodPortForwardOptions'),
        behaviour: connect,
      },
      { name: 'proxy', verbs: PROXY_VERBS, responseKind: core('PodProxyOptions'), behaviour: connect },
      { name: 'resize', verbs: PART_VERBS, behaviour: { type: 'part', strategy: resizeStrategy } },
      statusSubresource(statusStrategy),
    ],
  });
}
