import { createPublicKey, webcrypto, type KeyObject } from 'node:crypto';
import { nodeKeyType } from './node-key.ts';

const ALGORITHMS = {
  ed25519: { name: 'Ed25519' },
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
} as const;

/**
 * A certificate signing request of a node: subject `O=system:nodes, CN=system:node:<node>`, nothing else. PEM.
 * What makes it is loaded at the first call and takes 15 MB; see `csrInProcess` for a process that lives on.
 * Source: PKCS#10, RFC 2986.
 */
export async function createCsr(privateKey: KeyObject, node: string): Promise<string> {
  await import('reflect-metadata'); // @peculiar/x509 wants it loaded first
  const x509 = await import('@peculiar/x509');
  // The declared type of the provider is the browser's, of which Node's has all that is used.
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const algorithm = ALGORITHMS[nodeKeyType(privateKey) ?? 'ed25519'];
  const { subtle } = webcrypto;
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: [`system:node:${node}`] }],
    keys: {
      privateKey: await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
      publicKey: await subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
  });
  return request.toString('pem');
}
