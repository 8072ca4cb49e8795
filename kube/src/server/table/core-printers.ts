import type { KubeObject } from '../../meta/object.ts';
import { number, record, records, strings, text, type MutableRecord } from '../draft.ts';
import {
  CONFIG_MAP_COLUMNS,
  EVENT_COLUMNS,
  LEASE_COLUMNS,
  NAMESPACE_COLUMNS,
  NODE_COLUMNS,
  SECRET_COLUMNS,
  SERVICE_COLUMNS,
} from './built-in-columns.ts';
import { age } from './duration.ts';
import type { TablePrinter } from './printer.ts';

function created(object: KubeObject, nowMs: number): string {
  return age(object.metadata.creationTimestamp, nowMs);
}

function size(value: unknown): number {
  return Object.keys(record(value)).length;
}

/** ConfigMaps. */
export const configMapPrinter: TablePrinter = {
  columns: CONFIG_MAP_COLUMNS,
  cells: (object, nowMs) => [
    object.metadata.name,
    size(object['data']) + size(object['binaryData']),
    created(object, nowMs),
  ],
};

/** Secrets. */
export const secretPrinter: TablePrinter = {
  columns: SECRET_COLUMNS,
  cells: (object, nowMs) => [
    object.metadata.name,
    text(object['type']),
    size(object['data']),
    created(object, nowMs),
  ],
};

/** Namespaces. */
export const namespacePrinter: TablePrinter = {
  columns: NAMESPACE_COLUMNS,
  cells: (object, nowMs) => [
    object.metadata.name,
    text(record(object['status'])['phase']),
    created(object, nowMs),
  ],
};

/** Leases. */
export const leasePrinter: TablePrinter = {
  columns: LEASE_COLUMNS,
  cells: (object, nowMs) => [
    object.metadata.name,
    text(record(object['spec'])['holderIdentity']),
    created(object, nowMs),
  ],
};

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

function nodeRoles(labels: Readonly<Record<string, string>>): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
      roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === ROLE_LABEL && value !== '') roles.add(value);
  }
  return [...roles].sort().join(',') || '<none>';
}

function nodeStatus(object: KubeObject): string {
  const ready = records(record(object['status'])['conditions']).find(({ type }) => type === 'Ready');
  const states = [ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'];
  if (record(object['spec'])['unschedulable'] === true) states.push('SchedulingDisabled');
  return states.join(',');
}

function addressOf(status: MutableRecord, type: string): string {
  const found = records(status['addresses']).find((address) => address['type'] === type);
  return text(found?.['address']) || '<none>';
}

/** Nodes. */
export const nodePrinter: TablePrinter = {
  columns: NODE_COLUMNS,
  cells(object, nowMs) {
    const status = record(object['status']);
    const info = record(status['nodeInfo']);
    const architecture = text(info['architecture']);
    const kernel = text(info['kernelVersion']);
    return [
      object.metadata.name,
      nodeStatus(object),
      nodeRoles(object.metadata.labels ?? {}),
      created(object, nowMs),
      text(info['kubeletVersion']),
      addressOf(status, 'InternalIP'),
      addressOf(status, 'ExternalIP'),
      text(info['osImage']) || '<unknown>',
      kernel === '' ? '<unknown>' : architecture === '' ? kernel : `${kernel} (${architecture})`,
      text(info['containerRuntimeVersion']) || '<unknown>',
    ];
  },
};

function servicePorts(spec: MutableRecord): string {
  const ports = records(spec['ports']).map((port) => {
    const nodePort = number(port['nodePort']);
    const number_ = String(port['port']);
    return `${nodePort === undefined ? number_ : `${number_}:${nodePort}`}/${text(port['protocol'])}`;
  });
  return ports.join(',') || '<none>';
}

function externalIps(object: KubeObject): string {
  const spec = record(object['spec']);
  const given = strings(spec['externalIPs']);
  if (spec['type'] === 'ExternalName') return text(spec['externalName']);
  if (spec['type'] !== 'LoadBalancer') return given.join(',') || '<none>';
  const ingress = records(record(record(object['status'])['loadBalancer'])['ingress']);
  const all = [...ingress.map(({ ip, hostname }) => text(ip) || text(hostname)), ...given];
  return all.join(',') || '<pending>';
}

/** Services. */
export const servicePrinter: TablePrinter = {
  columns: SERVICE_COLUMNS,
  cells(object, nowMs) {
    const spec = record(object['spec']);
    const selector = Object.entries(record(spec['selector'])).map(([key, value]) => `${key}=${text(value)}`);
    return [
      object.metadata.name,
      text(spec['type']),
      text(spec['clusterIP']) || '<none>',
      externalIps(object),
      servicePorts(spec),
      created(object, nowMs),
      selector.sort().join(',') || '<none>',
    ];
  },
};

/** Events (core/v1). */
export const eventPrinter: TablePrinter = {
  columns: EVENT_COLUMNS,
  cells(object, nowMs) {
    const series = record(object['series']);
    const first = object['firstTimestamp'] ?? object['eventTime'];
    const last = series['lastObservedTime'] ?? object['lastTimestamp'] ?? object['eventTime'];
    const involved = record(object['involvedObject']);
    const source = record(object['source']);
    const component = text(source['component']) || text(object['reportingComponent']);
    const host = text(source['host']) || text(object['reportingInstance']);
    return [
      age(last, nowMs),
      text(object['type']),
      text(object['reason']),
      `${text(involved['kind']).toLowerCase()}/${text(involved['name'])}`,
      text(involved['fieldPath']),
      host === '' ? component : `${component}, ${host}`,
      text(object['message']).trim(),
      age(first, nowMs),
      number(series['count']) ?? number(object['count']) ?? 1,
      object.metadata.name,
    ];
  },
};
