import type { Clock, Timer } from '@hawser/seams';
import { MISSED_HEARTBEATS } from '../limits.ts';
import type { Connection } from '../transport/transport.ts';

/** Checks per heartbeat interval of the leading side: how precisely it measures silence. */
const CHECKS_PER_INTERVAL = 4;
/** How much before three intervals a silent peer counts as dead, so that it is noticed within them. */
const MARGIN_MS = 100;
/** A check that comes this late was held up by this process itself, which then has unread bytes to look at first. */
const LATE_MS = 200;

/** What a {@link Heartbeat} needs. */
export interface HeartbeatOptions {
  readonly connection: Connection;
  /** Milliseconds between heartbeats, as agreed. */
  readonly intervalMs: number;
  /** The edge asks for signs of life; the hub only when it hears none for two intervals. */
  readonly leads: boolean;
  readonly clock: Clock;
  /** Told each round-trip time, milliseconds. */
  readonly onRoundTrip: (roundTripMs: number) => void;
}

/**
 * Notices a dead peer: one from which nothing came for three intervals. Any traffic counts, so a busy connection
 * costs nothing. Steps of each check:
 * 1. nothing heard for three intervals → the connection is destroyed (`heartbeat-timeout`);
 * 2. the leading side heard or said nothing for one interval → ping; the other side: heard nothing for two.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #dueMs = 0;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Begins to check, until {@link stop} or the connection's end. */
  start(): void {
    void this.#options.connection.closed.then(() => this.stop());
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Silence after which the peer is dead: three intervals, less what noticing and telling may take. */
  get #deadMs(): number {
    const { intervalMs } = this.#options;
    return MISSED_HEARTBEATS * intervalMs - Math.min(MARGIN_MS, intervalMs / 10);
  }

  #silentMs(): number {
    return this.#options.clock.monotonicMs() - this.#options.connection.stats.lastReceivedMs;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { clock, intervalMs, leads } = this.#options;
    const silentMs = this.#silentMs();
    const untilDeadMs = Math.max(this.#deadMs - silentMs, 1);
    // The other side has nothing to do before two intervals of silence: with ten thousand sessions, it looks 600 times
    // a second in place of 4000.
    const untilUnheardMs = leads ? 0 : 2 * intervalMs - silentMs;
    const delayMs = Math.min(Math.max(intervalMs / CHECKS_PER_INTERVAL, untilUnheardMs), untilDeadMs);
    this.#dueMs = clock.monotonicMs() + delayMs;
    this.#timer = clock.setTimer(delayMs, () => this.#check(), { background: true });
  }

  #check(): void {
    const { clock, connection, intervalMs, leads } = this.#options;
    const nowMs = clock.monotonicMs();
    const silentMs = this.#silentMs();
    const heldUp = nowMs - this.#dueMs > LATE_MS;
    if (silentMs >= this.#deadMs && !heldUp) {
      const message = `nothing heard for ${Math.round(silentMs)} ms (heartbeat ${intervalMs} ms)`;
      connection.destroy({ code: 'heartbeat-timeout', message });
      return;
    }
    const unheard = silentMs >= (leads ? intervalMs : 2 * intervalMs);
    const unsaid = leads && nowMs - connection.stats.lastSentMs >= intervalMs;
    if (unheard || unsaid) connection.ping().then(this.#options.onRoundTrip, () => {}); // its end tells itself
    this.#schedule();
  }
}
