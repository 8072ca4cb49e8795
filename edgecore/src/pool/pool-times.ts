/** How long a member waits for what, milliseconds. docs/pool.md, "Times": all of them grow and shrink with the heartbeat. */
export interface PoolTimes {
  /** Between two signs of life on the LAN. */
  readonly heartbeatMs: number;
  /** A leader of which nothing was heard for this long is away. */
  readonly expiryMs: number;
  /** From when a leader was last there until the member goes another way. */
  readonly graceMs: number;
  /** When it asks for that: a little earlier, as the hub spreads those who ask over 30 s. */
  readonly directAskMs: number;
  /** The hub is asked for a sign of life after so long a silence … */
  readonly hubPingMs: number;
  /** … and counts as lost after this one. */
  readonly hubLostMs: number;
  /** A leader whose link broke has so long to come back before the pool chooses another one by itself. */
  readonly returnMs: number;
  /** For each rank above a member, before it asks those above it. */
  readonly rankMs: number;
  /** How long those that are asked in an election may take to answer. At least 0.3 s. */
  readonly askMs: number;
  /** Between two rounds in which others are asked in an election. */
  readonly roundMs: number;
  /** How often a leader looks at members that it has no link with. */
  readonly probeMs: number;
  /** Between two attempts to reach the same peer. */
  readonly retryMs: number;
  /** One attempt to reach a peer. At least a second, however short the rest: a machine may be busy. */
  readonly dialMs: number;
  /** Between two claims of the same member. */
  readonly claimMs: number;
  /** How long one member has to take over before another one is asked. */
  readonly handoverMs: number;
  /** How long a leader whose states were refused is avoided. */
  readonly avoidMs: number;
  /** How long a leader has been in sync with the hub before what it gives counts as confirmed. */
  readonly confirmMs: number;
  /** Between two looks at this node's pods while the cloud is away. */
  readonly overlayMs: number;
  /** How long what is said on change only waits for more of it. */
  readonly reportMs: number;
  /** A version that has grown is reported again after this. */
  readonly versionReportMs: number;
  /** Longest time that the stop takes to hand over. */
  readonly farewellMs: number;
}

/** With heartbeats of 5 s. */
const DEFAULT: PoolTimes = {
  heartbeatMs: 5_000,
  expiryMs: 15_000,
  graceMs: 30_000,
  directAskMs: 29_100,
  hubPingMs: 5_000,
  hubLostMs: 12_000,
  returnMs: 5_000,
  rankMs: 1_000,
  askMs: 1_000,
  roundMs: 2_000,
  probeMs: 5_000,
  retryMs: 1_500,
  dialMs: 2_000,
  claimMs: 2_000,
  handoverMs: 4_000,
  avoidMs: 600_000,
  confirmMs: 2_000,
  overlayMs: 1_000,
  reportMs: 500,
  versionReportMs: 60_000,
  farewellMs: 1_500,
};

/** Seconds between heartbeats where nobody says otherwise. */
const HEARTBEAT_SECONDS = 5;
/** A roster is not believed beyond these. */
const HEARTBEAT_RANGE = { least: 0.2, most: 60 } as const;
const LEAST_DIAL_MS = 1_000;
const LEAST_ASK_MS = 300;

/** The table that was asked for last: it is asked for all the time. */
let last = { seconds: HEARTBEAT_SECONDS, times: DEFAULT };

/** The table for a heartbeat in seconds. Default 5; what is out of range is brought into it. */
export function poolTimes(heartbeatSeconds: number = HEARTBEAT_SECONDS): PoolTimes {
  if (last.seconds !== heartbeatSeconds)
    last = { seconds: heartbeatSeconds, times: timesOf(heartbeatSeconds) };
  return last.times;
}

function timesOf(heartbeatSeconds: number): PoolTimes {
  const { least, most } = HEARTBEAT_RANGE;
  const factor = Math.min(most, Math.max(least, heartbeatSeconds)) / HEARTBEAT_SECONDS;
  const scaled = Object.entries(DEFAULT).map(([name, ms]: [string, number]) => [name, ms * factor]);
  const times = Object.fromEntries(scaled) as unknown as PoolTimes; // the same names
  return {
    ...times,
    dialMs: Math.max(LEAST_DIAL_MS, times.dialMs),
    askMs: Math.max(LEAST_ASK_MS, times.askMs),
  };
}
