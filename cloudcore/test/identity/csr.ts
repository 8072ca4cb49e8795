import { KeyObject, webcrypto } from 'node:crypto';
import { x509 } from '../../src/identity/x509.ts';

const ALGORITHMS = {
  ed25519: { name: 'Ed25519' },
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  p384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
} as const;

/** What a test wants of a request; the defaults make one that is in order. */
export interface CsrWish {
  readonly keyType?: keyof typeof ALGORITHMS;
  readonly subject?: x509.JsonName;
  readonly extensions?: x509.Extension[];
  readonly keys?: webcrypto.CryptoKeyPair;
}

/** A request and its keys. */
export interface TestCsr {
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly privateKey: KeyObject;
}

/** Makes a request for a node, also such as nobody should sign. */
export async function makeCsr(node = 'edge-1', wish: CsrWish = {}): Promise<TestCsr> {
  const algorithm = ALGORITHMS[wish.keyType ?? 'ed25519'];
  const keys =
    wish.keys ??
    ((await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: wish.subject ?? [{ O: ['system:nodes'] }, { CN: [`system:node:${node}`] }],
    keys,
    signingAlgorithm: algorithm,
    ...(wish.extensions !== undefined && { extensions: wish.extensions }),
  });
  return { pem: request.toString('pem'), keys, privateKey: KeyObject.from(keys.privateKey) };
}
