import {
  Backoff,
  seededRandom,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
  type Timer,
} from '@hawser/seams';
import type { X509Certificate } from 'node:crypto';
import { createCsr } from './csr.ts';
import type { Issued } from './identity-bundle.ts';
import type { NodeIdentity } from './node-identity.ts';

/** The part of a certificate's life after which it is renewed: somewhere between these. */
const RENEW_BETWEEN = { from: 0.7, to: 0.9 } as const;
/** How often the time is looked at: wall clocks jump. */
const LOOK_MS = 3600_000;
/** Between two renewals at the least: a clock that is years ahead would see every certificate as old. */
const MIN_BETWEEN_MS = 24 * 3600_000;
/** The same for renewals that a hub has asked for. */
const MIN_BETWEEN_ASKED_MS = 3600_000;
const BACKOFF = { baseMs: 60_000, capMs: 3600_000 } as const;

/** Gets a certificate for a request (PKCS#10, PEM). Rejects where this way is not open now. */
export type RenewalWay = (csr: string, signal: AbortSignal) => Promise<Issued>;

/** Settings of {@link CertificateRotation}. */
export interface CertificateRotationOptions {
  readonly identity: NodeIdentity;
  /** Tried in this order: in the session, then over HTTPS (`renewOverHttps`). */
  readonly ways: readonly RenewalWay[];
  /** Trusted time, milliseconds since the epoch: `TrustedClock.hubMs() ?? wallMs()`. */
  readonly wallMs: () => number;
  /** A renewed certificate is on disk: handshakes show it from now on. */
  readonly onRenewed?: () => void;
  readonly clock?: Clock;
  /** For the pauses between attempts. */
  readonly random?: Random;
  readonly logger?: Logger;
}

/** What `hawser status` shows of the certificate. */
export interface RotationStatus {
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** When it is renewed, milliseconds since the epoch. */
  readonly renewAtMs: number;
  /** Renewals since the start. */
  readonly renewals: number;
  /** Attempts that failed since the last renewal. */
  readonly failures: number;
  /** What the last attempt failed with. */
  readonly lastError: string | undefined;
}

/**
 * When a certificate is renewed: at a point between 70 and 90 % of its life that chance has chosen, but the same one
 * after every restart: the certificate is the seed. A fleet that joined together so renews spread out.
 * @returns milliseconds since the epoch
 */
export function renewAt(certificate: X509Certificate): number {
  const fromMs = Date.parse(certificate.validFrom);
  const toMs = Date.parse(certificate.validTo);
  const seed = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').readUInt32BE(0);
  const part = RENEW_BETWEEN.from + seededRandom(seed).next() * (RENEW_BETWEEN.to - RENEW_BETWEEN.from);
  return fromMs + part * (toMs - fromMs);
}

/**
 * Renews the node's certificate in time, without touching the session that is up: the renewed one is shown at the next
 * handshake. Steps: key, kept → request → a hub's answer, by the first way that is open → checked and kept. A failure
 * or a crash at any of them leaves the present certificate in use, and the next attempt goes on with the same key.
 */
export class CertificateRotation {
  readonly #options: CertificateRotationOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  #timer: Timer | undefined;
  #renewing: Promise<void> | undefined;
  /** Of the last renewal, monotonic. */
  #renewedAtMs = -Infinity;
  /** After a failure: before this there is no other attempt, monotonic. */
  #waitUntilMs = -Infinity;
  /** The same for what a hub asks for. That one was not to be reached says nothing once one has spoken. */
  #waitIfAskedMs = -Infinity;
  #renewals = 0;
  #failures = 0;
  #lastError: string | undefined;
  #started = false;

  constructor(options: CertificateRotationOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#backoff = new Backoff({ ...BACKOFF, random: options.random ?? systemRandom });
  }

  status(): RotationStatus {
    const { certificate } = this.#options.identity.newest;
    return {
      notAfterMs: Date.parse(certificate.validTo),
      renewAtMs: renewAt(certificate),
      renewals: this.#renewals,
      failures: this.#failures,
      lastError: this.#lastError,
    };
  }

  /** Begins to look. Idempotent. */
  start(): void {
    if (this.#started || this.#ending.signal.aborted) return;
    this.#started = true;
    this.#look();
  }

  /** Gives up what is under way; what it has kept is gone on with after the next start. Idempotent. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('the rotation of the certificate was stopped'));
    this.#timer?.cancel();
    await this.#renewing;
  }

  /**
   * Renews now, whatever the time: a hub has said that the certificate is over (`ERR_TUNNEL_CERT_EXPIRED`), which a
   * machine with a slow clock learns last, and one that was without a line until then. It may be said at each of many
   * handshakes: after such an attempt that failed nothing happens before the back-off has passed, and after a renewal
   * nothing for an hour. Resolves when the attempt is over, well or not; see {@link status}.
   */
  async renewNow(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#waitIfAskedMs || nowMs - this.#renewedAtMs < MIN_BETWEEN_ASKED_MS)
      return await this.#renewing;
    const failures = this.#failures;
    await this.#attempt();
    if (this.#failures > failures) this.#waitIfAskedMs = this.#waitUntilMs;
  }

  async #attempt(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#waitUntilMs) this.#lookIn(Math.min(LOOK_MS, this.#waitUntilMs - nowMs));
    else if (this.#isDue(nowMs)) void this.#attempt().then(() => this.#lookSoon());
    else this.#lookIn(LOOK_MS);
  }

  #lookSoon(): void {
    const waitMs = this.#waitUntilMs - this.#clock.monotonicMs();
    this.#lookIn(waitMs > 0 ? Math.min(LOOK_MS, waitMs) : LOOK_MS);
  }

  #lookIn(delayMs: number): void {
    if (this.#ending.signal.aborted) return;
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look(), { background: true });
  }

  #isDue(nowMs: number): boolean {
    if (nowMs - this.#renewedAtMs < MIN_BETWEEN_MS) return false;
    return this.#options.wallMs() >= renewAt(this.#options.identity.newest.certificate);
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    const { identity } = this.#options;
    const { signal } = this.#ending;
    try {
      const key = await identity.renewalKey();
      const csr = createCsr(key, identity.node);
      await identity.adopt(await this.#ask(csr), key);
      this.#renewedAtMs = this.#clock.monotonicMs();
      this.#renewals += 1;
      this.#failures = 0;
      this.#waitUntilMs = -Infinity;
      this.#waitIfAskedMs = -Infinity;
      this.#lastError = undefined;
      this.#backoff.reset();
      this.#options.onRenewed?.();
    } catch (error) {
      if (signal.aborted) return;
      this.#failures += 1;
      this.#waitUntilMs = this.#clock.monotonicMs() + this.#backoff.nextMs();
      this.#lastError = error instanceof Error ? error.message : String(error);
      const { validTo } = identity.newest.certificate;
      this.#logger.warn(
        { err: error, notAfter: validTo },
        'the certificate could not be renewed; trying again',
      );
    }
  }

  async #ask(csr: string): Promise<Issued> {
    const { signal } = this.#ending;
    const failures: unknown[] = [];
    for (const way of this.#options.ways) {
      try {
        signal.throwIfAborted();
        return await way(csr, signal);
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    const messages = failures.map((error) => (error instanceof Error ? error.message : String(error)));
    throw new AggregateError(failures, messages.join('; ') || 'there is no way to a hub');
  }
}
