import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { CloudCoreError } from '../errors.ts';
import { nodeCommonName, NODES_ORGANIZATION } from './node-name.ts';
import { x509 } from './x509.ts';

/** A request of this kind has less than 500 bytes. */
const MAX_PEM_CHARACTERS = 8192;

/** What a node asks a certificate for, once it was found to be in order. */
export interface NodeCsr {
  readonly publicKey: KeyObject;
  /** The same, SubjectPublicKeyInfo DER. */
  readonly spki: Uint8Array;
  /** SHA-256 of {@link spki}, lower-case hex: tells keys apart. */
  readonly keyHash: string;
}

/**
 * Reads a certificate signing request and checks that it asks for what this node may have and nothing else: it is one
 * PEM block; its key is Ed25519 or P-256; it is signed by that key; its subject is exactly
 * `O=system:nodes, CN=system:node:<node>`; it carries no attributes, so no extensions and no alternative names.
 * Source: PKCS#10, RFC 2986.
 *
 * @param pem untrusted
 * @throws CloudCoreError `ERR_CLOUDCORE_CSR`
 */
export async function readNodeCsr(pem: string, node: string): Promise<NodeCsr> {
  const request = parse(pem);
  const spki = new Uint8Array(request.publicKey.rawData);
  const publicKey = readKey(spki);
  if (!(await verifies(request))) throw refused('its signature does not hold');
  const expected = [{ O: [NODES_ORGANIZATION] }, { CN: [nodeCommonName(node)] }];
  if (JSON.stringify(request.subjectName.toJSON()) !== JSON.stringify(expected)) {
    const wanted = `O=${NODES_ORGANIZATION}, CN=${nodeCommonName(node)}`;
    throw refused(`its subject is ${JSON.stringify(request.subject.slice(0, 300))}, and not ${wanted}`);
  }
  if (request.attributes.length > 0) throw refused('it asks for extensions or other attributes, and may not');
  return { publicKey, spki, keyHash: createHash('sha256').update(spki).digest('hex') };
}

function parse(pem: string): x509.Pkcs10CertificateRequest {
  const blocks = pem.match(/-----BEGIN [A-Z ]+-----/g) ?? [];
  if (pem.length > MAX_PEM_CHARACTERS || blocks.length !== 1 || !blocks[0].includes('CERTIFICATE REQUEST')) {
    throw refused(`it is not one PEM block of at most ${MAX_PEM_CHARACTERS} characters`);
  }
  try {
    return new x509.Pkcs10CertificateRequest(pem);
  } catch (cause) {
    throw refused(`it cannot be read: ${(cause as Error).message}`, cause);
  }
}

function readKey(spki: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw refused(`its key cannot be read: ${(cause as Error).message}`, cause);
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return key;
  throw refused(
    `its key is of type ${details?.namedCurve ?? type ?? 'unknown'}: Ed25519 or P-256 is accepted`,
  );
}

async function verifies(request: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    return false; // an algorithm that does not fit the key, or is not known: it proves nothing
  }
}

function refused(why: string, cause?: unknown): CloudCoreError {
  const options = cause === undefined ? {} : { cause };
  return new CloudCoreError(
    'ERR_CLOUDCORE_CSR',
    `the certificate signing request is refused: ${why}`,
    options,
  );
}
