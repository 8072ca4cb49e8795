import { createHash, type X509Certificate } from 'node:crypto';
import type { PeerIdentity } from '@hawser/proto';
import type { Clock, Logger } from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';
import { AttemptLimiter } from './attempt-limiter.ts';
import { authoritiesPem, type Authority } from './authority.ts';
import type { CertificateSigner } from './certificate-signer.ts';
import type { IdentityMetrics, IssueCause } from './identity-metrics.ts';
import { admitJoin, type JoinCandidate } from './join-admission.ts';
import type { JoinTokens } from './join-tokens.ts';
import { readNodeCsr, type NodeCsr } from './node-csr.ts';
import { checkNodeName } from './node-name.ts';
import { isRevokedBy, withCertificate, type IssuedCertificate } from './node-record.ts';
import type { NodeRecords } from './node-records.ts';
import { TransientRefusal } from './refusal.ts';

/** A node renews about once a year. */
const RENEWALS = { burst: 10, refillMs: 3600_000, maxKeys: 20_000 } as const;

/** Body of `POST /v1/join`. */
export interface JoinRequest {
  readonly token: string;
  /** PKCS#10, PEM. */
  readonly csr: string;
  readonly node: string;
  /** The pool that the node expects to be in. */
  readonly pool?: string;
}

/** What a renewal answers. */
export interface RenewAnswer {
  /** PEM. */
  readonly certificate: string;
  /** Whom the node shall believe from now on: PEM, one or more. */
  readonly authorities: string;
}

/** What a join answers. */
export interface JoinAnswer extends RenewAnswer {
  readonly clusterUid: string;
  readonly node: string;
  readonly pool?: string;
  /** The hub's wall time, milliseconds since the epoch. */
  readonly timeMs: number;
}

/** Settings of {@link Enrollment}. */
export interface EnrollmentOptions {
  readonly authority: Authority;
  readonly signer: CertificateSigner;
  readonly tokens: JoinTokens;
  readonly records: NodeRecords;
  readonly clusterUid: string;
  /** Lifetime of nodes' certificates, milliseconds. */
  readonly lifetimeMs: number;
  /** How long after its end a certificate is good for a renewal, milliseconds. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: IdentityMetrics;
}

/**
 * Gives nodes their certificates. Each is in the node's record before it is handed out, so that a revocation finds
 * all there are. Each one issued or refused is a line in the log, with `audit` set.
 */
export class Enrollment {
  readonly #options: EnrollmentOptions;
  readonly #renewals: AttemptLimiter;

  constructor(options: EnrollmentOptions) {
    this.#options = options;
    this.#renewals = new AttemptLimiter({ ...RENEWALS, clock: options.clock });
  }

  /**
   * Lets a node in: name → request → token and name, before a use is written → use of the token → certificate →
   * record → answer.
   * @param address whence the request came, for the log
   * @throws CloudCoreError `ERR_CLOUDCORE_NODE_NAME`, `…_CSR`, `…_NODE_EXISTS`, `…_NODE_REVOKED`, and those of
   *   `JoinTokens.consume`; the errors of `ApiClient`
   */
  async join(request: JoinRequest, address: string): Promise<JoinAnswer> {
    return await this.#audited('join', request.node, address, () => this.#join(request, address));
  }

  /**
   * A new certificate for a node that has proven who it is, for its old key or a new one.
   * @param peer what its verified certificate says
   * @throws CloudCoreError `ERR_CLOUDCORE_CLIENT_CERTIFICATE` (it is none of a node), `…_CSR`, `…_NODE_REVOKED`,
   *   `…_TOO_MANY_REQUESTS`; the errors of `ApiClient`
   */
  async renew(peer: PeerIdentity, csrPem: string, address: string): Promise<RenewAnswer> {
    return await this.#audited('renew', peer.nodeName ?? peer.commonName, address, () =>
      this.#renew(peer, csrPem, address),
    );
  }

  async #join(request: JoinRequest, address: string): Promise<JoinAnswer> {
    const { clock, tokens, records, clusterUid } = this.#options;
    const { node, token, pool } = request;
    checkNodeName(node);
    const csr = await readNodeCsr(request.csr, node);
    const claim = { token, node, key: csr.keyHash, ...(pool !== undefined && { pool }) };
    const candidate = (granted: JoinCandidate['token']): JoinCandidate => ({
      node,
      key: csr.keyHash,
      token: granted,
    });
    const grant = await tokens.consume(claim, async (granted) => {
      admitJoin(await records.get(node), candidate(granted), clock.wallMs());
    });
    const certificate = await this.#sign(csr, node);
    // Judged again on what is written upon: somebody else may have taken the name meanwhile.
    const record = await records.change(node, (present) =>
      this.#add(certificate, csr, admitJoin(present, candidate(grant), clock.wallMs())),
    );
    this.#issued('join', certificate, { node, address, token: grant.id, again: grant.again });
    return {
      ...this.#answer(certificate),
      clusterUid,
      node,
      ...(record.pool !== undefined && { pool: record.pool }),
      timeMs: Math.round(clock.wallMs()),
    };
  }

  async #renew(peer: PeerIdentity, csrPem: string, address: string): Promise<RenewAnswer> {
    const { records } = this.#options;
    const { nodeName: node, fingerprint } = peer;
    if (node === undefined) {
      const message = `the certificate of ${peer.commonName} is not a node's`;
      throw new CloudCoreError('ERR_CLOUDCORE_CLIENT_CERTIFICATE', message);
    }
    const waitMs = this.#renewals.waitMs(node);
    if (waitMs > 0) {
      const message = `the node ${node} has renewed its certificate too often`;
      throw new TransientRefusal('ERR_CLOUDCORE_TOO_MANY_REQUESTS', message, waitMs);
    }
    this.#renewals.count(node);
    const csr = await readNodeCsr(csrPem, node);
    const certificate = await this.#sign(csr, node);
    await records.change(node, (present) => {
      if (isRevokedBy(present, fingerprint)) {
        const message = `the certificate of the node ${node} was revoked`;
        throw new CloudCoreError('ERR_CLOUDCORE_NODE_REVOKED', message, { about: node });
      }
      // Without a record the cluster was restored from a backup; the certificate that was shown is genuine.
      return this.#add(certificate, csr, present ?? { node, certificates: [] });
    });
    this.#issued('renew', certificate, { node, address, former: peer.serialNumber });
    return this.#answer(certificate);
  }

  async #sign(csr: NodeCsr, node: string): Promise<X509Certificate> {
    const { signer, clock, lifetimeMs } = this.#options;
    return await signer.issueNode(csr.spki, node, clock.wallMs(), lifetimeMs);
  }

  #add(
    certificate: X509Certificate,
    csr: NodeCsr,
    record: Parameters<typeof withCertificate>[0],
  ): ReturnType<typeof withCertificate> {
    const nowMs = this.#options.clock.wallMs();
    const issued: IssuedCertificate = {
      serial: certificate.serialNumber,
      fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
      key: csr.keyHash,
      issuedAt: new Date(nowMs).toISOString(),
      notAfter: new Date(certificate.validTo).toISOString(),
    };
    return withCertificate(record, issued, nowMs - this.#options.graceMs);
  }

  #answer(certificate: X509Certificate): RenewAnswer {
    return { certificate: certificate.toString(), authorities: authoritiesPem(this.#options.authority) };
  }

  #issued(cause: IssueCause, certificate: X509Certificate, fields: Readonly<Record<string, unknown>>): void {
    const { logger, metrics } = this.#options;
    metrics.issued(cause);
    const { serialNumber: serial, validTo } = certificate;
    logger.info({ audit: cause, ...fields, serial, notAfter: validTo }, 'certificate issued');
  }

  async #audited<T>(cause: IssueCause, node: string, address: string, work: () => Promise<T>): Promise<T> {
    const { logger, metrics } = this.#options;
    try {
      return await work();
    } catch (error) {
      const code = error instanceof CloudCoreError ? error.code : 'ERR_CLOUDCORE_UNAVAILABLE';
      metrics.refused(cause, code);
      const shown = node.slice(0, 253);
      logger.warn({ audit: cause, node: shown, address, code, err: error }, 'certificate refused');
      throw error;
    }
  }
}
