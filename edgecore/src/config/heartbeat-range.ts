/**
 * What `HEARTBEAT_MS` of the tunnel says. Said again here, and held against it by a test: the options are read before
 * the tunnel is loaded.
 */
export const HEARTBEAT_RANGE = { default: 10_000, min: 2_000, max: 300_000 } as const;
