import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { AUTHENTICATED, unauthorized, type Authenticator, type UserInfo } from '@hawser/kube';
import type { Callers } from './callers.ts';
import type { Trust } from './cluster-trust.ts';

/** What {@link ClientCertificates} need. */
export interface ClientCertificatesOptions {
  readonly node: string;
  /** What the cluster's callers are known by; undefined: nothing was received yet. */
  readonly trust: () => Trust | undefined;
  /** Who has issued the certificate of this node. */
  readonly nodeAuthorities: () => readonly X509Certificate[];
  readonly callers: Callers;
  /** Milliseconds since the epoch, as far as it is known. */
  readonly wallMs: () => number;
}

const CLIENT_USAGE = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';
const MAX_INTERMEDIATES = 5;
const NODES = 'system:nodes';

/**
 * Client certificates: of the cluster's authority (CN is the user, each O a group), and that of this node itself. Checked
 * here and not by the TLS layer, which would go by the system's clock.
 * Source: k8s.io/apiserver authentication/request/x509.
 */
export class ClientCertificates implements Authenticator {
  readonly #options: ClientCertificatesOptions;

  constructor(options: ClientCertificatesOptions) {
    this.#options = options;
  }

  /** @throws StatusError Unauthorized, where there is no token to know the caller by */
  authenticate({ socket, headers }: IncomingMessage): UserInfo | undefined {
    const leaf = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (leaf === undefined) return undefined;
    const { trust, nodeAuthorities, callers, node } = this.#options;
    const isNode = isOfNode(leaf, node) && this.#isIssued(leaf, nodeAuthorities());
    if (!isNode && !this.#isIssued(leaf, trust()?.authorities ?? [])) {
      if (headers.authorization !== undefined) return undefined;
      throw unauthorized();
    }
    const user = userOf(leaf);
    if (user !== undefined) callers.add({ user, isNode });
    return user;
  }

  /** Whether it is for clients, valid now, and leads to one of the authorities. */
  #isIssued(leaf: X509Certificate, authorities: readonly X509Certificate[]): boolean {
    if (authorities.length === 0 || !this.#isInTime(leaf)) return false;
    // Node's name for the extended key usage; absent where the certificate has none.
    const usages = leaf.keyUsage as readonly string[] | undefined;
    if (usages?.some((usage) => usage === CLIENT_USAGE || usage === ANY_USAGE) === false) return false;
    let subject = leaf;
    for (let depth = 0; depth <= MAX_INTERMEDIATES; depth += 1) {
      const issuer = authorities.find((authority) => hasIssued(authority, subject));
      if (issuer !== undefined) return this.#isInTime(issuer);
      const next = subject.issuerCertificate;
      if (next === undefined || !hasIssued(next, subject) || !this.#isInTime(next)) return false;
      subject = next;
    }
    return false;
  }

  #isInTime({ validFrom, validTo }: X509Certificate): boolean {
    const nowMs = this.#options.wallMs();
    return nowMs >= Date.parse(validFrom) && nowMs <= Date.parse(validTo);
  }
}

function hasIssued(authority: X509Certificate, certificate: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function isOfNode(leaf: X509Certificate, node: string): boolean {
  return attributes(leaf, 'CN')[0] === `system:node:${node}` && attributes(leaf, 'O').includes(NODES);
}

function userOf(leaf: X509Certificate): UserInfo | undefined {
  const [username = ''] = attributes(leaf, 'CN');
  if (username === '') return undefined;
  return { username, uid: '', groups: [...attributes(leaf, 'O'), AUTHENTICATED], extra: {} };
}

/** Values of an attribute of the subject, in their order. */
function attributes(leaf: X509Certificate, name: 'CN' | 'O'): readonly string[] {
  const { subject } = leaf.toLegacyObject() as {
    readonly subject?: Partial<Record<'CN' | 'O', string | readonly string[]>>;
  };
  return [subject?.[name] ?? []].flat();
}
