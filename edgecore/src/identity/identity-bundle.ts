import { X509Certificate, type KeyObject } from 'node:crypto';
import { readIdentity, type Credentials } from '@hawser/proto';
import { EdgeCoreError } from '../errors.ts';
import { privateKeyPem, readPrivateKey } from './node-key.ts';

const KEY_BLOCK = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/;
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What a hub issues, PEM. */
export interface Issued {
  readonly certificate: string;
  /** One or more. */
  readonly authorities: string;
}

/** The name of the node that a certificate is for. @throws EdgeCoreError `ERR_EDGECORE_IDENTITY` */
export function nodeOf({ certificate }: Credentials): string {
  const { nodeName, commonName } = readIdentity(certificate, 'edge');
  if (nodeName !== undefined) return nodeName;
  throw new EdgeCoreError('ERR_EDGECORE_IDENTITY', `the certificate of ${commonName} is not a node's`);
}

/** One text with all that a node's identity is: private key, certificate, authorities, in this order. */
export function formatBundle({ privateKey, certificate, authorities }: Credentials): string {
  return [privateKeyPem(privateKey), ...[certificate, ...authorities].map((each) => each.toString())].join(
    '',
  );
}

/**
 * Reads what {@link formatBundle} wrote. The dates are not looked at: what to do about them depends on who asks.
 * @param about the file, for messages
 * @throws EdgeCoreError `ERR_EDGECORE_IDENTITY`: something is missing or unreadable, the key is not that of the
 *   certificate, none of the authorities has signed it, it is not a node's
 */
export function parseBundle(text: string, about: string): Credentials {
  const key = KEY_BLOCK.exec(text)?.[0];
  if (key === undefined) throw unusable(about, 'it has no private key');
  const [certificate, ...authorities] = readCertificates(text, about);
  if (certificate === undefined) throw unusable(about, 'it has no certificate');
  return checked({ privateKey: readPrivateKey(key, about), certificate, authorities }, about);
}

/**
 * Makes credentials of what a hub has issued for a key.
 * @param expected the node it has to be for, and authorities of which one has to be among those that come with it
 * @throws EdgeCoreError `ERR_EDGECORE_HUB_ANSWER`
 */
export function credentialsFromIssued(
  issued: Issued,
  privateKey: KeyObject,
  expected: { node: string; authorities: readonly X509Certificate[] },
): Credentials {
  const about = 'the answer of the hub';
  try {
    const [certificate, ...more] = readCertificates(issued.certificate, about);
    if (certificate === undefined || more.length > 0) throw unusable(about, 'it is not one certificate');
    const authorities = readCertificates(issued.authorities, about);
    const credentials = checked({ privateKey, certificate, authorities }, about);
    if (nodeOf(credentials) !== expected.node) {
      throw unusable(about, `it is for the node ${nodeOf(credentials)}, and not for ${expected.node}`);
    }
    const isKnown = (authority: X509Certificate): boolean =>
      expected.authorities.some(({ raw }) => raw.equals(authority.raw));
    if (!authorities.some(isKnown)) throw unusable(about, 'none of its authorities was known before');
    return credentials;
  } catch (cause) {
    if (!(cause instanceof EdgeCoreError)) throw cause;
    throw new EdgeCoreError('ERR_EDGECORE_HUB_ANSWER', cause.message, { cause });
  }
}

function checked(credentials: Credentials, about: string): Credentials {
  const { privateKey, certificate, authorities } = credentials;
  if (!certificate.checkPrivateKey(privateKey))
    throw unusable(about, 'its key is not that of its certificate');
  const isSigned = authorities.some(
    (authority) =>
      authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
  if (!isSigned) throw unusable(about, 'its certificate is not signed by any of its authorities');
  nodeOf(credentials);
  return credentials;
}

function readCertificates(text: string, about: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE_BLOCK) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw unusable(about, `a certificate in it cannot be read: ${(cause as Error).message}`, cause);
  }
}

function unusable(about: string, why: string, cause?: unknown): EdgeCoreError {
  const options = cause === undefined ? {} : { cause };
  return new EdgeCoreError('ERR_EDGECORE_IDENTITY', `${about} cannot be used: ${why}`, { about, ...options });
}
