import type { Clock, Logger, Random } from '@hawser/seams';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import type { Pod } from './pod.ts';
import type { PodEvents } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import type { PodReports } from './pod-reporter.ts';
import type { PodStatuses } from './pod-statuses.ts';
import type { StartGate } from './start-gate.ts';

/** What a `PodWorker` needs. */
export interface PodWorkerOptions {
  readonly uid: string;
  /** The pod as the store has it now; undefined: not there any more. */
  readonly desired: () => Pod | undefined;
  /** Resolves when the pod whose name this one took over has ended. */
  readonly after?: Promise<void>;
  readonly runtime: ContainerRuntime;
  readonly parts: PodParts;
  readonly gate: StartGate;
  readonly statuses: PodStatuses;
  readonly reports: PodReports;
  readonly events: PodEvents;
  /** Nothing of the pod is left here nor in the store: the worker has done its work. */
  readonly onDone: () => void;
  readonly hostIps: () => readonly string[];
  readonly clock: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  readonly log: Logger;
}
