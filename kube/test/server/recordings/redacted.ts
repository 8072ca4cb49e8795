import 'reflect-metadata'; // @peculiar/x509 wants it loaded first
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import type { Replayer } from './replayer.ts';

/** A signing request for a node's client certificate, as a CSR object carries it. */
async function signingRequest(commonName: string): Promise<string> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  cryptoProvider.set(crypto);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `O=system:nodes, CN=${commonName}`,
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  });
  return Buffer.from(request.toString('pem')).toString('base64');
}

/** Makes what the recorder took out of requests. */
export async function prepareRedacted(replayer: Replayer): Promise<void> {
  const own = await signingRequest('system:node:fx-edge1');
  for (const name of ['csr-create-bootstrap', 'csr-create', 'csr-approve']) replayer.bearers.set(name, own);
  replayer.bearers.set('csr-create-other-cn', await signingRequest('system:node:fx-edge2'));
}
