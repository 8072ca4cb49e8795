import { forbidden } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import { ensureRecord, record, records, text, type MutableRecord } from '../draft.ts';
import { concerns, type AdmissionPlugin } from './admission.ts';

const GRACE_SECONDS = 300;
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Settings of {@link defaultTolerationSeconds}. */
export interface TolerationOptions {
  /** How long pods stay on a node that is not ready or unreachable. Default 300. */
  readonly seconds?: number;
}

/**
 * Pods get tolerations for nodes that are not ready and unreachable, unless they have their own.
 * Source: kubernetes plugin/pkg/admission/defaulttolerationseconds.
 */
export function defaultTolerationSeconds({
  seconds = GRACE_SECONDS,
}: TolerationOptions = {}): AdmissionPlugin {
  return {
    admit(attributes) {
      const { object, operation } = attributes;
      if (object === undefined || operation === 'DELETE' || !concerns(attributes, 'pods')) return;
      const spec = ensureRecord(object, 'spec');
      const tolerations = records(spec['tolerations']);
      const missing = TAINTS.filter(
        (taint) => !tolerations.some((toleration) => tolerates(toleration, taint)),
      );
      if (missing.length === 0) return;
      spec['tolerations'] = [
        ...tolerations,
        ...missing.map((key) => ({
          key,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: seconds,
        })),
      ];
    },
  };
}

function tolerates(toleration: MutableRecord, taint: string): boolean {
  const key = text(toleration['key']);
  const effect = text(toleration['effect']);
  return (key === taint || key === '') && (effect === 'NoExecute' || effect === '');
}

const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

/**
 * Pods get the number of their priority class. Source: kubernetes plugin/pkg/admission/priority.
 */
export function podPriority(store: ObjectStore): AdmissionPlugin {
  return {
    admit(attributes) {
      const { object, operation, oldObject, resource } = attributes;
      if (object === undefined || !concerns(attributes, 'pods')) return;
      const spec = ensureRecord(object, 'spec');
      if (operation === 'UPDATE') {
        const old = record(oldObject?.['spec']);
        // What a client that knows nothing of priorities leaves out stays.
        for (const key of ['priority', 'preemptionPolicy']) spec[key] ??= old[key];
        return;
      }
      if (operation !== 'CREATE') return;
      const name = text(spec['priorityClassName']);
      const found = name === '' ? globalDefault(store) : classOf(store, name);
      if (found === undefined) {
        throw forbidden(resource, attributes.name, `no PriorityClass with name ${name} was found`);
      }
      const { value, preemptionPolicy = 'PreemptLowerPriority', className = '' } = found;
      if (name === '' && className !== '') spec['priorityClassName'] = className;
      if (typeof spec['priority'] === 'number' && spec['priority'] !== value) {
        const why = `the integer value of priority (${spec['priority']}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
        throw forbidden(resource, attributes.name, why);
      }
      spec['priority'] = value;
      spec['preemptionPolicy'] ??= preemptionPolicy;
    },
  };
}

interface Priority {
  readonly value: number;
  readonly preemptionPolicy?: string;
  readonly className?: string;
}

function classOf(store: ObjectStore, name: string): Priority | undefined {
  const entry = store.get({ group: 'scheduling.k8s.io', resource: 'priorityclasses', namespace: '', name });
  const system = SYSTEM_PRIORITIES[name];
  if (entry === undefined) return system === undefined ? undefined : { value: system };
  return {
    value: Number(entry.object['value']),
    preemptionPolicy: text(entry.object['preemptionPolicy']) || 'PreemptLowerPriority',
  };
}

function globalDefault(store: ObjectStore): Priority {
  const { entries } = store.list({ group: 'scheduling.k8s.io', resource: 'priorityclasses' });
  const defaults = entries.filter(({ object }) => object['globalDefault'] === true);
  const [lowest] = defaults.sort((a, b) => Number(a.object['value']) - Number(b.object['value']));
  if (lowest === undefined) return { value: 0 };
  return {
    ...classOf(store, lowest.key.name),
    value: Number(lowest.object['value']),
    className: lowest.key.name,
  };
}

const NOT_READY = 'node.kubernetes.io/not-ready';

/**
 * A new node takes no pods until it is known to be ready. Source: kubernetes plugin/pkg/admission/nodetaint.
 */
export const taintNewNodes: AdmissionPlugin = {
  admit(attributes) {
    const { object, operation } = attributes;
    if (object === undefined || operation !== 'CREATE' || !concerns(attributes, 'nodes')) return;
    const spec = ensureRecord(object, 'spec');
    const taints = records(spec['taints']);
    if (taints.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule')) return;
    spec['taints'] = [...taints, { key: NOT_READY, effect: 'NoSchedule' }];
  },
};
