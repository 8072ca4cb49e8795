import { createHash, sign, verify, type KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** Label of the exporter. Source: RFC 8446, section 7.5; labels of one's own begin with EXPORTER (RFC 5705). */
const EXPORTER_LABEL = 'EXPORTER-hawser-tunnel-v1-edge';
const EXPORTER_BYTES = 32;
/** Before the statement, as in RFC 8446, section 4.4.3: no signature of another protocol can be taken for this one. */
const PREFIX = Buffer.concat([
  Buffer.alloc(64, 0x20),
  Buffer.from('Hawser tunnel v1, an edge on webtransport', 'ascii'),
  Buffer.of(0),
]);

/** The two certificates of a connection, DER. */
export interface Certificates {
  /** What the hub showed in TLS. */
  readonly hub: Uint8Array;
  /** What the edge says hello with. */
  readonly edge: Uint8Array;
}

/** What of a TLS connection the statement needs. */
export type Exporter = Pick<TLSSocket, 'exportKeyingMaterial'>;

/**
 * What an edge signs: keying material that only the two ends of this very TLS connection know, and who they are. Whoever
 * stands in between has two connections with different material, and a statement for one says nothing on the other.
 */
export function statementOf(tls: Exporter, { hub, edge }: Certificates): Buffer {
  const material = tls.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
  return Buffer.concat([PREFIX, material, sha256(hub), sha256(edge)]);
}

/** Signs a statement: Ed25519, or ECDSA over P-256 with SHA-256 (DER). */
export function signStatement(statement: Buffer, key: KeyObject): Buffer {
  return sign(digestOf(key), statement, key);
}

/** Whether the owner of this key has signed the statement. */
export function isSignedBy(key: KeyObject, statement: Buffer, signature: Uint8Array): boolean {
  return verify(digestOf(key), statement, key, signature);
}

/** Ed25519 hashes by itself. */
function digestOf(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ec' ? 'sha256' : null;
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
