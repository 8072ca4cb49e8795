import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { systemClock } from '@hawser/seams';
import { messageOf, TunnelError, type TunnelErrorCode } from '../errors.ts';
import { HUB_ORGANIZATION, readIdentity, type PeerIdentity, type PeerRole } from './peer-identity.ts';

/** What a verification is held against. */
export interface VerifyOptions {
  /** The role in which the peer shows the certificate. */
  readonly role: PeerRole;
  /** Authorities that may have signed it. */
  readonly authorities: readonly X509Certificate[];
  /** For a hub: the name or address that was dialled; it has to be in the subject alternative names. */
  readonly dialedHost?: string;
  /** The node that it has to be: this one, or any (`true`). A peer has to be one anyway. Default: not looked at. */
  readonly node?: string | true;
  /** The key that the transport proved, SPKI DER; the certificate must hold the same. */
  readonly provenKey?: Uint8Array;
  /** Whether a certificate was revoked. Default: none is. */
  readonly isRevoked?: (identity: PeerIdentity) => boolean;
  /** Trusted wall time, milliseconds since the epoch. Default: the system clock. */
  readonly wallMs?: () => number;
}

/** Extended key usage. Source: RFC 5280, section 4.2.1.12. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const USAGE = { edge: CLIENT_AUTH, hub: SERVER_AUTH, peer: SERVER_AUTH } as const;

/**
 * Checks a peer's certificate, each property by itself and by our own code; no decision hangs on a TLS stack's
 * single error. The order matters: dates come last, so that a certificate which is forged *and* expired counts as
 * forged. Steps: readable → key type → proven key → issuer and signature → usage → name dialled → organization (of a
 * hub, of a node) → node's name → revocation → dates.
 *
 * @param certificate DER of the peer's certificate, or undefined where it showed none
 * @throws TunnelError with a code `ERR_TUNNEL_CERT_…`, and `certificate: 'peer'`
 */
export function verifyPeer(certificate: Uint8Array | undefined, options: VerifyOptions): PeerIdentity {
  if (certificate === undefined || certificate.length === 0) {
    throw refused('ERR_TUNNEL_CERT_MISSING', 'the peer showed no certificate');
  }
  try {
    return verify(new X509Certificate(certificate), options);
  } catch (error) {
    if (error instanceof TunnelError) throw error;
    // Some parts are only parsed when they are asked for: whatever of it cannot be read, it is no certificate.
    const message = `unreadable certificate: ${messageOf(error)}`;
    throw refused('ERR_TUNNEL_CERT_MALFORMED', message, error);
  }
}

function verify(leaf: X509Certificate, options: VerifyOptions): PeerIdentity {
  checkKeyType(leaf);
  checkProvenKey(leaf, options.provenKey);
  checkIssuer(leaf, options.authorities);
  checkUsage(leaf, options.role);
  checkHost(leaf, options.dialedHost);
  const identity = readIdentity(leaf, options.role);
  checkOrganization(identity);
  checkNode(identity, options.node);
  if (options.isRevoked?.(identity) === true) {
    throw refused('ERR_TUNNEL_CERT_REVOKED', `the certificate of ${identity.commonName} was revoked`);
  }
  checkDates(leaf, identity, (options.wallMs ?? systemClock.wallMs)());
  return identity;
}

function checkKeyType(leaf: X509Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf.publicKey;
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return;
  throw refused('ERR_TUNNEL_CERT_KEY', `key type ${type ?? 'unknown'} is not accepted: Ed25519 or P-256 is`);
}

function checkProvenKey(leaf: X509Certificate, provenKey: Uint8Array | undefined): void {
  if (provenKey === undefined) return;
  if (leaf.publicKey.export({ format: 'der', type: 'spki' }).equals(provenKey)) return;
  throw refused('ERR_TUNNEL_CERT_KEY', 'the certificate is not for the key that the connection proved');
}

/** Chains have length one: the Hawser authority signs every certificate itself. */
function checkIssuer(leaf: X509Certificate, authorities: readonly X509Certificate[]): void {
  for (const authority of authorities) {
    if (!authority.ca || !leaf.checkIssued(authority)) continue;
    if (leaf.verify(authority.publicKey)) return;
  }
  const issuer = leaf.issuer.replaceAll('\n', ', ');
  throw refused(
    'ERR_TUNNEL_CERT_UNTRUSTED',
    `no trusted authority has signed it; it names as issuer: ${issuer}`,
  );
}

function checkUsage(leaf: X509Certificate, role: PeerRole): void {
  // `keyUsage` is Node's name for the extended key usage; it is absent where the certificate has none.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  if (!leaf.ca && usages?.includes(USAGE[role]) === true) return;
  const wanted = role === 'edge' ? 'client' : 'server';
  throw refused('ERR_TUNNEL_CERT_USAGE', `the certificate may not be used for ${wanted} authentication`);
}

function checkHost(leaf: X509Certificate, host: string | undefined): void {
  if (host === undefined) return;
  // The subject is not looked at: names stand in the subject alternative names (RFC 9525).
  const matches = isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host);
  if (matches !== undefined) return;
  const names = leaf.subjectAltName ?? 'none';
  throw refused('ERR_TUNNEL_CERT_NAME', `the certificate is not for ${host}; it has: ${names}`);
}

/** A hub's certificate says that it is one: server usage alone is what nodes have too, for their peers. */
function checkOrganization({ role, organization }: PeerIdentity): void {
  if (role !== 'hub' || organization === HUB_ORGANIZATION) return;
  const shown = organization === '' ? 'none' : organization;
  const message = `the certificate is not a hub's: its organization is ${shown}, and not ${HUB_ORGANIZATION}`;
  throw refused('ERR_TUNNEL_CERT_USAGE', message);
}

/** Whoever talks to a node wants that one and no other; a hub is none. */
function checkNode({ role, nodeName, commonName }: PeerIdentity, wanted: string | true | undefined): void {
  if (wanted === undefined && role !== 'peer') return;
  if (nodeName === undefined)
    throw refused('ERR_TUNNEL_CERT_USAGE', `the certificate is not a node's, but that of ${commonName}`);
  if (typeof wanted === 'string' && wanted !== nodeName)
    throw refused(
      'ERR_TUNNEL_CERT_NAME',
      `the certificate is that of the node ${nodeName}, not of ${wanted}`,
    );
}

function checkDates(leaf: X509Certificate, identity: PeerIdentity, nowMs: number): void {
  const notBeforeMs = Date.parse(leaf.validFrom);
  if (Number.isNaN(notBeforeMs) || Number.isNaN(identity.notAfterMs)) {
    throw refused('ERR_TUNNEL_CERT_MALFORMED', 'unreadable dates in the certificate');
  }
  if (nowMs < notBeforeMs) {
    const message = `the certificate of ${identity.commonName} is valid from ${leaf.validFrom}`;
    throw refused('ERR_TUNNEL_CERT_NOT_YET_VALID', message);
  }
  if (nowMs >= identity.notAfterMs) {
    const message = `the certificate of ${identity.commonName} expired at ${leaf.validTo}`;
    throw refused('ERR_TUNNEL_CERT_EXPIRED', message);
  }
}

function refused(code: TunnelErrorCode, message: string, cause?: unknown): TunnelError {
  return new TunnelError(code, message, { certificate: 'peer', ...(cause !== undefined && { cause }) });
}
