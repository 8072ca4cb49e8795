import { createHash, type X509Certificate } from 'node:crypto';
import { EdgeCoreError } from '../errors.ts';

const TOKEN = /^([0-9a-f]{64})\.([A-Za-z0-9_-]{22,128})$/;

/** The pin in a join token: SHA-256 of the authority's DER, lower-case hex. @throws EdgeCoreError `ERR_EDGECORE_TOKEN` */
export function tokenPin(token: string): string {
  const pin = TOKEN.exec(token)?.[1];
  if (pin !== undefined) return pin;
  const message = 'this is no join token: 64 hexadecimal digits, a point and a secret are expected';
  throw new EdgeCoreError('ERR_EDGECORE_TOKEN', message); // without the text: it may be a secret, mistyped
}

/** Whether a certificate is the one that a pin names. */
export function matchesPin(certificate: X509Certificate, pin: string): boolean {
  return createHash('sha256').update(certificate.raw).digest('hex') === pin;
}
