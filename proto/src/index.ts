export {
  CALLER_HEADER,
  decodeCaller,
  encodeCaller,
  MAX_CALLER_CHARACTERS,
  type StreamCaller,
} from './api-stream/caller.ts';
export {
  answerHeaders,
  hasBody,
  headProblem,
  requestHeaders,
  wantedProtocol,
  type HeadProblem,
  type RequestHead,
} from './api-stream/message-head.ts';
export {
  decodeFrame,
  encodeFrame,
  type CloseNotice,
  type Delta,
  type DeltaAck,
  type Frame,
  type Hello,
  type OutgoingFrame,
  type Reject,
  type ReportRequest,
  type ScopeReport,
  type SessionErrorFrame,
  type Subscribe,
  type Unsubscribe,
  type Upstream,
  type UpstreamAck,
  type Welcome,
} from './codec/codec.ts';
export {
  decodeEdgeMessage,
  decodeHubMessage,
  decodeScopeState,
  encodeEdgeMessage,
  encodeHubMessage,
  encodeScopeState,
  MAX_EDGE_MESSAGE_BYTES,
  type AskInventory,
  type Batch,
  type BucketDigests,
  type Change,
  type ConfirmRemovals,
  type EdgeMessage,
  type Entries,
  type Held,
  type HubMessage,
  type InSync,
  type OutgoingChange,
  type OutgoingEdgeMessage,
  type OutgoingHubMessage,
  type ScopeState,
  type WantFull,
} from './codec/sync-codec.ts';
export {
  isTunnelErrorCode,
  TUNNEL_ERRORS,
  TunnelError,
  type RefusedCertificate,
  type TunnelErrorCode,
} from './errors.ts';
export { credentialsFromPem, type Credentials } from './identity/credentials.ts';
export { verifyPeer, type VerifyOptions } from './identity/identity-verifier.ts';
export { readIdentity, type PeerIdentity, type PeerRole } from './identity/peer-identity.ts';
export { HEARTBEAT_MS, MISSED_HEARTBEATS, TUNNEL_LIMITS, tunnelLimits, type TunnelLimits } from './limits.ts';
export { TunnelMetrics, type ConnectionPurpose } from './metrics.ts';
export { frameBytes } from './session/frame-stream.ts';
export { type EdgeHello, type HubWelcome } from './session/handshake.ts';
export { RouteDialer, type Route } from './session/route-dialer.ts';
export { PROTOCOL_VERSIONS, type SessionInfo } from './session/session-info.ts';
export { MemoryEpochs, SessionRegistry, type EpochSource } from './session/session-registry.ts';
export { TunnelClient, type TunnelClientOptions, type TunnelClientState } from './session/tunnel-client.ts';
export { TunnelServer, type TunnelServerOptions } from './session/tunnel-server.ts';
export { Tunnel, type FrameHandler, type SessionFrame, type StreamPriority } from './session/tunnel.ts';
export { STREAM_KINDS } from './stream-kinds.ts';
export { StreamDuplex, type StreamDuplexOptions } from './stream/duplex.ts';
export { frameMessage, MessageStream } from './stream/message-stream.ts';
export { readAll, type Stream } from './stream/stream.ts';
export { closeError, type CloseCode, type CloseReason } from './transport/close-reason.ts';
export { HandshakeGate, type Admission, type Refusal, type Turn } from './transport/handshake-gate.ts';
export {
  type Connection,
  type HubAddress,
  type Listener,
  type ListenOptions,
  type RequestHandler,
  type Transport,
  type TransportOptions,
} from './transport/transport.ts';
export { QuicTransport } from './transport/quic/quic-transport.ts';
export { requestCertificate } from './transport/tls-options.ts';
export { WebTransportTransport } from './transport/webtransport/webtransport-transport.ts';
export { WsTransport } from './transport/ws/ws-transport.ts';
