import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  webcrypto,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { CloudCoreError } from '../errors.ts';
import { x509 } from './x509.ts';

const DAY_MS = 86_400_000;
/** How long an authority lives. */
const AUTHORITY_DAYS = 3650;
/** Clocks of edges may be behind that of the hub. */
const BACKDATE_MS = DAY_MS;
const DERIVED_BYTES = 32;

/** Algorithms of Web Crypto, by Node's names of key types. */
const ALGORITHMS = {
  ed25519: { name: 'Ed25519' },
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
} as const;

/** The Hawser authority of a cluster: signs the certificates of its hubs and nodes. Its key never leaves the cloud. */
export interface Authority {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  /** Whom nodes believe: this one first, and others while one authority takes the place of another. */
  readonly trusted: readonly X509Certificate[];
  /** SHA-256 of the certificate's DER, lower-case hex: the first part of join tokens. */
  readonly pin: string;
  /** The private key and algorithm for `@peculiar/x509`. */
  readonly signing: { readonly key: webcrypto.CryptoKey; readonly algorithm: Algorithm | EcdsaParams };
}

interface Algorithm {
  readonly name: string;
}
type EcdsaParams = Algorithm & { readonly hash: string };

/** What an authority is kept as, PEM. */
export interface AuthorityPem {
  readonly certificate: string;
  /** PKCS#8. */
  readonly privateKey: string;
  /** Further authorities that are trusted, any number of certificates. */
  readonly trusted?: string;
}

/**
 * Makes an authority: Ed25519 (which leaves of QUIC need, and every TLS 1.3 stack here speaks), self-signed, ten years,
 * `CA:true, pathlen:0`, a random serial number.
 * @param nowMs wall time, milliseconds since the epoch
 */
export async function createAuthority(nowMs: number): Promise<AuthorityPem> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keys = {
    privateKey: await importPrivate(privateKey),
    publicKey: await webcrypto.subtle.importKey(
      'spki',
      publicKey.export({ format: 'der', type: 'spki' }),
      ALGORITHMS.ed25519,
      true,
      ['verify'],
    ),
  };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // The random part tells authorities apart that follow one another: issuers are found by name.
    name: [{ O: ['hawser'] }, { CN: [`hawser-authority-${randomBytes(4).toString('hex')}`] }],
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    keys,
    signingAlgorithm: ALGORITHMS.ed25519,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

/**
 * Reads an authority and checks it: both parts readable, a kind of key that is accepted (Ed25519, P-256), the key that
 * of the certificate, self-signed, allowed to sign certificates, its time.
 * @param nowMs wall time, milliseconds since the epoch
 * @throws CloudCoreError `ERR_CLOUDCORE_AUTHORITY`, `ERR_CLOUDCORE_AUTHORITY_DATES`
 */
export async function readAuthority(pem: AuthorityPem, nowMs: number): Promise<Authority> {
  const certificate = readPart('certificate', () => new X509Certificate(pem.certificate));
  const privateKey = readPart('private key', () => createPrivateKey(pem.privateKey));
  if (algorithmOf(privateKey) === undefined) {
    throw unusable(
      `its key is of type ${privateKey.asymmetricKeyType ?? 'unknown'}: Ed25519 or P-256 is needed`,
    );
  }
  if (!certificate.checkPrivateKey(privateKey)) throw unusable('the key is not that of the certificate');
  if (!certificate.ca) throw unusable('the certificate may not sign others (CA:true is missing)');
  if (!certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey)) {
    throw unusable('the certificate is not signed by itself');
  }
  checkDates(certificate, nowMs);
  const further = readPart('list of trusted authorities', () =>
    splitCertificates(pem.trusted ?? '').map((text) => new X509Certificate(text)),
  );
  return {
    certificate,
    privateKey,
    trusted: [certificate, ...further.filter(({ raw }) => !raw.equals(certificate.raw))],
    pin: pinOf(certificate),
    signing: {
      key: await importPrivate(privateKey),
      algorithm: algorithmOf(privateKey) ?? ALGORITHMS.ed25519,
    },
  };
}

/** SHA-256 of a certificate's DER, lower-case hex: what a join token begins with. */
export function pinOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** The trusted authorities as one PEM text. */
export function authoritiesPem(authority: Authority): string {
  return authority.trusted.map((certificate) => certificate.toString()).join('');
}

/**
 * 32 bytes that only holders of the authority's key can know, for the stamps of delta sync.
 * Source: HKDF, RFC 5869, over the private value of the key.
 */
export function deriveStampKey(authority: Authority): Uint8Array {
  return derive(authority, 'hawser stamp v1');
}

/** The seed of the key that states of pools are signed with, 32 bytes, derived in the same way. */
export function derivePoolStateSeed(authority: Authority): Uint8Array {
  return derive(authority, 'hawser pool state v1');
}

function derive(authority: Authority, purpose: string): Uint8Array {
  const { d = '' } = authority.privateKey.export({ format: 'jwk' });
  const secret = Buffer.from(d, 'base64url');
  return new Uint8Array(hkdfSync('sha256', secret, Buffer.alloc(0), purpose, DERIVED_BYTES));
}

/** 128 random bits below a first byte that keeps it positive. Source: RFC 5280, 4.1.2.2: at most 20 octets. */
export function serialNumber(): string {
  return `01${randomBytes(16).toString('hex')}`;
}

/** The certificates in a PEM text, one text each. */
export function splitCertificates(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function algorithmOf(key: KeyObject): (typeof ALGORITHMS)[keyof typeof ALGORITHMS] | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return ALGORITHMS.ed25519;
  return type === 'ec' && details?.namedCurve === 'prime256v1' ? ALGORITHMS.ec : undefined;
}

async function importPrivate(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ format: 'der', type: 'pkcs8' });
  return await webcrypto.subtle.importKey('pkcs8', der, algorithmOf(key) ?? ALGORITHMS.ed25519, false, [
    'sign',
  ]);
}

function readPart<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw unusable(`the ${what} cannot be read: ${(cause as Error).message}`, cause);
  }
}

function checkDates({ validFrom, validTo }: X509Certificate, nowMs: number): void {
  if (nowMs >= Date.parse(validFrom) && nowMs < Date.parse(validTo)) return;
  const message = `the authority is valid from ${validFrom} to ${validTo}, and it is ${new Date(nowMs).toISOString()}`;
  throw new CloudCoreError('ERR_CLOUDCORE_AUTHORITY_DATES', message);
}

function unusable(why: string, cause?: unknown): CloudCoreError {
  const options = cause === undefined ? {} : { cause };
  return new CloudCoreError('ERR_CLOUDCORE_AUTHORITY', `the authority cannot be used: ${why}`, options);
}
