import { formatTime, jsonEqual, type JsonObject } from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { conditionsOf, settleTransition, type Condition } from './conditions.ts';
import { sameStatus } from './same-status.ts';

type Body = UpstreamBodies['device'];

const SERVED = 'Served';

/** The fields that `Device.status` and `DeviceStatus.status` have. What the edge does not say stays as it is. */
export function statusOf({ twins, state, lastOnlineTime }: Body): JsonObject {
  return {
    twins,
    ...(state !== undefined && { state }),
    ...(lastOnlineTime !== undefined && { lastOnlineTime }),
  };
}

/**
 * What of `Device.status` has to be written, as a merge patch of it: fields that differ, and the conditions where
 * `Served` does. Those of others are as they are.
 * @param nowMs wall time of the hub
 */
export function differingStatus(live: JsonObject, body: Body, nowMs: number): JsonObject {
  const differences = differingFields(live, statusOf(body));
  if (body.served === undefined) return differences;
  const conditions = withServed(conditionsOf(live), { type: SERVED, ...body.served }, nowMs);
  return sameStatus(conditions, live['conditions']) ? differences : { ...differences, conditions };
}

/** Fields of `wanted` that are otherwise in `live`; an empty list is as good as none. */
export function differingFields(live: JsonObject, wanted: JsonObject): JsonObject {
  const isNothing = (value: unknown): boolean =>
    value === undefined || (Array.isArray(value) && value.length === 0);
  const differs = ([key, value]: [string, unknown]): boolean =>
    !jsonEqual(live[key], value) && !(isNothing(live[key]) && isNothing(value));
  return Object.fromEntries(Object.entries(wanted).filter(differs));
}

/** In the place that it has. */
function withServed(live: readonly Condition[], served: Condition, nowMs: number): readonly Condition[] {
  const index = live.findIndex(({ type }) => type === SERVED);
  const before = index < 0 ? undefined : live[index];
  const settled = settleTransition(before, served, nowMs, formatTime(nowMs));
  return index < 0 ? [...live, settled] : live.with(index, settled);
}
