export { MemoryJsonState } from './memory-json-state.ts';
export { makePod } from './pod-maker.ts';
export { describePodRuntime, type PodRuntimeFixture } from './pod-runtime-compliance.ts';
