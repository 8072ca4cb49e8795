import { isPlainObject, parseTime, type JsonObject } from '@hawser/kube';

/** A condition of a status, as far as merging reads it. */
export interface Condition extends JsonObject {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
}

/** The conditions in a status that was checked before, or that the API server gave. */
export function conditionsOf(status: JsonObject): Condition[] {
  const { conditions } = status;
  return Array.isArray(conditions) ? conditions.filter(isCondition) : [];
}

function isCondition(value: unknown): value is Condition {
  return isPlainObject(value) && typeof value['type'] === 'string' && typeof value['status'] === 'string';
}

/**
 * What a reported condition becomes. While its status is what it was, its transition time stays too: an edge that was
 * started again, or whose clock is wrong, makes no difference. Otherwise the edge's time counts if it can be true:
 * after the last transition, and not in the future; else it is now.
 * @param nowMs wall time of the hub
 * @param now the same, as the API writes it
 */
export function settleTransition(
  live: Condition | undefined,
  reported: Condition,
  nowMs: number,
  now: string,
): Condition {
  if (live?.status === reported.status && live.lastTransitionTime !== undefined) {
    return { ...reported, lastTransitionTime: live.lastTransitionTime };
  }
  const saidMs = timeOf(reported.lastTransitionTime);
  const sinceMs = timeOf(live?.lastTransitionTime) ?? -Infinity;
  const credible = saidMs !== undefined && saidMs >= sinceMs && saidMs <= nowMs;
  return credible ? reported : { ...reported, lastTransitionTime: now };
}

function timeOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseTime(value) : undefined;
}
