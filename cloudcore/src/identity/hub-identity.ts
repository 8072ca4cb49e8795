import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StatusError } from '@hawser/kube';
import { failure, ResourceClient, RESOURCES, type ApiClient, type StatusReason } from '@hawser/kube';
import type { Credentials, PeerIdentity } from '@hawser/proto';
import { silentLogger, systemClock, type Clock, type Logger, type Timer } from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';
import { ensureAuthority } from './authority-secret.ts';
import { derivePoolStateSeed, deriveStampKey, type Authority } from './authority.ts';
import { CertificateSigner } from './certificate-signer.ts';
import { Enrollment, type RenewAnswer } from './enrollment.ts';
import { HubCertificate } from './hub-certificate.ts';
import { IdentityEndpoint } from './identity-endpoint.ts';
import { IdentityMetrics } from './identity-metrics.ts';
import type { IdentityService } from './identity-service.ts';
import { JoinTokens } from './join-tokens.ts';
import { NodeRecords } from './node-records.ts';
import { asRefusal, httpStatusOf, TransientRefusal } from './refusal.ts';
import { RevocationWatch } from './revocation-watch.ts';

const DAY_MS = 86_400_000;
const TOKEN_CLEANING_MS = 3600_000;

/** Settings of {@link HubIdentity}. */
export interface HubIdentityOptions {
  readonly client: ApiClient;
  /** DNS names and IP addresses by which edges dial this hub; at least one, unless `loopback` is set. */
  readonly names: readonly string[];
  /** Whether edges on the same machine may dial `localhost`, 127.0.0.1 or ::1. Default false. */
  readonly loopback?: boolean;
  /** Lifetime of nodes' certificates, days. Default 365. */
  readonly nodeCertificateDays?: number;
  /** How long after its end a node's certificate is good for a renewal, days. Default 30. */
  readonly graceDays?: number;
  /** Lifetime of the hub's certificate, days. Default 90. */
  readonly hubCertificateDays?: number;
  readonly metrics?: IdentityMetrics;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** What runs once the hub has been started. */
interface Parts {
  readonly authority: Authority;
  readonly certificate: HubCertificate;
  readonly enrollment: Enrollment;
  readonly endpoint: IdentityEndpoint;
}

/** Reasons of a Status, by HTTP status. */
const REASONS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  409: 'Conflict',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

/**
 * Identity as the hub has it: the authority in a Secret, the hub's own certificate, join tokens, nodes' records, and
 * the requests of nodes that join or renew. Any number of replicas run side by side. See docs/identity.md.
 */
export class HubIdentity implements IdentityService {
  readonly #options: HubIdentityOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: IdentityMetrics;
  readonly #revocations: RevocationWatch;
  #tokens: JoinTokens | undefined;
  #parts: Parts | undefined;
  #starting: Promise<void> | undefined;
  #cleaning: Timer | undefined;
  #stopped = false;

  constructor(options: HubIdentityOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = (options.logger ?? silentLogger).child({ component: 'identity' });
    this.#metrics = options.metrics ?? new IdentityMetrics();
    this.#revocations = new RevocationWatch({
      client: options.client,
      clock: this.#clock,
      logger: this.#logger,
    });
  }

  /** The pin that join tokens begin with. @throws TypeError before {@link start} */
  get pin(): string {
    return this.#started().authority.pin;
  }

  /** The join tokens. @throws TypeError before {@link start} */
  get tokens(): JoinTokens {
    if (this.#tokens === undefined) throw notStarted();
    return this.#tokens;
  }

  /** Another object after each renewal; the key stays. @throws TypeError before {@link start} */
  credentials(): Credentials {
    return this.#started().certificate.credentials;
  }

  /** @throws TypeError before {@link start} */
  stampKey(): Uint8Array {
    return deriveStampKey(this.#started().authority);
  }

  /** Seed of the key that states of pools are signed with, 32 bytes. @throws TypeError before {@link start} */
  poolStateSeed(): Uint8Array {
    return derivePoolStateSeed(this.#started().authority);
  }

  /** @throws TunnelError `ERR_TUNNEL_REJECTED` until the records of nodes have been read: nobody is let in */
  isRevoked(identity: PeerIdentity): boolean {
    return this.#revocations.isRevoked(identity);
  }

  /** The pool that a node has joined with; undefined: none, or not known. */
  poolOf(node: string): string | undefined {
    return this.#revocations.poolOf(node);
  }

  /** Whether a node was revoked and has not joined since. */
  isOut(node: string): boolean {
    return this.#revocations.isOut(node);
  }

  /** Certificates of a node that were revoked and have not expired: SHA-256, lower-case hex. */
  formerOf(node: string): readonly string[] {
    return this.#revocations.formerOf(node);
  }

  /** Calls with the name of each node whose record is another one. Answers how to stop. */
  onRecord(listener: (node: string) => void): () => void {
    return this.#revocations.onRecord(listener);
  }

  /** The node may have certificates that still count (it joined anew): ask {@link isRevoked} before ending a session. */
  onRevoked(listener: (node: string) => void): () => void {
    return this.#revocations.onRevoked(listener);
  }

  /** @throws TypeError before {@link start} */
  serve(request: IncomingMessage, response: ServerResponse): void {
    this.#started().endpoint.serve(request, response);
  }

  /** @throws StatusError 400, 401, 403, 429, 503; TypeError before {@link start} */
  async renew(peer: PeerIdentity, csrPem: string): Promise<RenewAnswer> {
    const { enrollment } = this.#started();
    try {
      return await enrollment.renew(peer, csrPem, 'session');
    } catch (error) {
      throw asStatus(asRefusal(error));
    }
  }

  /**
   * Reads or makes the authority, makes the hub's certificate, reads the records of nodes. Resolves when the hub may
   * let nodes in. A start that fails can be tried again.
   * @throws CloudCoreError `ERR_CLOUDCORE_AUTHORITY`, `…_AUTHORITY_DATES`, `…_HUB_NAME`; the errors of `ApiClient`
   */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cleaning?.cancel();
    this.#parts?.certificate.stop();
    await this.#revocations.stop();
  }

  async #start(): Promise<void> {
    const { client } = this.#options;
    const authority = await ensureAuthority(client, { clock: this.#clock });
    const clusterUid = await readClusterUid(client);
    const signer = new CertificateSigner(authority);
    await this.#revocations.start();
    this.#metrics.revocationsSynced();
    const certificate = this.#hubCertificate(authority, signer);
    await certificate.start();
    this.#tokens = new JoinTokens({ client, pin: authority.pin, clock: this.#clock, logger: this.#logger });
    const graceMs = (this.#options.graceDays ?? 30) * DAY_MS;
    const enrollment = new Enrollment({
      authority,
      signer,
      tokens: this.#tokens,
      records: new NodeRecords(client),
      clusterUid,
      lifetimeMs: (this.#options.nodeCertificateDays ?? 365) * DAY_MS,
      graceMs,
      clock: this.#clock,
      logger: this.#logger,
      metrics: this.#metrics,
    });
    const endpoint = new IdentityEndpoint({
      authority,
      enrollment,
      isRevoked: (identity) => this.isRevoked(identity),
      graceMs,
      clock: this.#clock,
      logger: this.#logger,
    });
    this.#parts = { authority, certificate, enrollment, endpoint };
    if (this.#stopped) certificate.stop();
    else this.#cleanTokens(this.#tokens);
  }

  #hubCertificate(authority: Authority, signer: CertificateSigner): HubCertificate {
    return new HubCertificate({
      authority,
      signer,
      names: this.#options.names,
      loopback: this.#options.loopback ?? false,
      lifetimeMs: (this.#options.hubCertificateDays ?? 90) * DAY_MS,
      clock: this.#clock,
      logger: this.#logger,
      onIssued: (notAfterMs) => this.#metrics.hubCertificate(notAfterMs),
    });
  }

  /** Now and every hour. Any replica may do it: what is gone is gone. */
  #cleanTokens(tokens: JoinTokens): void {
    tokens.removeExpired().then(
      (removed) => {
        if (removed > 0) this.#logger.info({ removed }, 'expired join tokens deleted');
      },
      (error: unknown) => this.#logger.warn({ err: error }, 'expired join tokens could not be deleted'),
    );
    if (this.#stopped) return;
    this.#cleaning = this.#clock.setTimer(TOKEN_CLEANING_MS, () => this.#cleanTokens(tokens), {
      background: true,
    });
  }

  #started(): Parts {
    if (this.#parts === undefined) throw notStarted();
    return this.#parts;
  }
}

/** The UID of a cluster: that of its namespace kube-system. */
async function readClusterUid(client: ApiClient): Promise<string> {
  const namespace = await new ResourceClient(client, RESOURCES.namespaces).get('', 'kube-system');
  const { uid = '' } = namespace.metadata;
  if (uid !== '') return uid;
  throw new CloudCoreError('ERR_CLOUDCORE_CLUSTER', 'the namespace kube-system has no UID');
}

function asStatus(error: CloudCoreError): StatusError {
  const status = httpStatusOf(error.code);
  const retryAfterSeconds =
    error instanceof TransientRefusal ? Math.ceil(error.retryAfterMs / 1000) : undefined;
  return failure(
    status,
    REASONS[status] ?? 'InternalError',
    `${error.message} (${error.code})`,
    retryAfterSeconds === undefined ? undefined : { retryAfterSeconds },
    { cause: error },
  );
}

function notStarted(): TypeError {
  return new TypeError('the identity of the hub is known only once it has been started');
}
