import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import { nodeKeyType } from './node-key.ts';

/** Tags of DER. Source: ITU-T X.690, section 8. */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  /** `[0]`, constructed. */
  attributes: 0xa0,
} as const;

/** Attribute types of names. Source: RFC 5280, appendix A.1. */
const ORGANIZATION = [0x55, 0x04, 0x0a];
const COMMON_NAME = [0x55, 0x04, 0x03];

/** How each kind of key signs. Source: RFC 8410, section 3; RFC 5758, section 3.2. */
const SIGNATURES = {
  ed25519: { oid: [0x2b, 0x65, 0x70], hash: null },
  p256: { oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], hash: 'sha256' },
} as const;

const LINE = /.{1,64}/g;

/**
 * A certificate signing request of a node: subject `O=system:nodes, CN=system:node:<node>`, no attributes. PEM.
 * Written here and not by a library: it is always these nine values, and what makes any request takes 15 MB of memory
 * and 200 ms to load, at the edge and at a join. Source: PKCS#10, RFC 2986.
 * @throws what `node:crypto` throws for a key that signs nothing
 */
export function createCsr(privateKey: KeyObject, node: string): string {
  const { oid, hash } = SIGNATURES[nodeKeyType(privateKey) ?? 'ed25519'];
  const info = der(
    TAG.sequence,
    der(TAG.integer, [0]), // version 1
    der(TAG.sequence, rdn(ORGANIZATION, 'system:nodes'), rdn(COMMON_NAME, `system:node:${node}`)),
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    der(TAG.attributes),
  );
  const request = der(
    TAG.sequence,
    info,
    der(TAG.sequence, der(TAG.oid, oid)),
    der(TAG.bitString, [0], sign(hash, info, privateKey)),
  );
  const lines = request.toString('base64').match(LINE) ?? [];
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----\n'].join('\n');
}

/** A relative distinguished name of one attribute. */
function rdn(type: readonly number[], value: string): Buffer {
  return der(TAG.set, der(TAG.sequence, der(TAG.oid, type), der(TAG.utf8String, Buffer.from(value, 'utf8'))));
}

/** One value: tag, length, content. */
function der(tag: number, ...content: readonly (readonly number[] | Uint8Array)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Uint8Array.from(part)));
  return Buffer.concat([Uint8Array.from([tag, ...lengthOf(bytes.length)]), bytes]);
}

/** The length in as few bytes as it can be. Source: X.690, section 10.1. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return [0x80 | digits.length, ...digits];
}
