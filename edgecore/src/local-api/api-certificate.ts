import { generateKeyPair, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import type { Logger } from '@hawser/seams';
import { privateKeyPem, readPrivateKey } from '../identity/node-key.ts';
import type { PkiFolder } from '../identity/pki-folder.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';

/** Key and certificate of the local API, PEM. */
export interface ApiCertificate {
  readonly key: string;
  readonly cert: string;
}

/** The file in the folder of the node's identity: key, then certificate. */
export const API_CERTIFICATE_FILE = 'local-api.pem';
const ORGANIZATION = 'hawser:local-api';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/;
const KEY = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/;

const generate = promisify(generateKeyPair);

/**
 * Names and addresses under which clients reach the local API of a node: loopback, the link-local address where there is
 * one, and what programs in pods call the API server.
 */
export function apiNames(node: string, address: string, clusterDomain: string): readonly string[] {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  return [
    ...['127.0.0.1', '::1', ...(address === '' ? [] : [address]), 'localhost'],
    ...[...service, ...(clusterDomain === '' ? [] : [`kubernetes.default.svc.${clusterDomain}`]), node],
  ];
}

/**
 * Reads key and certificate of the local API, or makes them: where there are none, where they cannot be used, and where
 * they are for other names. What was made is on the disk when this resolves.
 * @throws EdgeCoreError `ERR_EDGECORE_PKI_DIR`
 */
export async function apiCertificate(
  folder: PkiFolder,
  node: string,
  names: readonly string[],
  log: Logger,
): Promise<ApiCertificate> {
  const text = await folder.read(API_CERTIFICATE_FILE);
  if (text !== undefined) {
    const problem = problemOf(text, names);
    if (problem === undefined) return parts(text);
    log.warn({ file: API_CERTIFICATE_FILE }, `${problem}: another certificate of the local API is made`);
  }
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
  const key = privateKeyPem(privateKey);
  const cert = selfSignedCertificate(privateKey, { organization: ORGANIZATION, commonName: node }, names);
  await folder.write(API_CERTIFICATE_FILE, key + cert);
  return { key, cert };
}

/** Why what the file has is not to be used; undefined: it is good. */
function problemOf(text: string, names: readonly string[]): string | undefined {
  try {
    const { key, cert } = parts(text);
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(readPrivateKey(key, API_CERTIFICATE_FILE)))
      return 'the key is not that of the certificate';
    if (!certificate.verify(certificate.publicKey)) return 'the certificate is damaged';
    const lacking = names.find(
      (name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) === undefined,
    );
    return lacking === undefined ? undefined : `the certificate is not for ${lacking}`;
  } catch (error) {
    return `it cannot be read (${(error as Error).message})`;
  }
}

function parts(text: string): ApiCertificate {
  return { key: KEY.exec(text)?.[0] ?? '', cert: CERTIFICATE.exec(text)?.[0] ?? '' };
}
