export { MemoryJsonState } from './memory-json-state.ts';
export { makePod } from './pod-maker.ts';
export { MASKED_PATHS, READONLY_PATHS } from '../src/containers/proc-paths.ts';
export { makeContainerConfig, makeSandboxConfig } from './config-maker.ts';
export { describeContainerRuntime, type ContainerRuntimeFixture } from './runtime-compliance.ts';
export {
  describeImageStore,
  describeNameStore,
  type ImageStoreFixture,
  type NameStoreFixture,
} from './image-store-compliance.ts';
export { StubHub, type ReceivedUpstream, type StubHubOptions, type UpstreamReply } from './stub-hub.ts';
export { EdgeSite, type EdgeSiteOptions } from './edge-site.ts';
export {
  ContainerdSite,
  openContainerdSite,
  type ContainerdSiteOptions,
} from './containerd/containerd-site.ts';
export type { ContainerdAvailability } from './containerd/availability.ts';
export { TEST_IMAGES, testImages } from './containerd/test-images.ts';
export {
  LocalRegistry,
  REGISTRY_LOGIN,
  type LocalRegistryOptions,
  type PushedImage,
} from './containerd/local-registry.ts';
export {
  SimulatedMachine,
  type SimulatedMachineOptions,
  type SimulatedProgram,
} from './simulated-machine.ts';
export { SimulatedRuntime, type SimulatedCall, type SimulatedRuntimeOptions } from './simulated-runtime.ts';
export { ScriptedParts } from './scripted-parts.ts';
export { ContainerdKubelet } from './containerd/containerd-kubelet.ts';
