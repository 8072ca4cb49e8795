import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';

/** Who this side is, and whom it believes. */
export interface Credentials {
  /** Ed25519 (needed for quic) or ECDSA P-256 (ws, webtransport). */
  readonly privateKey: KeyObject;
  /** This side's certificate, signed by one of the authorities. */
  readonly certificate: X509Certificate;
  /** The Hawser authorities that a peer's certificate may come from; more than one during a rotation. */
  readonly authorities: readonly X509Certificate[];
}

/** Reads credentials from PEM texts. `authorities` may hold several certificates. Throws what `node:crypto` throws. */
export function credentialsFromPem(pem: {
  privateKey: string;
  certificate: string;
  authorities: string;
}): Credentials {
  return {
    privateKey: createPrivateKey(pem.privateKey),
    certificate: new X509Certificate(pem.certificate),
    authorities: splitPem(pem.authorities).map((text) => new X509Certificate(text)),
  };
}

function splitPem(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
