import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credentials } from '../identity/credentials.ts';
import type { VerifyOptions } from '../identity/identity-verifier.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { TunnelLimits } from '../limits.ts';
import type { Stream } from '../stream/stream.ts';
import type { CloseReason } from './close-reason.ts';
import type { ConnectionStats } from './connection-stats.ts';
import type { HandshakeGate } from './handshake-gate.ts';

/**
 * One connection between an edge and a hub, both authenticated. Streams of any number share it; what they mean is
 * not its business.
 */
export interface Connection {
  /** Which transport carries it: 'ws', 'quic', 'webtransport'. */
  readonly transport: string;
  readonly peer: PeerIdentity;
  /** Address and port of the peer, for logs. */
  readonly remoteAddress: string;
  readonly stats: Readonly<ConnectionStats>;

  /**
   * Opens a stream; waits while the peer's stream limit is reached.
   * @throws TunnelError `ERR_TUNNEL_CLOSED`, `ERR_TUNNEL_CONNECTION_LOST`; `signal.reason`
   */
  openStream(kind: string, options?: { signal?: AbortSignal }): Promise<Stream>;

  /** The next stream that the peer opens, or undefined once the connection has ended. One call at a time. */
  acceptStream(): Promise<Stream | undefined>;

  /** Asks the peer for a sign of life; resolves with the round-trip time in milliseconds. Rejects when the connection ends. */
  ping(): Promise<number>;

  /**
   * Ends the connection in good order: the peer learns the reason. Streams end with `ERR_TUNNEL_CLOSED`.
   * Resolves when it is down, after `closeTimeoutMs` at the latest. Idempotent.
   */
  close(reason: CloseReason): Promise<void>;

  /** Ends the connection at once, telling the peer nothing that would have to wait. Idempotent. */
  destroy(reason: CloseReason): void;

  /** Resolves with why the connection ended. Never rejects. */
  readonly closed: Promise<CloseReason>;
}

/** What both sides of a transport are made with. */
export interface TransportOptions {
  /**
   * Read anew for each handshake, so that a rotated certificate is used at once. A quic listener goes on with the
   * key that its port was opened with: a hub with a new key opens the port again.
   */
  readonly credentials: () => Credentials;
  readonly limits: TunnelLimits;
  /** Verification of peers: revocation and trusted time. */
  readonly verify?: Pick<VerifyOptions, 'isRevoked' | 'wallMs'>;
  /**
   * Both ends are nodes, which show their node certificates: whoever dials checks that it has reached the node
   * {@link HubAddress.node}, whoever listens takes nodes only. Only ws has it. Default: the listener is a hub.
   */
  readonly peers?: true;
}

/** Where to find a hub, or a peer. */
export interface HubAddress {
  /** DNS name or IP address. */
  readonly host: string;
  readonly port: number;
  /** With {@link TransportOptions.peers}: the node that is to be there, whatever the address. */
  readonly node?: string;
}

/** Answers one HTTPS request. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Options of {@link Transport.listen}. */
export interface ListenOptions {
  /** Address to bind. */
  readonly host: string;
  /** Port to bind, 0: any. */
  readonly port: number;
  /** Decides who may begin a handshake. */
  readonly gate: HandshakeGate;
  /**
   * Called with each connection whose peer is verified. The handshake counts as running, for the gate, until the
   * promise settles; a rejection destroys the connection.
   */
  readonly onConnection: (connection: Connection) => Promise<void>;
  /**
   * Takes plain HTTPS requests on the tunnel's port (joining, renewal: peers that have no session yet, or none any
   * more). Nobody was verified: {@link requestCertificate} has what the client showed, if anything, and the handler
   * decides. Body and answer are the handler's to bound; a connection carries two requests at most, and counts as a
   * handshake for the gate until it is closed, which is `handshakeTimeoutMs` after the TCP connection at the latest.
   * A handler says `connection: close` with an answer after which nothing is to follow.
   * A handler that throws answers 500. Default: every request is answered with 426. Only ws has it; the others ignore it.
   */
  readonly onRequest?: RequestHandler;
  /** Called with each handshake that failed, for logs and metrics. */
  readonly onHandshakeError?: (error: Error, remoteAddress: string) => void;
}

/** A hub's open door. */
export interface Listener {
  readonly transport: string;
  readonly host: string;
  /** The port that was bound. */
  readonly port: number;
  /** Stops accepting; connections go on. Resolves when the port is free, after those connections where the transport ties them. Idempotent. */
  close(): Promise<void>;
}

/** A way to carry connections. Every one passes the contract suite of `@hawser/proto/testing`. */
export interface Transport {
  readonly name: string;
  /**
   * Connects to a hub, or a peer, and verifies it.
   * @throws TunnelError `ERR_TUNNEL_TRANSPORT_UNAVAILABLE` for peers where the transport has them not, `ERR_TUNNEL_DIAL`, `ERR_TUNNEL_OVERLOADED`, `ERR_TUNNEL_CERT_…` (the hub's certificate, or
   *   ours as the hub sees it), `ERR_TUNNEL_HANDSHAKE_TIMEOUT`; `signal.reason`
   */
  dial(hub: HubAddress, options?: { signal?: AbortSignal }): Promise<Connection>;
  /** Opens a port. @throws TunnelError `ERR_TUNNEL_DIAL` if it cannot be bound */
  listen(options: ListenOptions): Promise<Listener>;
  /** Frees what the transport holds across dials. Connections must have ended. Idempotent. */
  close(): Promise<void>;
}
