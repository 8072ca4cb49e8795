/**
 * Entry point `@hawser/edgecore/testing/devices`: what keeps twins, and a bus in memory for them to speak over. Loads neither
 * a store nor a broker: for the simulator, which starts many of them.
 */
export { ReplicaDirectory } from '../src/devices/replica-directory.ts';
export { ReplicaObjects } from '../src/objects/replica-objects.ts';
export { StoredJsonState } from '../src/state/stored-json-state.ts';
export type { StateStore } from '../src/store/state-store.ts';
export type { AboutDevice, DeviceReports } from '../src/twins/device-reports.ts';
export { MapperTopics } from '../src/twins/mapper-topics.ts';
export { TwinManager } from '../src/twins/twin-manager.ts';
export { TwinTopics } from '../src/twins/twin-topics.ts';
export { MemoryEventBus } from './memory-event-bus.ts';
