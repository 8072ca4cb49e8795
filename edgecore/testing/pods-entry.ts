/**
 * Entry point `@hawser/edgecore/testing/pods`: what runs pods, and a simulated machine to run them on. Loads neither a
 * store nor a runtime: for the simulator, which starts many of them.
 */
export { nullParts } from '../src/pods/null-parts.ts';
export { PodManager } from '../src/pods/pod-manager.ts';
export type { PodParts } from '../src/pods/pod-parts.ts';
export { isOver, type PodStatus } from '../src/pods/pod-status-types.ts';
export { PodStatuses } from '../src/pods/pod-statuses.ts';
export { readPod, type Pod } from '../src/pods/pod.ts';
export { NullImages } from '../src/runtime/null-images.ts';
export { RuntimeError } from '../src/runtime/runtime-error.ts';
export type { JsonState } from '../src/state/json-state.ts';
export { SimulatedMachine, type SimulatedProgram } from './simulated-machine.ts';
export { SimulatedRuntime, type SimulatedCall } from './simulated-runtime.ts';
