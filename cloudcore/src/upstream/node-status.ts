import { formatTime, isPlainObject, isQuantity, Quantity, type JsonObject } from '@hawser/kube';
import { conditionsOf, settleTransition, type Condition } from './conditions.ts';

/** Fields of a NodeStatus that a node says as a whole; what is not here stays as others wrote it. */
const NODE_FIELDS = [
  'addresses',
  'daemonEndpoints',
  'nodeInfo',
  'images',
  'volumesInUse',
  'config',
  'runtimeHandlers',
  'features',
  'declaredFeatures',
];
/** Maps of which the node says some keys: others advertise resources too (KEP-1435, extended resources). */
const NODE_MAPS = ['capacity', 'allocatable'];
const HEARTBEAT = 'lastHeartbeatTime';

/**
 * The status that a Node is to have, and whether it differs from the live one in anything but heartbeat times: then it
 * is to be written, with new ones. Conditions that the node does not report stay.
 * Source: kubernetes pkg/kubelet/kubelet_node_status.go, nodeStatusHasChanged.
 * @param nowMs wall time of the hub
 */
export function mergeNodeStatus(live: JsonObject, reported: JsonObject, nowMs: number): JsonObject {
  const merged = new Map(Object.entries(live).filter(([key]) => key !== 'conditions'));
  for (const key of NODE_FIELDS) if (reported[key] !== undefined) merged.set(key, reported[key]);
  for (const key of NODE_MAPS) {
    const said = reported[key];
    const known = isPlainObject(live[key]) ? live[key] : {};
    if (isPlainObject(said)) merged.set(key, mergeQuantities(known, said));
  }
  const conditions = mergeConditions(live, reported, nowMs);
  if (conditions.length > 0) merged.set('conditions', conditions);
  return Object.fromEntries(merged);
}

/** The API server keeps amounts in a form of its own (`1048576Ki` becomes `1Gi`): the same amount is no difference. */
function mergeQuantities(live: JsonObject, reported: JsonObject): JsonObject {
  const changed = Object.entries(reported).filter(([key, amount]) => !isSameAmount(live[key], amount));
  return { ...live, ...Object.fromEntries(changed) };
}

function isSameAmount(left: unknown, right: unknown): boolean {
  if (typeof left !== 'string' || typeof right !== 'string') return false;
  if (left === right) return true;
  return isQuantity(left) && isQuantity(right) && Quantity.parse(left).compare(Quantity.parse(right)) === 0;
}

function mergeConditions(live: JsonObject, reported: JsonObject, nowMs: number): Condition[] {
  const now = formatTime(nowMs);
  const said = new Map(conditionsOf(reported).map((condition) => [condition.type, condition]));
  const merged: Condition[] = [];
  for (const condition of conditionsOf(live)) {
    const newer = said.get(condition.type);
    said.delete(condition.type);
    if (newer === undefined) merged.push(condition);
    else merged.push({ ...settleTransition(condition, newer, nowMs, now), [HEARTBEAT]: now });
  }
  for (const condition of said.values()) {
    merged.push({ ...settleTransition(undefined, condition, nowMs, now), [HEARTBEAT]: now });
  }
  return merged;
}

/** A status without what a heartbeat alone would change. */
export function withoutHeartbeats(status: JsonObject): JsonObject {
  const conditions = conditionsOf(status).map((condition) =>
    Object.fromEntries(Object.entries(condition).filter(([key]) => key !== HEARTBEAT)),
  );
  return { ...status, conditions };
}
