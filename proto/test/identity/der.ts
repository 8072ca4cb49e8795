import { sign, type KeyObject } from 'node:crypto';

/** SignatureAlgorithm Ed25519. Source: RFC 8410. */
const ED25519 = Buffer.from('300506032b6570', 'hex');

function tlv(tag: number, value: Uint8Array): Buffer {
  const length =
    value.length < 0x80 ? Buffer.of(value.length) : Buffer.of(0x82, value.length >> 8, value.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, value]);
}

/** Length of the element at `at`, its head included. */
function elementLength(der: Uint8Array, at: number): number {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + (der[at + 2 + i] ?? 0);
  return 2 + count + length;
}

/** The part of a certificate that is signed. */
export function signedPart(certificate: Uint8Array): Buffer {
  const body = certificate[1] === 0x82 ? 4 : 3;
  return Buffer.from(certificate.subarray(body, body + elementLength(certificate, body)));
}

/** A certificate of any signed part, well-formed or not, with a signature that holds. */
export function signPart(part: Uint8Array, issuer: KeyObject): Buffer {
  const signature = sign(null, part, issuer);
  return tlv(0x30, Buffer.concat([part, ED25519, tlv(0x03, Buffer.concat([Buffer.of(0), signature]))]));
}

/** `der` with every occurrence of one text replaced by another of the same length. @throws Error if there is none */
export function withText(der: Uint8Array, from: string, to: string): Buffer {
  const text = Buffer.from(der).toString('latin1');
  if (from.length !== to.length || !text.includes(from)) throw new Error(`cannot replace ${from} by ${to}`);
  return Buffer.from(text.replaceAll(from, to), 'latin1');
}
