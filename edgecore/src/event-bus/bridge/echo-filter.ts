import { createHash } from 'node:crypto';

/** Echoes that are waited for. */
const LIMIT = 1000;
/** An echo comes soon, or not at all. */
const EXPIRY_MS = 30_000;

/**
 * Recognizes what one has sent oneself when it comes back, as brokers of MQTT 3.1.1 do with what fits one's own
 * subscriptions: the same bytes on the same topic, as often as they were sent.
 */
export class EchoFilter {
  readonly #expected = new Map<string, { count: number; atMs: number }>();
  readonly #nowMs: () => number;

  /** @param nowMs monotonic */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  sent(topic: string, payload: Uint8Array): void {
    const key = keyOf(topic, payload);
    const count = (this.#expected.get(key)?.count ?? 0) + 1;
    this.#expected.delete(key);
    this.#expected.set(key, { count, atMs: this.#nowMs() });
    if (this.#expected.size <= LIMIT) return;
    const [oldest] = this.#expected.keys();
    if (oldest !== undefined) this.#expected.delete(oldest);
  }

  /** Whether it is one's own, coming back. */
  isEcho(topic: string, payload: Uint8Array): boolean {
    const key = keyOf(topic, payload);
    const expected = this.#expected.get(key);
    if (expected === undefined) return false;
    expected.count -= 1;
    if (expected.count === 0) this.#expected.delete(key);
    return this.#nowMs() - expected.atMs < EXPIRY_MS;
  }
}

function keyOf(topic: string, payload: Uint8Array): string {
  return `${topic}\0${createHash('sha1').update(payload).digest('base64')}`;
}
