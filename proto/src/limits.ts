/** A limit with what the configuration reference says of it. */
interface LimitDescription {
  readonly default: number;
  readonly unit: string;
  readonly meaning: string;
}

/** Every limit of the tunnel: on by default, each with a test. */
export const TUNNEL_LIMITS = {
  streamWindowBytes: {
    default: 128 * 1024,
    unit: 'bytes',
    meaning:
      'What one stream may send before its reader has taken any of it. One value for both sides of a fleet.',
  },
  maxStreams: {
    default: 128,
    unit: 'streams',
    meaning:
      'Streams that each side may have open on one connection; the next one waits. One value for both sides of a fleet. The streams of both sides times streamWindowBytes bound the bytes buffered per connection (32 MiB).',
  },
  sendBufferBytes: {
    default: 128 * 1024,
    unit: 'bytes',
    meaning: 'What one connection hands to the socket ahead of the network; writers wait beyond it.',
  },
  maxFrameBytes: {
    default: 4 * 1024 * 1024,
    unit: 'bytes',
    meaning:
      'Largest frame on a session stream after the handshake; larger things travel on streams of their own.',
  },
  maxHandshakeFrameBytes: {
    default: 64 * 1024,
    unit: 'bytes',
    meaning: 'Largest frame before the welcome.',
  },
  connectTimeoutMs: {
    default: 3_000,
    unit: 'ms',
    meaning: 'How long an edge waits for the first answer from an address before it counts as unreachable.',
  },
  handshakeTimeoutMs: {
    default: 10_000,
    unit: 'ms',
    meaning: 'For each half of a handshake: until the peer is verified, and from then until the welcome.',
  },
  closeTimeoutMs: {
    default: 1_000,
    unit: 'ms',
    meaning: 'How long a graceful close waits for the peer before the connection is torn down.',
  },
  maxHandshakes: {
    default: 128,
    unit: 'handshakes',
    meaning:
      'Handshakes that a hub does at a time; further connections wait, or are closed, before TLS. One takes about three round trips: 128 at a time are some 400 a second at 100 ms, which is what one core does.',
  },
  maxHandshakesPerAddress: {
    default: 64,
    unit: 'handshakes',
    meaning: 'The share of maxHandshakes that one address may hold.',
  },
  maxWaitingHandshakes: {
    default: 1024,
    unit: 'connections',
    meaning:
      'Connections over ws or webtransport that wait, before TLS, for one of maxHandshakes, or for the rate, to let them begin; further ones are closed.',
  },
  maxWaitingHandshakesPerAddress: {
    default: 512,
    unit: 'connections',
    meaning: 'The share of maxWaitingHandshakes that one address may hold.',
  },
  handshakeWaitMs: {
    default: 5_000,
    unit: 'ms',
    meaning: 'How long a connection waits for its turn before it is closed.',
  },
  handshakesPerSecond: {
    default: 500,
    unit: '1/s',
    meaning: 'Rate of new handshakes, averaged; twice as many may come in one burst.',
  },
  maxConnectionsPerAddress: {
    default: 4096,
    unit: 'connections',
    meaning: 'Connections from one address; many sites may share one behind NAT.',
  },
  maxConnections: {
    default: 25_000,
    unit: 'connections',
    meaning: 'Connections of one hub, control and bulk together.',
  },
  bulkOpenTimeoutMs: {
    default: 10_000,
    unit: 'ms',
    meaning: 'How long a bulk stream waits for a bulk connection.',
  },
  bulkIdleMs: {
    default: 60_000,
    unit: 'ms',
    meaning: 'A bulk connection without streams is closed after this.',
  },
} as const satisfies Record<string, LimitDescription>;

/** The limits in force, by name; units as in {@link TUNNEL_LIMITS}. */
export type TunnelLimits = Readonly<Record<keyof typeof TUNNEL_LIMITS, number>>;

/** The defaults, with `overrides` in place of some. */
export function tunnelLimits(overrides: Partial<TunnelLimits> = {}): TunnelLimits {
  const defaults = Object.entries(TUNNEL_LIMITS).map(([name, { default: value }]) => [name, value]);
  return { ...(Object.fromEntries(defaults) as TunnelLimits), ...overrides };
}

/** Heartbeat interval in milliseconds: default, and the range that configuration may choose from. */
export const HEARTBEAT_MS = { default: 10_000, min: 2_000, max: 300_000 } as const;

/** Heartbeats missed in a row after which the peer counts as dead. */
export const MISSED_HEARTBEATS = 3;
