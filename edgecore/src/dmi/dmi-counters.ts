/** What was done since the start; for metrics. */
export interface DmiCounters {
  /** Calls of mappers by what came of them. */
  readonly calls: Record<CallOutcome, number>;
  /** Calls to mappers: answered, refused by the mapper, not answered. */
  readonly orders: Record<'done' | 'refused' | 'unanswered', number>;
}

/** `conflict`: the protocol is another mapper's. */
export type CallOutcome = 'taken' | 'refused' | 'malformed' | 'limited' | 'conflict';

/** All zero. */
export function dmiCounters(): DmiCounters {
  return {
    calls: { taken: 0, refused: 0, malformed: 0, limited: 0, conflict: 0 },
    orders: { done: 0, refused: 0, unanswered: 0 },
  };
}
