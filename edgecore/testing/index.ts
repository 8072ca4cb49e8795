export { MemoryJsonState } from './memory-json-state.ts';
export { makePod } from './pod-maker.ts';
export { describePodRuntime, type PodRuntimeFixture } from './pod-runtime-compliance.ts';
export { StubHub, type ReceivedUpstream, type StubHubOptions, type UpstreamReply } from './stub-hub.ts';
export { EdgeSite, type EdgeSiteOptions } from './edge-site.ts';
