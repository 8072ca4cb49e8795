import { Counter, Gauge, Registry } from 'prom-client';

/** What led to a certificate of a node. */
export type IssueCause = 'join' | 'renew';

/** Prometheus metrics of joining, renewal and revocation. No node has a series of its own. */
export class IdentityMetrics {
  readonly registry: Registry;
  readonly #issued: Counter<'cause'>;
  readonly #refused: Counter<'cause' | 'code'>;
  readonly #hubCertificateEnd: Gauge;
  readonly #revocationsSynced: Gauge;

  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
    const registers = [registry];
    this.#issued = new Counter({
      name: 'hawser_identity_issued_total',
      help: 'Certificates issued to nodes, by what they asked for.',
      labelNames: ['cause'],
      registers,
    });
    this.#refused = new Counter({
      name: 'hawser_identity_refused_total',
      help: 'Requests to join or renew that were refused, by error code.',
      labelNames: ['cause', 'code'],
      registers,
    });
    this.#hubCertificateEnd = new Gauge({
      name: 'hawser_identity_hub_certificate_end_seconds',
      help: 'When the certificate of this hub ends, seconds since 1970. It is renewed when a third of its life is left.',
      registers,
    });
    this.#revocationsSynced = new Gauge({
      name: 'hawser_identity_revocations_synced',
      help: '1 once the records of nodes have been read: before, nobody is let in.',
      registers,
    });
  }

  issued(cause: IssueCause): void {
    this.#issued.inc({ cause });
  }

  refused(cause: IssueCause, code: string): void {
    this.#refused.inc({ cause, code });
  }

  hubCertificate(notAfterMs: number): void {
    this.#hubCertificateEnd.set(notAfterMs / 1000);
  }

  revocationsSynced(): void {
    this.#revocationsSynced.set(1);
  }
}
