// What runs containers, for programs that use it without the rest of the edge core, and for those that bring another.
export type {
  ContainerConfig,
  ContainerDevice,
  ContainerMount,
  ContainerNotes,
  LinuxResources,
  LinuxSecurity,
  Namespaces,
  PortMapping,
  SandboxConfig,
  SecurityProfile,
} from './runtime/container-config.ts';
export type {
  ContainerEnd,
  ContainerRuntime,
  ContainerUsage,
  ExecResult,
  RuntimeCondition,
  RuntimeContainer,
  RuntimeContainerState,
  RuntimePod,
  RuntimeSandbox,
  RuntimeTraits,
  StreamRequest,
} from './runtime/container-runtime.ts';
export { CriRuntime, type CriRuntimeOptions } from './runtime/cri/cri-runtime.ts';
export type { ImageStore, RegistryLogin, RuntimeImage } from './runtime/image-store.ts';
export { RuntimeError } from './runtime/runtime-error.ts';
export {
  RUNTIME_API_VERSION,
  type PodReference,
  type RuntimeContext,
  type RuntimeProvider,
} from './runtime/runtime-provider.ts';
