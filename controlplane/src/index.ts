export { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
export type { NodeTimes } from './controllers/controller-manager.ts';
export type { NodeLifecycleOptions } from './controllers/node-lifecycle.ts';
export type { PodCleanupOptions } from './controllers/pod-cleanup.ts';
export type { NodeHealthTimes } from './controllers/node-health.ts';
export { ControlPlaneError, CONTROLPLANE_ERRORS, type ControlPlaneErrorCode } from './errors.ts';
export { parseCommandLine, USAGE, type CommandOptions } from './command-line.ts';
export { runControlPlane } from './run.ts';
