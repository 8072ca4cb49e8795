import { parseTime, type ApiResource, type JsonObject, type KubeObject } from '@hawser/kube';
import { record, records, text, texts } from '../cache/json-reader.ts';

/** The group of NodePools. */
export const NODE_POOL_GROUP = 'apps.openyurt.io';

/** Versions of NodePool that are read, the best one first: that of a cluster may be an older one of OpenYurt. */
export const NODE_POOL_VERSIONS: readonly ApiResource[] = ['v1beta2', 'v1beta1', 'v1'].map((version) => ({
  group: NODE_POOL_GROUP,
  version,
  resource: 'nodepools',
  kind: 'NodePool',
  namespaced: false,
}));

/** A resource as a NodePool or the configuration names it: kind and scope are the API server's to say. */
export interface NamedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** A taint of a node. */
export interface PoolTaint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** What the hub reads of a NodePool. */
export interface NodePool {
  readonly name: string;
  readonly uid: string;
  /** As the API server serves it. */
  readonly apiVersion: string;
  /** Whether its nodes share resources: not where its type is `Cloud`. */
  readonly shares: boolean;
  /** `spec.poolScopeMetadata`; empty: what the hub's configuration says. */
  readonly resources: readonly NamedResource[];
  /** Whether one of its nodes leads. */
  readonly elects: boolean;
  /** Labels of the nodes that may lead. */
  readonly leaderLabels: Readonly<Record<string, string>>;
  /** For each of its nodes. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly PoolTaint[];
  readonly status: JsonObject;
}

/** Resources that a pool may list at most; further ones are left out. */
export const MAX_RESOURCES = 32;

/**
 * Reads a NodePool of any of {@link NODE_POOL_VERSIONS}; what is missing or of another shape counts as not said.
 * A leader is chosen unless `enableLeaderElection` or `interConnectivity` is false; `leaderNodeLabelSelector` counts
 * unless `leaderElectionStrategy` is `random`.
 * Source: openyurt pkg/apis/apps/v1beta2 nodepool_types.go (names and shapes).
 */
export function readNodePool(object: KubeObject): NodePool {
  const spec = record(object['spec']);
  const selects = text(spec['leaderElectionStrategy']) !== 'random';
  return {
    name: object.metadata.name ?? '',
    uid: object.metadata.uid ?? '',
    apiVersion: object.apiVersion,
    shares: text(spec['type']) !== 'Cloud',
    resources: resourcesOf(spec),
    elects: spec['enableLeaderElection'] !== false && spec['interConnectivity'] !== false,
    leaderLabels: selects ? texts(spec['leaderNodeLabelSelector']) : {},
    labels: texts(spec['labels']),
    annotations: texts(spec['annotations']),
    taints: records(spec['taints']).map((taint) => ({
      key: text(taint['key']),
      value: text(taint['value']),
      effect: text(taint['effect']),
    })),
    status: record(object['status']),
  };
}

/** Whether a node with these labels may lead. */
export function mayLead(
  { leaderLabels }: Pick<NodePool, 'leaderLabels'>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(leaderLabels).every(([key, value]) => labels[key] === value);
}

/** When a leader was last elected, by a NodePool's status, milliseconds since the epoch; undefined: it does not say. */
export function electedMs({ status }: Pick<NodePool, 'status'>): number | undefined {
  return parseTime(text(status['leaderLastElectedTime']));
}

function resourcesOf(spec: JsonObject): readonly NamedResource[] {
  const named = new Map<string, NamedResource>();
  for (const entry of records(spec['poolScopeMetadata'])) {
    const { group, version, resource } = {
      group: text(entry['group']),
      version: text(entry['version']),
      resource: text(entry['resource']),
    };
    if (isName(resource) && isName(version) && (group === '' || isName(group)) && named.size < MAX_RESOURCES)
      named.set(`${resource}.${group}`, { group, version, resource });
  }
  return [...named.values()];
}

function isName(value: string): boolean {
  return value.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value);
}
