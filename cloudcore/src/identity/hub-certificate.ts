import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Credentials } from '@hawser/proto';
import type { Clock, Logger, Timer } from '@hawser/seams';
import type { Authority } from './authority.ts';
import type { CertificateSigner } from './certificate-signer.ts';

/** Part of the life after which another certificate takes its place. */
const RENEW_AFTER = 2 / 3;
/** How often it is looked at: the wall clock may jump, and timers of months do not exist. */
const LOOK_MS = 3600_000;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/** Settings of {@link HubCertificate}. */
export interface HubCertificateOptions {
  readonly authority: Authority;
  readonly signer: CertificateSigner;
  /** DNS names and IP addresses by which edges dial this hub. */
  readonly names: readonly string[];
  /** Whether edges on the same machine may dial `localhost`, 127.0.0.1 or ::1. */
  readonly loopback: boolean;
  readonly lifetimeMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of each certificate: when it ends, milliseconds since the epoch. */
  readonly onIssued: (notAfterMs: number) => void;
}

/**
 * The hub's own certificate. Its key (Ed25519) is made at the start, is never written anywhere, and stays for as long
 * as the process lives: an open port of QUIC cannot change it. Each replica has its own.
 */
export class HubCertificate {
  readonly #options: HubCertificateOptions;
  #keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } | undefined;
  #credentials: Credentials | undefined;
  #renewAtMs = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: HubCertificateOptions) {
    this.#options = options;
  }

  /** The present credentials; another object after each renewal. @throws TypeError before {@link start} */
  get credentials(): Credentials {
    if (this.#credentials === undefined)
      throw new TypeError('the hub has no certificate before it is started');
    return this.#credentials;
  }

  /** Makes key and certificate, and renews it from then on. @throws CloudCoreError `ERR_CLOUDCORE_HUB_NAME` */
  async start(): Promise<void> {
    if (this.#keys !== undefined || this.#stopped) return;
    this.#keys = generateKeyPairSync('ed25519');
    await this.#issue(this.#keys);
    this.#lookLater();
  }

  /** Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #lookLater(): void {
    const { clock, logger } = this.#options;
    if (this.#stopped) return;
    this.#timer = clock.setTimer(
      LOOK_MS,
      () => {
        this.#look()
          .catch((error: unknown) => {
            logger.error(
              { err: error },
              'the certificate of the hub could not be renewed; trying again in an hour',
            );
          })
          .finally(() => this.#lookLater());
      },
      { background: true },
    );
  }

  async #look(): Promise<void> {
    if (this.#keys !== undefined && this.#options.clock.wallMs() >= this.#renewAtMs)
      await this.#issue(this.#keys);
  }

  async #issue({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): Promise<void> {
    const { authority, signer, lifetimeMs, clock, logger, onIssued } = this.#options;
    const names = [...new Set([...this.#options.names, ...(this.#options.loopback ? LOOPBACK : [])])];
    const nowMs = clock.wallMs();
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    const certificate = await signer.issueHub(spki, names, nowMs, lifetimeMs);
    this.#credentials = { privateKey, certificate, authorities: authority.trusted };
    this.#renewAtMs = nowMs + lifetimeMs * RENEW_AFTER;
    onIssued(Date.parse(certificate.validTo));
    const { serialNumber: serial, validTo } = certificate;
    logger.info({ audit: 'hub', serial, notAfter: validTo, names }, 'certificate issued');
  }
}
