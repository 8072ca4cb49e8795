import { Informer, resourceListerWatcher, RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import { TunnelError, type PeerIdentity } from '@hawser/proto';
import type { Clock, Logger } from '@hawser/seams';
import { HAWSER_NAMESPACE, LABELS } from '../cluster/names.ts';
import { decodeRecord, isOut, NODE_IDENTITY, recordName, type FormerCertificate } from './node-record.ts';

/** What is kept of a record. */
interface Standing {
  readonly node: string;
  /** When all certificates were revoked; undefined: every genuine one counts. */
  readonly revokedAt: string | undefined;
  /** The pool that it has joined with. */
  readonly pool: string | undefined;
  /** Fingerprints of those that count nevertheless. */
  readonly valid: ReadonlySet<string>;
  /** Whether it was revoked and has not joined since. */
  readonly out: boolean;
  readonly former: readonly FormerCertificate[];
}

const NONE: ReadonlySet<string> = new Set();

/** Settings of {@link RevocationWatch}. */
export interface RevocationWatchOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Knows from memory which certificates are revoked: a watch of the nodes' records, on every replica. When the API
 * server is away, what was known last goes on to hold.
 */
export class RevocationWatch {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #informer: Informer<Standing>;
  readonly #listeners = new Set<(node: string) => void>();
  readonly #recordListeners = new Set<(node: string) => void>();

  constructor(options: RevocationWatchOptions) {
    const { client, clock, logger } = options;
    this.#logger = logger;
    this.#clock = clock;
    this.#informer = new Informer<Standing>({
      name: 'configmaps/node-identity',
      listerWatcher: resourceListerWatcher(client, RESOURCES.configmaps, {
        namespace: HAWSER_NAMESPACE,
        labelSelector: `${LABELS.kind}=${NODE_IDENTITY}`,
      }),
      initialVersion: '', // the newest: an old list could miss a revocation
      transform: (object) => this.#standing(object),
      clock,
      onError: (error, phase) => logger.warn({ err: error, phase }, 'the watch of node records has trouble'),
    });
    this.#informer.addHandler((old, current) => {
      const revokedAt = current?.value.revokedAt;
      if (current === undefined) {
        logger.warn(
          { node: old?.value.node },
          'the record of a node was deleted: what it revoked counts again',
        );
      } else if (revokedAt !== undefined && revokedAt !== old?.value.revokedAt) {
        this.#tell(current.value.node);
      }
      const node = (current ?? old)?.value.node;
      if (node !== undefined) for (const listener of [...this.#recordListeners]) listener(node);
    });
  }

  /** Nodes that have a record. */
  get size(): number {
    return this.#informer.lister.size;
  }

  /** Begins to watch; resolves when everything has been read. Rejects when it is stopped before. */
  async start(): Promise<void> {
    this.#informer.start();
    await this.#informer.waitForSync();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.#informer.stop();
  }

  /**
   * Whether a certificate was revoked.
   * @throws TunnelError `ERR_TUNNEL_REJECTED` while that is not known yet: nobody is let in
   */
  isRevoked({ nodeName, fingerprint }: PeerIdentity): boolean {
    if (!this.#informer.hasSynced) {
      const message = 'the hub has not read yet which certificates are revoked; try again';
      throw new TunnelError('ERR_TUNNEL_REJECTED', message, { retryAfterMs: 1000 });
    }
    if (nodeName === undefined) return false; // no record speaks of it
    const standing = this.#informer.lister.get(HAWSER_NAMESPACE, recordName(nodeName))?.value;
    return standing?.revokedAt !== undefined && !standing.valid.has(fingerprint);
  }

  /** The pool that a node has joined with, as its record says; undefined: none, or not known. */
  poolOf(node: string): string | undefined {
    return this.#informer.lister.get(HAWSER_NAMESPACE, recordName(node))?.value.pool;
  }

  /** Whether a node was revoked and has not joined since. */
  isOut(node: string): boolean {
    return this.#informer.lister.get(HAWSER_NAMESPACE, recordName(node))?.value.out === true;
  }

  /** Certificates of a node that were revoked, SHA-256, lower-case hex, but for those that have expired. */
  formerOf(node: string): readonly string[] {
    const former = this.#informer.lister.get(HAWSER_NAMESPACE, recordName(node))?.value.former ?? [];
    const nowMs = this.#clock.wallMs();
    return former
      .filter(({ notAfter }) => Date.parse(notAfter) > nowMs)
      .map(({ fingerprint }) => fingerprint);
  }

  /** Calls with the name of each node whose record is another one. Answers how to stop. */
  onRecord(listener: (node: string) => void): () => void {
    const own = (node: string): void => listener(node);
    this.#recordListeners.add(own);
    return () => void this.#recordListeners.delete(own);
  }

  /** Calls with the name of each node of which certificates are revoked from now on. Answers how to stop. */
  onRevoked(listener: (node: string) => void): () => void {
    const own = (node: string): void => listener(node); // the same function may listen twice
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  #tell(node: string): void {
    for (const listener of [...this.#listeners]) listener(node);
  }

  /** A record that cannot be read keeps its node out: it may have said that it is revoked. */
  #standing(object: KubeObject): Standing {
    try {
      const decoded = decodeRecord(object);
      const { node, pool, revokedAt, certificates, former = [] } = decoded;
      const about = { node, pool, revokedAt, out: isOut(decoded), former };
      if (revokedAt === undefined) return { ...about, valid: NONE };
      return { ...about, valid: new Set(certificates.map(({ fingerprint }) => fingerprint)) };
    } catch (error) {
      this.#logger.error({ err: error }, 'a node is kept out, because its record cannot be read');
      const { node = '' } = (object['data'] ?? {}) as { node?: string };
      return { node, pool: undefined, revokedAt: 'unreadable', valid: NONE, out: true, former: [] };
    }
  }
}
