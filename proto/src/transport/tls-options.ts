import { constants } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import type { Credentials } from '../identity/credentials.ts';

/**
 * TLS settings from credentials. The stack does key exchange and proof of possession; who the peer is, our own
 * code decides (identity-verifier.ts), hence no `ca` here.
 */
export function secureContextOptions(credentials: Credentials): {
  key: string;
  cert: string;
  ca: string[];
  minVersion: 'TLSv1.3';
  secureOptions: number;
} {
  return {
    key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: credentials.certificate.toString(),
    // None, and not the default either: to read the authorities of the web takes 30 ms and 1.3 MB.
    ca: [],
    minVersion: 'TLSv1.3',
    // Stateless tickets carry the client's certificate and cost about 1.2 KB per connect; nobody resumes here.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

let anonymous: SecureContext | undefined;

/** The context for a client that shows no certificate. */
export function anonymousContext(): SecureContext {
  anonymous ??= createSecureContext({
    ca: [],
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  return anonymous;
}

const contexts = new WeakMap<Credentials, SecureContext>();

/** The context for these credentials, made once and shared by all connections. */
export function secureContextFor(credentials: Credentials): SecureContext {
  let context = contexts.get(credentials);
  if (context === undefined) {
    context = createSecureContext(secureContextOptions(credentials));
    contexts.set(credentials, context);
  }
  return context;
}

/** DER of the certificate that the peer showed and proved to own, if any. */
export function peerCertificate(socket: TLSSocket): Uint8Array | undefined {
  // The types promise a certificate; without one Node answers undefined.
  const certificate = socket.getPeerX509Certificate();
  return certificate?.raw;
}

/**
 * DER of the certificate that the client of a plain HTTPS request showed and proved to own, if any. It is not
 * verified: see `verifyPeer`.
 */
export function requestCertificate(request: IncomingMessage): Uint8Array | undefined {
  return request.socket instanceof TLSSocket ? peerCertificate(request.socket) : undefined;
}
