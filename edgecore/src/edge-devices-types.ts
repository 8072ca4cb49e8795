import type { Clock, Logger, Random } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import type { AdminDevices } from './admin/device-routes.ts';
import type { EdgeConfig } from './config/options.ts';
import type { EventRecorder } from './events/event-recorder.ts';
import type { Reporter } from './hub/reporter.ts';
import type { JsonState } from './state/json-state.ts';
import type { EdgeStore } from './store/edge-store.ts';

/** What `makeEdgeDevices` needs. */
export interface EdgeDevicesOptions {
  readonly node: string;
  readonly config: EdgeConfig;
  readonly scope: string;
  readonly store: EdgeStore;
  readonly state: JsonState;
  readonly reporter: Reporter;
  readonly events: EventRecorder;
  /** Whether the store may lack devices that nobody took away. */
  readonly mayLack: () => boolean;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random | undefined;
  readonly log: Logger;
}

/** Something that keeps devices from working, with a code of docs/errors.md. */
export interface DevicesProblem {
  readonly code: string;
  readonly message: string;
}

/** Everything of devices at this node: directory, twins, event bus, mappers. */
export interface EdgeDevices extends AdminDevices {
  /** Resolves once devices are there as the disk has them, and the bus was tried. Called once. */
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** The hub may be told things, or not any more. */
  setConnected(connected: boolean): void;
  /** The cloud may not have what it was told: each device is said once more. */
  repeat(): void;
  /** The store has all that the hub has. */
  synced(): void;
  problems(): readonly DevicesProblem[];
}
