/** What each code means and what to do about it; docs/errors.md is made from this table. */
export const TUNNEL_ERRORS = {
  ERR_TUNNEL_ABORTED: {
    meaning: 'The stream or connection was given up on this side before the operation ended.',
    remedy: 'Nothing to do: it follows a stop or a reset that this side asked for.',
  },
  ERR_TUNNEL_BAD_FRAME: {
    meaning:
      'The peer sent bytes that are not a frame of this protocol: malformed, truncated or out of order.',
    remedy:
      'Compare the releases on both sides. If they fit, something between them alters traffic, or the peer is hostile; its address is in the log line.',
  },
  ERR_TUNNEL_BULK_UNAVAILABLE: {
    meaning: 'No bulk connection could be had in time, so a bulk stream was not opened.',
    remedy:
      'The session itself is up. Look for why the second connection fails: firewall, connection limit per address or node.',
  },
  ERR_TUNNEL_CERT_EXPIRED: {
    meaning: "The peer's certificate is genuine, but its time is over.",
    remedy:
      'Compare the clocks of both machines (`timedatectl`). A node renews its own while the hub is reachable, up to 30 days after its end; after that join it anew: `hawser token create --node NAME --replace`, `hawser join --rejoin`. A hub has a new one after a restart.',
  },
  ERR_TUNNEL_CERT_KEY: {
    meaning:
      "The peer's certificate holds a key of a kind that is not accepted, or not the key that the connection proved.",
    remedy:
      'Node and hub keys are Ed25519 (needed for quic) or ECDSA P-256 (ws, webtransport). Join the node anew, which makes a key of a kind that is accepted: `hawser join --rejoin`.',
  },
  ERR_TUNNEL_CERT_MALFORMED: {
    meaning: "The peer's certificate cannot be read.",
    remedy:
      'Make a new one: `hawser join --rejoin` at a node, a restart of a hub. If it goes on, something in between ends TLS: let the load balancer pass TCP through.',
  },
  ERR_TUNNEL_CERT_MISSING: {
    meaning: 'The peer showed no certificate.',
    remedy:
      'Join the node (`hawser join`). If it has joined, something in between ends TLS: let the load balancer pass TCP through.',
  },
  ERR_TUNNEL_CERT_NAME: {
    meaning:
      'The certificate does not carry the name that was expected: the address dialled, or the node that says hello.',
    remedy:
      'A hub: put the name that edges dial into `advertise` of its configuration and restart it, or dial one that is there. A node: two machines use one identity, or `node.name` was changed; join it under the name that it is to have.',
  },
  ERR_TUNNEL_CERT_NOT_YET_VALID: {
    meaning: "The peer's certificate is genuine, but its time has not begun.",
    remedy: 'Compare the clocks of both machines (`timedatectl`), and set the one that is behind.',
  },
  ERR_TUNNEL_CERT_REVOKED: {
    meaning: "The peer's certificate was revoked.",
    remedy:
      'Somebody has revoked it. If the node is to come back: `hawser token create --node NAME`, and with that `hawser join --rejoin`.',
  },
  ERR_TUNNEL_CERT_UNTRUSTED: {
    meaning:
      'No trusted authority has signed the peer’s certificate: another issuer, or a signature that does not hold.',
    remedy:
      'The two sides belong to different clusters, or somebody is in between. See that the address leads to the hub of this cluster. If the authority was replaced, bring the former one back from its backup, or join the nodes anew (docs/operations.md, Disasters).',
  },
  ERR_TUNNEL_CERT_USAGE: {
    meaning:
      'The certificate may not be used for this: a client certificate shown by a server, the reverse, or an authority shown as a peer.',
    remedy:
      'The address leads to something that is no hub, or the certificate was not made by Hawser: dial the hub, or join the node anew (`hawser join --rejoin`).',
  },
  ERR_TUNNEL_CLOSED: {
    meaning: 'The peer closed the connection in good order; the reason is in the message.',
    remedy: 'The edge reconnects by itself. Read the reason: a shutdown, a replacement, a refusal.',
  },
  ERR_TUNNEL_CONNECTION_LOST: {
    meaning: 'The connection broke without a word.',
    remedy: 'The edge reconnects by itself. If it goes on, look at the network in between.',
  },
  ERR_TUNNEL_DIAL: {
    meaning:
      'The hub could not be reached: name not found, connection refused, no route, or no answer in time.',
    remedy:
      'Check address and port, that the hub runs, and the firewalls in between (10000/tcp for ws, 10001/udp for quic, 10003/tcp for webtransport).',
  },
  ERR_TUNNEL_FLOW_CONTROL: {
    meaning: 'The peer sent more than it was allowed to.',
    remedy:
      'Compare the releases on both sides (`hawser version`). If they fit, the peer is broken or hostile: the log names the node, and `hawser node revoke NAME` shuts it out.',
  },
  ERR_TUNNEL_HANDSHAKE_TIMEOUT: {
    meaning: 'Hello and welcome were not exchanged in time.',
    remedy: 'The peer is overloaded, frozen, or not a hub. Look at its log.',
  },
  ERR_TUNNEL_HEARTBEAT_TIMEOUT: {
    meaning: 'Nothing was heard from the peer for three heartbeats.',
    remedy: 'The edge reconnects by itself. The network is cut, or the peer is frozen.',
  },
  ERR_TUNNEL_INCOMPATIBLE: {
    meaning:
      'The two sides have no protocol version in common, or one requires a feature that the other lacks.',
    remedy: 'Upgrade the older side; a hub serves edges up to two minor versions older.',
  },
  ERR_TUNNEL_LIMIT: {
    meaning:
      'A limit was reached: frame size, streams, handshakes, connections, or buffered bytes. The message names it.',
    remedy:
      'Raise the limit if the load is legitimate (see the configuration reference), or find who causes it.',
  },
  ERR_TUNNEL_OVERLOADED: {
    meaning: 'The hub closed the connection before the handshake because it has too many at once.',
    remedy:
      'The edge waits longer and comes back by itself. If it goes on, add a hub replica or raise the handshake limits.',
  },
  ERR_TUNNEL_REJECTED: {
    meaning: 'The hub answered the hello with a refusal; the message has its reason.',
    remedy: "Follow the reason, and look at the hub's log for the node.",
  },
  ERR_TUNNEL_REPLACED: {
    meaning: 'A newer session of the same node took this one’s place.',
    remedy:
      'Normal after a reconnect. If it repeats, two machines use the same node identity: join one of them under another name.',
  },
  ERR_TUNNEL_STREAM_RESET: {
    meaning: 'The peer gave up the stream.',
    remedy: 'Look at the peer’s log for why.',
  },
  ERR_TUNNEL_TRANSPORT_UNAVAILABLE: {
    meaning: 'The transport asked for cannot run on this machine.',
    remedy: 'Use ws, or install the package that the message names.',
  },
  ERR_TUNNEL_UNKNOWN_FRAME: {
    meaning: 'The peer sent a frame that this release does not know and that is not marked ignorable.',
    remedy: 'Upgrade the older side.',
  },
} as const;

/** A stable code, see docs/errors.md. */
export type TunnelErrorCode = keyof typeof TUNNEL_ERRORS;

/** Options of {@link TunnelError}. */
export interface TunnelErrorOptions {
  cause?: unknown;
  /** How long the peer asked us to stay away, milliseconds. */
  retryAfterMs?: number;
  /** Whose certificate did not hold, for codes `ERR_TUNNEL_CERT_…`. */
  certificate?: RefusedCertificate;
}

/** `own`: the peer has said so of ours; `peer`: this side has found it out. */
export type RefusedCertificate = 'own' | 'peer';

/** Every failure of the tunnel that is not an abort. */
export class TunnelError extends Error {
  override readonly name = 'TunnelError';
  readonly code: TunnelErrorCode;
  readonly retryAfterMs: number | undefined;
  /** Whose certificate did not hold; undefined for what is about none. */
  readonly certificate: RefusedCertificate | undefined;

  constructor(code: TunnelErrorCode, message: string, options: TunnelErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.certificate = options.certificate;
  }
}

/**
 * What a peer has refused us with. A code that is unknown here counts as `ERR_TUNNEL_REJECTED`.
 * @param code as it came from the peer
 */
export function refusalByPeer(
  code: unknown,
  message: string,
  options: Pick<TunnelErrorOptions, 'retryAfterMs'> = {},
): TunnelError {
  const known = typeof code === 'string' && isTunnelErrorCode(code) ? code : 'ERR_TUNNEL_REJECTED';
  const isOfCertificate = known.startsWith('ERR_TUNNEL_CERT_');
  return new TunnelError(known, message, { ...options, ...(isOfCertificate && { certificate: 'own' }) });
}

/** Whether a string that came from a peer is one of our codes. */
export function isTunnelErrorCode(text: string): text is TunnelErrorCode {
  return Object.hasOwn(TUNNEL_ERRORS, text);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
