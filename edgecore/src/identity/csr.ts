import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import { contextTag, der, DER_TAG, distinguishedName, pem, SIGNATURES } from './der.ts';
import { nodeKeyType } from './node-key.ts';

/**
 * A certificate signing request of a node: subject `O=system:nodes, CN=system:node:<node>`, no attributes. PEM.
 * Written here and not by a library: it is always these nine values, and what makes any request takes 15 MB of memory
 * and 200 ms to load, at the edge and at a join. Source: PKCS#10, RFC 2986.
 * @throws what `node:crypto` throws for a key that signs nothing
 */
export function createCsr(privateKey: KeyObject, node: string): string {
  const { oid, hash } = SIGNATURES[nodeKeyType(privateKey) ?? 'ed25519'];
  const info = der(
    DER_TAG.sequence,
    der(DER_TAG.integer, [0]), // version 1
    distinguishedName('system:nodes', `system:node:${node}`),
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    der(contextTag(0, true)), // attributes: none
  );
  const request = der(
    DER_TAG.sequence,
    info,
    der(DER_TAG.sequence, der(DER_TAG.oid, oid)),
    der(DER_TAG.bitString, [0], sign(hash, info, privateKey)),
  );
  return pem('CERTIFICATE REQUEST', request);
}
