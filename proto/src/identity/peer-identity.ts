import type { X509Certificate } from 'node:crypto';

/**
 * The ends of a tunnel. An edge dials and shows a client certificate; a hub listens and shows a server certificate. A
 * peer is a node that listens for other nodes of its pool: it shows its node certificate, as a server's.
 */
export type PeerRole = 'edge' | 'hub' | 'peer';

/** Who the peer is, as its verified certificate says. */
export interface PeerIdentity {
  readonly role: PeerRole;
  /** Subject CN: `system:node:<name>` for a node. */
  readonly commonName: string;
  /** Subject O: `system:nodes` for a node, `hawser:hubs` for a hub. */
  readonly organization: string;
  /** The node's name, where the subject is a node's. */
  readonly nodeName: string | undefined;
  /** Serial number, upper-case hex. */
  readonly serialNumber: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** End of validity, milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** Organization and CN prefix of a node's certificate. Source: Kubernetes, "Using Node Authorization". */
const NODE_ORGANIZATION = 'system:nodes';
const NODE_PREFIX = 'system:node:';

/** Organization of a hub's certificate. */
export const HUB_ORGANIZATION = 'hawser:hubs';

/** Reads the identity that a certificate states. Nothing is verified here. */
export function readIdentity(certificate: X509Certificate, role: PeerRole): PeerIdentity {
  const subject = parseSubject(certificate.subject);
  const commonName = subject.get('CN') ?? '';
  const organization = subject.get('O') ?? '';
  const isNode = organization === NODE_ORGANIZATION && commonName.startsWith(NODE_PREFIX);
  return {
    role,
    commonName,
    organization,
    nodeName: isNode && commonName !== NODE_PREFIX ? commonName.slice(NODE_PREFIX.length) : undefined,
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/**
 * Node prints a subject as one `KEY=value` a line. A key that comes twice makes the subject ambiguous, and an
 * ambiguous name is no name: it is left out.
 */
function parseSubject(subject: string): Map<string, string> {
  const parts = new Map<string, string>();
  const ambiguous = new Set<string>();
  for (const line of subject.split('\n')) {
    const at = line.indexOf('=');
    if (at < 0) continue;
    const key = line.slice(0, at);
    if (parts.has(key)) ambiguous.add(key);
    parts.set(key, line.slice(at + 1));
  }
  for (const key of ambiguous) parts.delete(key);
  return parts;
}
