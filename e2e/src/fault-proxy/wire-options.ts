import { E2eError } from '../errors.ts';

/** What one direction of a {@link Link} does to what passes. All of it can be changed while running. */
export interface WireOptions {
  /** Bandwidth in bits per second at IP level, shared by all connections and datagrams. Default: no limit. */
  bitsPerSecond?: number;
  /**
   * Most bytes (at IP level) that wait for the bandwidth; only of meaning with a limit on it. Datagrams that do
   * not fit are dropped, connections wait. Default 65536.
   */
  queueLimitBytes?: number;
  /** Time from the end of sending to arrival, one way, in milliseconds. Default 0. */
  delayMs?: number;
  /** A further delay, uniform in 0…jitterMs for each packet; no flow is reordered by it. Default 0. */
  jitterMs?: number;
  /** Probability in 0…1 that a datagram is lost (after it took its share of bandwidth). Default 0. */
  loss?: number;
  /** Probability in 0…1 that a datagram arrives twice. Default 0. */
  duplicate?: number;
  /** Probability in 0…1 that a datagram is late by `reorderByMs`, so that later ones overtake it. Default 0. */
  reorder?: number;
  /** How late a reordered datagram is, in milliseconds. Default 5. */
  reorderByMs?: number;
  /** Payload of a TCP packet, in bytes. Default 1448, as with an MTU of 1500 and time stamps. */
  segmentBytes?: number;
  /** IP and TCP headers counted for each packet of a connection, in bytes. Default 40. */
  tcpOverheadBytes?: number;
  /** IP and UDP headers counted for a datagram, in bytes; each further fragment counts 20. Default 28. */
  udpOverheadBytes?: number;
  /** Most bytes (at IP level) in the queue and on the way together. Default 16 MiB. */
  inFlightLimitBytes?: number;
}

/** {@link WireOptions} with nothing left open. */
export type WireSettings = Required<WireOptions>;

const DEFAULTS: WireSettings = {
  bitsPerSecond: Infinity,
  queueLimitBytes: 64 * 1024,
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  reorderByMs: 5,
  segmentBytes: 1448,
  tcpOverheadBytes: 40,
  udpOverheadBytes: 28,
  inFlightLimitBytes: 16 * 1024 * 1024,
};

/** Lower and upper bound of each setting, both included. */
const RANGES: Record<keyof WireSettings, readonly [number, number]> = {
  bitsPerSecond: [1, Infinity],
  queueLimitBytes: [1, 2 ** 30],
  delayMs: [0, 600_000],
  jitterMs: [0, 600_000],
  loss: [0, 1],
  duplicate: [0, 1],
  reorder: [0, 1],
  reorderByMs: [0, 600_000],
  segmentBytes: [1, 65_495],
  tcpOverheadBytes: [0, 200],
  udpOverheadBytes: [0, 200],
  inFlightLimitBytes: [1, 2 ** 30],
};

/**
 * The settings that result when `change` is laid over `base` (default: the defaults); undefined leaves as it is.
 * @throws E2eError ERR_E2E_BAD_OPTION naming every option that is unknown or out of its range
 */
export function wireSettings(change: WireOptions, base: WireSettings = DEFAULTS): WireSettings {
  const settings = { ...base };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(change) as [keyof WireSettings, number | undefined][]) {
    if (value === undefined) continue;
    const range = (RANGES as Partial<typeof RANGES>)[name];
    if (range === undefined) problems.push(`${name} is not an option`);
    else if (!(value >= range[0] && value <= range[1]))
      problems.push(`${name} must be in ${range[0]}…${range[1]}, not ${value}`);
    settings[name] = value;
  }
  if (problems.length > 0) throw new E2eError('ERR_E2E_BAD_OPTION', problems.join('; '));
  return settings;
}
