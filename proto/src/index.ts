export { credentialsFromPem, type Credentials } from './identity/credentials.ts';
export { verifyPeer, type VerifyOptions } from './identity/identity-verifier.ts';
export { readIdentity, type PeerIdentity, type PeerRole } from './identity/peer-identity.ts';
export { isTunnelErrorCode, TUNNEL_ERRORS, TunnelError, type TunnelErrorCode } from './errors.ts';
export { HEARTBEAT_MS, MISSED_HEARTBEATS, TUNNEL_LIMITS, tunnelLimits, type TunnelLimits } from './limits.ts';
export { type Stream } from './stream/stream.ts';
export { type CloseCode, type CloseReason, closeError } from './transport/close-reason.ts';
export { HandshakeGate, type Admission, type Refusal } from './transport/handshake-gate.ts';
export {
  type Connection,
  type HubAddress,
  type Listener,
  type ListenOptions,
  type Transport,
  type TransportOptions,
} from './transport/transport.ts';
export { QuicTransport } from './transport/quic/quic-transport.ts';
export { WsTransport } from './transport/ws/ws-transport.ts';
