import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { contextTag, der, DER_TAG, distinguishedName, pem, SIGNATURES } from '../identity/der.ts';

/** Object identifiers of extensions and usages. Source: RFC 5280, section 4.2. */
const OID = {
  subjectKeyIdentifier: [0x55, 0x1d, 0x0e],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  authorityKeyIdentifier: [0x55, 0x1d, 0x23],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
} as const;

/** Clocks at the edge lie in both directions; whoever trusts it trusts it until the node makes another one. */
const VALIDITY = { from: '200101000000Z', to: '21200101000000Z' } as const;
const SERIAL_BYTES = 16;

/**
 * A certificate for a TLS server that signs nothing but itself: whoever trusts it trusts this one key. PEM. Valid from
 * 2020 to 2120. Written here and not by a library for the reason that `createCsr` gives.
 * Source: RFC 5280, section 4.1.
 * @param key P-256: what every TLS library takes
 * @param names DNS names and IP addresses under which clients reach the server
 */
export function selfSignedCertificate(
  key: KeyObject,
  subject: { readonly organization: string; readonly commonName: string },
  names: readonly string[],
): string {
  const { oid, hash } = SIGNATURES.p256;
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const name = distinguishedName(subject.organization, subject.commonName);
  const algorithm = der(DER_TAG.sequence, der(DER_TAG.oid, oid));
  const body = der(
    DER_TAG.sequence,
    der(contextTag(0, true), der(DER_TAG.integer, [2])), // version 3
    der(DER_TAG.integer, serialNumber()),
    algorithm,
    name,
    der(
      DER_TAG.sequence,
      der(DER_TAG.utcTime, Buffer.from(VALIDITY.from)),
      der(DER_TAG.generalizedTime, Buffer.from(VALIDITY.to)),
    ),
    name,
    spki,
    der(contextTag(3, true), der(DER_TAG.sequence, ...extensions(spki, names))),
  );
  const signature = der(DER_TAG.bitString, [0], sign(hash, body, key));
  return pem('CERTIFICATE', der(DER_TAG.sequence, body, algorithm, signature));
}

/** Positive, and without a leading zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function extensions(spki: Buffer, names: readonly string[]): Buffer[] {
  // Any value that is the key's own is good here: RFC 5280, section 4.2.1.2.
  const keyIdentifier = createHash('sha256').update(spki).digest().subarray(0, 20);
  return [
    extension(OID.basicConstraints, der(DER_TAG.sequence), true), // no authority
    extension(OID.keyUsage, der(DER_TAG.bitString, [7, 0x80]), true), // digitalSignature
    extension(OID.extendedKeyUsage, der(DER_TAG.sequence, der(DER_TAG.oid, OID.serverAuth))),
    extension(OID.subjectAltName, der(DER_TAG.sequence, ...names.map(generalName))),
    extension(OID.subjectKeyIdentifier, der(DER_TAG.octetString, keyIdentifier)),
    extension(OID.authorityKeyIdentifier, der(DER_TAG.sequence, der(contextTag(0, false), keyIdentifier))),
  ];
}

function extension(oid: readonly number[], value: Buffer, isCritical = false): Buffer {
  return der(
    DER_TAG.sequence,
    der(DER_TAG.oid, oid),
    ...(isCritical ? [der(DER_TAG.boolean, [0xff])] : []),
    der(DER_TAG.octetString, value),
  );
}

/** Source: RFC 5280, section 4.2.1.6. */
function generalName(name: string): Buffer {
  return isIP(name) === 0
    ? der(contextTag(2, false), Buffer.from(name, 'latin1'))
    : der(contextTag(7, false), addressBytes(name));
}

/** The four or sixteen bytes of an address. */
function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const middle = tail === undefined ? [] : new Array<number>(8 - left.length - right.length).fill(0);
  return Uint8Array.from([...left, ...middle, ...right].flatMap((word) => [word >>> 8, word & 0xff]));
}

function words(text: string): number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
}
