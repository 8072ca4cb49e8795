import type { KeyObject } from 'node:crypto';
import type { Credentials } from '@hawser/proto';
import { silentLogger, type Logger } from '@hawser/seams';
import { EdgeCoreError } from '../errors.ts';
import { credentialsFromIssued, formatBundle, nodeOf, parseBundle, type Issued } from './identity-bundle.ts';
import { generateNodeKey, nodeKeyType, privateKeyPem, readPrivateKey } from './node-key.ts';
import { PKI_FILES } from './pki-files.ts';
import { DiskPkiFolder, type PkiFolder } from './pki-folder.ts';

export { PKI_FILES };

/** Where a node has joined; nothing in it is secret. */
export interface JoinedCluster {
  readonly node: string;
  readonly clusterUid: string;
  readonly pool?: string;
}

/** Settings of {@link NodeIdentity.load}. */
export interface NodeIdentityOptions {
  /** A path, or the folder itself. */
  readonly folder: string | PkiFolder;
  readonly logger?: Logger;
}

/**
 * The identity of this node, in files. There are up to two certificates: the one in use, and one that was renewed and
 * is shown at the next handshake; once a hub has let it in, it takes the place of the former, whose key is then gone.
 * Whenever the machine stops, one of them is there and whole.
 */
export class NodeIdentity {
  readonly node: string;
  /** What the hub said at the join; undefined where the file of it is not there. */
  readonly cluster: JoinedCluster | undefined;
  readonly #folder: PkiFolder;
  readonly #logger: Logger;
  #current: Credentials;
  #next: Credentials | undefined;
  /** Whether the next handshake shows the former one, because a hub refused the renewed one. */
  #showFormer = false;
  /** File operations, one after the other. */
  #work: Promise<unknown> = Promise.resolve();

  private constructor(fields: {
    folder: PkiFolder;
    logger: Logger;
    current: Credentials;
    next: Credentials | undefined;
    cluster: JoinedCluster | undefined;
  }) {
    this.node = nodeOf(fields.next ?? fields.current);
    this.cluster = fields.cluster;
    this.#folder = fields.folder;
    this.#logger = fields.logger;
    this.#current = fields.current;
    this.#next = fields.next;
  }

  /**
   * Reads the identity of this node. Rights that are too wide are narrowed, and said. Where one of two certificates
   * cannot be read, the other serves.
   * @throws EdgeCoreError `ERR_EDGECORE_IDENTITY_MISSING`, `ERR_EDGECORE_IDENTITY`, `ERR_EDGECORE_PKI_DIR`
   */
  static async load(options: NodeIdentityOptions): Promise<NodeIdentity> {
    const { folder: where, logger = silentLogger } = options;
    const folder = typeof where === 'string' ? new DiskPkiFolder(where, logger) : where;
    await folder.open();
    const current = await readCredentials(folder, PKI_FILES.node);
    const next = await readCredentials(folder, PKI_FILES.next);
    for (const { file, error } of [current, next]) {
      if (error !== undefined) logger.error({ err: error, file }, 'a file with the identity cannot be used');
    }
    const usable = current.credentials ?? next.credentials;
    if (usable === undefined) throw current.error ?? next.error ?? missing(folder);
    const cluster = await readCluster(folder, logger);
    const newer = isRenewalOf(next.credentials, current.credentials) ? next.credentials : undefined;
    return new NodeIdentity({ folder, logger, current: usable, next: newer, cluster });
  }

  /**
   * What to show at the next handshake; for `TransportOptions.credentials`. The renewed ones as soon as there are any,
   * and in turn with the former while hubs refuse them.
   */
  credentials(): Credentials {
    return this.#next === undefined || this.#showFormer ? this.#current : this.#next;
  }

  /** The newest ones: what a renewal goes by. */
  get newest(): Credentials {
    return this.#next ?? this.#current;
  }

  /** Whether there is a renewed certificate that no hub has let in yet. */
  get isUnproven(): boolean {
    return this.#next !== undefined;
  }

  /**
   * A hub has let the node in with these, as {@link credentials} answered them. The renewed ones take the place of
   * the former, whose key is removed. Without effect for others.
   * @throws EdgeCoreError `ERR_EDGECORE_PKI_DIR`; the former ones then stay, and the next call tries again
   */
  async confirm(used: Credentials): Promise<void> {
    await this.#inTurn(async () => {
      this.#showFormer = false;
      if (used !== this.#next) return;
      await this.#folder.rename(PKI_FILES.next, PKI_FILES.node);
      this.#current = used;
      this.#next = undefined;
      this.#logger.info({ serial: used.certificate.serialNumber }, 'the renewed certificate is in use');
    });
  }

  /** A hub refused these (`ERR_TUNNEL_CERT_…`): where there are others, they are shown at the next handshake. */
  refused(used: Credentials): void {
    if (this.#next === undefined) return;
    this.#showFormer = used === this.#next;
  }

  /** The key for a renewal: the one of a renewal that was broken off, or a new one of the same kind, kept first. */
  async renewalKey(): Promise<KeyObject> {
    return await this.#inTurn(async () => {
      const kept = await readKey(this.#folder, PKI_FILES.nextKey, this.#logger);
      if (kept !== undefined) return kept;
      const key = await generateNodeKey(nodeKeyType(this.newest.privateKey) ?? 'ed25519');
      await this.#folder.write(PKI_FILES.nextKey, privateKeyPem(key));
      return key;
    });
  }

  /**
   * Takes what a hub has issued for {@link renewalKey}: it is shown from the next handshake on.
   * @throws EdgeCoreError `ERR_EDGECORE_HUB_ANSWER`, `ERR_EDGECORE_PKI_DIR`
   */
  async adopt(issued: Issued, key: KeyObject): Promise<void> {
    await this.#inTurn(async () => {
      const { authorities } = this.newest;
      const renewed = credentialsFromIssued(issued, key, { node: this.node, authorities });
      await this.#folder.write(PKI_FILES.next, formatBundle(renewed));
      this.#next = renewed;
      this.#showFormer = false;
      await this.#folder.remove(PKI_FILES.nextKey);
      const { serialNumber: serial, validTo } = renewed.certificate;
      this.#logger.info({ serial, notAfter: validTo }, 'the certificate was renewed');
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {}); // whoever asked hears of it
    return done;
  }
}

/** A private key in a file; undefined where there is none, or none that can be used: another one is as good. */
export async function readKey(
  folder: PkiFolder,
  file: string,
  logger: Logger,
): Promise<KeyObject | undefined> {
  const text = await folder.read(file);
  if (text === undefined) return undefined;
  try {
    return readPrivateKey(text, file);
  } catch (error) {
    logger.warn({ err: error, file }, 'a key that was begun with cannot be used, another one is made');
    return undefined;
  }
}

async function readCredentials(
  folder: PkiFolder,
  file: string,
): Promise<{ file: string; credentials?: Credentials; error?: EdgeCoreError }> {
  const text = await folder.read(file);
  if (text === undefined) return { file };
  try {
    return { file, credentials: parseBundle(text, file) };
  } catch (error) {
    if (error instanceof EdgeCoreError) return { file, error };
    throw error;
  }
}

/** What a former identity left behind is none: another node, another cluster, or older than what is in use. */
function isRenewalOf(next: Credentials | undefined, current: Credentials | undefined): boolean {
  if (next === undefined || current === undefined) return next !== undefined;
  const knows = ({ raw }: { raw: Buffer }): boolean =>
    current.authorities.some((authority) => authority.raw.equals(raw));
  return (
    nodeOf(next) === nodeOf(current) &&
    next.authorities.some(knows) &&
    Date.parse(next.certificate.validTo) >= Date.parse(current.certificate.validTo)
  );
}

async function readCluster(folder: PkiFolder, logger: Logger): Promise<JoinedCluster | undefined> {
  const text = await folder.read(PKI_FILES.cluster);
  if (text === undefined) return undefined;
  try {
    const { node, clusterUid, pool } = JSON.parse(text) as Partial<Record<keyof JoinedCluster, unknown>>;
    if (typeof node !== 'string' || typeof clusterUid !== 'string')
      throw new TypeError('it lacks node or cluster');
    return { node, clusterUid, ...(typeof pool === 'string' && { pool }) };
  } catch (error) {
    logger.warn({ err: error, file: PKI_FILES.cluster }, 'what the hub said at the join cannot be read');
    return undefined;
  }
}

function missing({ dir }: PkiFolder): EdgeCoreError {
  const message = `there is no identity in ${dir}: this machine has not joined a cluster`;
  return new EdgeCoreError('ERR_EDGECORE_IDENTITY_MISSING', message, { about: dir });
}
