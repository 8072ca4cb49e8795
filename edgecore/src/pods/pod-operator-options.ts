import type { Clock } from '@hawser/seams';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import type { PodEvents } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import type { StartGate } from './start-gate.ts';

/** What a `PodOperator` needs. */
export interface PodOperatorOptions {
  readonly runtime: ContainerRuntime;
  readonly parts: PodParts;
  readonly events: PodEvents;
  /** How many sandboxes are made at a time, over all pods. */
  readonly gate: StartGate;
  /** Addresses of the node. */
  readonly hostIps: () => readonly string[];
  readonly clock: Clock;
}
