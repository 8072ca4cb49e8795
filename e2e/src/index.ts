export { E2E_ERROR_CODES, E2eError, type E2eErrorCode } from './errors.ts';
export {
  Link,
  type CutOptions,
  type Direction,
  type LinkChange,
  type LinkEndpoint,
  type LinkOptions,
  type LinkState,
} from './fault-proxy/link.ts';
export type { Address } from './fault-proxy/tcp-connection.ts';
export {
  startTcpProxy,
  TcpProxy,
  type TcpProxyOptions,
  type TcpProxyStats,
} from './fault-proxy/tcp-proxy.ts';
export {
  startUdpProxy,
  UdpProxy,
  type UdpProxyOptions,
  type UdpProxyStats,
} from './fault-proxy/udp-proxy.ts';
export { type WireOptions, type WireSettings } from './fault-proxy/wire-options.ts';
export { type Drops, type Traffic, type WireStats } from './fault-proxy/wire-stats.ts';
export { Wire, type Lane, type StreamSource, type Train } from './fault-proxy/wire.ts';
export { announceReady, sendToParent } from './processes/in-child.ts';
export { NodeChild, startNode, type ChildExit, type NodeChildOptions } from './processes/node-child.ts';
export { processUsage, type ProcessUsage } from './processes/process-usage.ts';
export { netnsAvailable, type NetnsAvailability } from './netns/availability.ts';
export {
  interfaceCounters,
  ipDifference,
  type IpCounters,
  type IpTraffic,
} from './netns/interface-counters.ts';
export { removeStaleNamespaces } from './netns/namespace-names.ts';
export { createNetnsPair, NetnsPair, NetnsSide, type NetnsPairOptions } from './netns/netns-pair.ts';
export { NetworkNamespace, type Shape } from './netns/network-namespace.ts';
export { runCommand } from './processes/run-command.ts';
export { Bench, runBench, type BenchOutput, type Figure, type RunBenchOptions } from './bench/bench.ts';
export { pairedRuns, type PairedRuns, type PairedRunsOptions } from './bench/paired-runs.ts';
export { median, percentile } from './bench/samples.ts';
export type { HubQuestion, HubReady, HubSettings } from './tunnel-site/hub-process.ts';
export { readIdentityFiles, SiteIdentities } from './tunnel-site/identities.ts';
export { serveStreams } from './tunnel-site/stream-services.ts';
export {
  TunnelSite,
  type SiteEdge,
  type TransportName,
  type TunnelSiteOptions,
} from './tunnel-site/tunnel-site.ts';
export { Station, SwitchedNetwork, type SwitchedNet } from './netns/switched-network.ts';
export { ENDPOINTS, poolService, poolSlice, rollingUpdate, serviceName } from './pool-site/pool-objects.ts';
export { createPool, createServices, NODE_POOLS, POOL, putSlice } from './pool-site/pool-cluster.ts';
export { LOCAL_API_PORT, PoolSite, type PoolSiteOptions } from './pool-site/pool-site.ts';
export { makeReader } from './pool-site/reader-account.ts';
export { defineResources } from './cluster-site/define-resources.ts';
export { PoolFleet, type PoolFleetOptions } from './pool-site/pool-fleet.ts';
export type { FleetState } from './pool-site/fleet-types.ts';
export { machineUnavailable } from './machine/availability.ts';
export { SystemdMachine, type SystemdMachineOptions } from './machine/systemd-machine.ts';
