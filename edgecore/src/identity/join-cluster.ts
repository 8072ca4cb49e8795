import { X509Certificate } from 'node:crypto';
import { verifyPeer, type HubAddress } from '@hawser/proto';
import {
  Backoff,
  delay,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from '@hawser/seams';
import { EdgeCoreError } from '../errors.ts';
import { createCsr } from './csr.ts';
import { answerText, HubRefusal, readHubAnswer } from './hub-refusal.ts';
import { speakWithHub, type HubConversation } from './hub-request.ts';
import { credentialsFromIssued, formatBundle } from './identity-bundle.ts';
import { matchesPin, tokenPin } from './join-token.ts';
import { NodeIdentity, PKI_FILES, readKey, type JoinedCluster } from './node-identity.ts';
import { generateNodeKey, nodeKeyType, privateKeyPem, type NodeKeyType } from './node-key.ts';
import { DiskPkiFolder, type PkiFolder } from './pki-folder.ts';

/** Attempts while the hub is busy, or the connection breaks. */
const ATTEMPTS = 4;
const BACKOFF = { baseMs: 1000, capMs: 10_000 } as const;
const MAX_WAIT_MS = 30_000;

/** Settings of {@link joinCluster}. */
export interface JoinOptions {
  /** Name or address of a hub, and the tunnel's port. */
  readonly hub: HubAddress;
  /** `<sha256 of the authority>.<secret>`. */
  readonly token: string;
  /** The name of this node. */
  readonly node: string;
  /** Where the identity is kept: a path, or the folder itself. */
  readonly folder: string | PkiFolder;
  /** The pool that this node is to be in; refused where the token is for another. */
  readonly pool?: string;
  /** Default `ed25519`. */
  readonly keyType?: NodeKeyType;
  /** Takes the place of an identity that is there, with a new key. Default false. */
  readonly rejoin?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly signal?: AbortSignal;
}

/** How a join ended. */
export interface JoinResult extends JoinedCluster {
  readonly identity: NodeIdentity;
  /** Whether the identity was there before: then nothing was done. */
  readonly already: boolean;
  /** The hub's wall time, milliseconds since the epoch: for `TrustedClock.raise`. */
  readonly hubTimeMs?: number;
}

/**
 * Makes this machine a node of a cluster:
 *
 * 1. A key is made, and kept before anything else happens.
 * 2. The hub's authorities are fetched, from whoever answers, and the one that the token's pin names is taken.
 * 3. The certificate of who has answered, proven in the handshake of this connection, is verified against that one.
 *    Only then the token and the request for a certificate are sent, over the same connection.
 * 4. What comes back is checked, and kept in one write.
 *
 * It can be repeated after a failure at any point: the same key is used again, and the hub knows it. With the same
 * token no further use of it is counted.
 *
 * @throws EdgeCoreError `ERR_EDGECORE_TOKEN`, `…_ALREADY_JOINED`, `…_AUTHORITY`, `…_HUB_UNREACHABLE`,
 *   `…_HUB_ANSWER`, `…_PKI_DIR`, and {@link HubRefusal} (`…_REFUSED`); TunnelError `ERR_TUNNEL_CERT_…` where the
 *   hub's certificate does not hold; `signal.reason`
 */
export async function joinCluster(options: JoinOptions): Promise<JoinResult> {
  const { folder: where, logger = silentLogger } = options;
  const pin = tokenPin(options.token);
  const folder = typeof where === 'string' ? new DiskPkiFolder(where, logger) : where;
  await folder.open();
  if (options.rejoin !== true) {
    const present = await presentIdentity(folder, logger);
    if (present !== undefined) return alreadyJoined(present, options, pin);
  }
  return await join(options, folder, pin);
}

async function presentIdentity(folder: PkiFolder, logger: Logger): Promise<NodeIdentity | undefined> {
  try {
    return await NodeIdentity.load({ folder, logger });
  } catch (error) {
    if (error instanceof EdgeCoreError && error.code === 'ERR_EDGECORE_IDENTITY_MISSING') return undefined;
    throw error;
  }
}

function alreadyJoined(identity: NodeIdentity, { node }: JoinOptions, pin: string): JoinResult {
  const isSameCluster = identity.newest.authorities.some((authority) => matchesPin(authority, pin));
  const { cluster } = identity;
  if (isSameCluster && identity.node === node && cluster !== undefined) {
    return { ...cluster, identity, already: true };
  }
  const where = isSameCluster ? 'this cluster' : 'another cluster';
  const message = `this machine is the node ${identity.node} of ${where} already`;
  throw new EdgeCoreError('ERR_EDGECORE_ALREADY_JOINED', message, { about: identity.node });
}

async function join(options: JoinOptions, folder: PkiFolder, pin: string): Promise<JoinResult> {
  const { node, token, pool, keyType = 'ed25519', logger = silentLogger } = options;
  const key = await joinKey(folder, keyType, logger);
  const csr = createCsr(key, node);
  const request = { token, csr, node, ...(pool !== undefined && { pool }) };
  const { authority, answer } = await persistently(options, async () => {
    const { hub, signal } = options;
    const call = { hub, ...(signal !== undefined && { signal }) };
    return await speakWithHub(call, async (conversation) => {
      const pinned = await fetchAuthority(conversation, options, pin);
      return { authority: pinned, answer: await askToJoin(conversation, options, pinned, request) };
    });
  });
  const issued = {
    certificate: answerText(answer, 'certificate'),
    authorities: answerText(answer, 'authorities'),
  };
  const credentials = credentialsFromIssued(issued, key, { node, authorities: [authority] });
  const given = answer['pool'];
  const cluster: JoinedCluster = {
    node,
    clusterUid: answerText(answer, 'clusterUid'),
    ...(typeof given === 'string' && { pool: given }),
  };
  // A renewal of a former identity must not be taken for one of this.
  await folder.remove(PKI_FILES.next);
  await folder.remove(PKI_FILES.nextKey);
  await folder.write(PKI_FILES.cluster, `${JSON.stringify(cluster)}\n`);
  await folder.write(PKI_FILES.node, formatBundle(credentials));
  await folder.remove(PKI_FILES.joinKey);
  const hubTimeMs = answer['timeMs'];
  return {
    ...cluster,
    identity: await NodeIdentity.load({ folder, logger }),
    already: false,
    ...(typeof hubTimeMs === 'number' && { hubTimeMs }),
  };
}

/** The key of a join that was broken off, if it is of the right kind, or a new one, kept first. */
async function joinKey(
  folder: PkiFolder,
  keyType: NodeKeyType,
  logger: Logger,
): ReturnType<typeof generateNodeKey> {
  const kept = await readKey(folder, PKI_FILES.joinKey, logger);
  if (kept !== undefined && nodeKeyType(kept) === keyType) return kept;
  const key = await generateNodeKey(keyType);
  await folder.write(PKI_FILES.joinKey, privateKeyPem(key));
  return key;
}

/** Whoever answers is asked for public certificates; which of them to believe, the pin says. */
async function fetchAuthority(
  conversation: HubConversation,
  { hub }: JoinOptions,
  pin: string,
): Promise<X509Certificate> {
  const answer = await conversation.ask({ method: 'GET', path: '/v1/authority', more: true });
  const blocks = answer.text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  for (const block of blocks) {
    const certificate = readCertificate(block);
    if (certificate?.ca === true && matchesPin(certificate, pin)) return certificate;
  }
  const message = `the authority at ${hub.host}:${hub.port} is not the one that the join token names`;
  throw new EdgeCoreError('ERR_EDGECORE_AUTHORITY', message, { about: hub.host });
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined; // then it is not the one that is looked for
  }
}

async function askToJoin(
  conversation: HubConversation,
  { hub, clock = systemClock }: JoinOptions,
  authority: X509Certificate,
  request: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  conversation.verify((certificate) => {
    verifyPeer(certificate, {
      role: 'hub',
      authorities: [authority],
      dialedHost: hub.host,
      // A machine without a clock: it is not earlier than when the pinned authority began, from when hubs are valid.
      wallMs: () => Math.max(clock.wallMs(), Date.parse(authority.validFrom)),
    });
  });
  return readHubAnswer(await conversation.ask({ method: 'POST', path: '/v1/join', body: request }));
}

/** Again, a few times, where the hub says "later" or the connection breaks. */
async function persistently<T>(options: JoinOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger, signal } = options;
  const backoff = new Backoff({ ...BACKOFF, random });
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || !isTransient(error)) throw error;
      const askedMs = error instanceof HubRefusal ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.min(MAX_WAIT_MS, askedMs + backoff.nextMs());
      logger.warn({ err: error, waitMs }, 'the join is tried again');
      await delay(waitMs, { clock, ...(signal !== undefined && { signal }) });
    }
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof HubRefusal) return error.retryAfterMs !== undefined;
  return error instanceof EdgeCoreError && error.code === 'ERR_EDGECORE_HUB_UNREACHABLE';
}
