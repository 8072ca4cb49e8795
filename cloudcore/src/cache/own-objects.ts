import type { Content } from '@hawser/sync';

/** Objects that the hub makes up for single nodes, which get them beside what the API server has for them. */
export interface OwnObjects {
  /** Whether all of them are known; before that no node is told anything. */
  readonly ready: boolean;
  /** What a node gets, at most one object; undefined: nothing. */
  of(node: string): Content | undefined;
}

/** Nobody gets any. */
export const NO_OWN_OBJECTS: OwnObjects = { ready: true, of: () => undefined };
