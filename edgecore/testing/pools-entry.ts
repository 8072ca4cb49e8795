/**
 * Entry point `@hawser/edgecore/testing/pools`: members of pools over a virtual LAN and a modelled cloud. Loads neither a
 * store nor sockets: for the simulator, which runs many of them.
 */
export { PoolMember, type PoolMemberOptions } from '../src/pool/pool-member.ts';
export type { PeerFrames, PeerGate, PeerLink, PeerPipe } from '../src/pool/peer-link.ts';
export { poolTimes, type PoolTimes } from '../src/pool/pool-times.ts';
export type { SnapshotStore } from '../src/pool/snapshot-folder.ts';
export { ModelCloud, type ModelCloudOptions, type ModelStream } from './pool/model-cloud.ts';
export {
  MODEL_KEY,
  MODEL_LIFE,
  MODEL_RESOURCES,
  ModelResources,
  type ModelBackup,
  type ModelSigned,
} from './pool/model-resources.ts';
export { ProcessClock } from './pool/process-clock.ts';
export { endpointOf, fingerprintOf, VirtualLan, type FrameTamperer } from './pool/virtual-lan.ts';
export { VirtualMember, type VirtualMemberOptions } from './pool/virtual-member.ts';
export { VirtualPool, type VirtualPoolOptions } from './pool/virtual-pool.ts';
