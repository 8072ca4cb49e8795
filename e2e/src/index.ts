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
