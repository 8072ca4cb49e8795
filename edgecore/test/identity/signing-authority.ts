import 'reflect-metadata';
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Issued } from '../../src/identity/identity-bundle.ts';

x509.cryptoProvider.set(webcrypto);

const ED25519 = { name: 'Ed25519' } as const;
export const DAY_MS = 86_400_000;

/** An authority for tests that signs any request, for whatever time is wished. */
export class SigningAuthority {
  readonly certificate: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.certificate = certificate;
    this.#keys = keys;
  }

  static async create(): Promise<SigningAuthority> {
    const keys = (await webcrypto.subtle.generateKey(ED25519, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: `01${randomBytes(15).toString('hex')}`,
      name: `CN=test-authority-${randomBytes(4).toString('hex')}`,
      keys,
      notBefore: new Date(Date.UTC(2025, 0, 1)),
      notAfter: new Date(Date.UTC(2045, 0, 1)),
      signingAlgorithm: ED25519,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    return new SigningAuthority(new X509Certificate(Buffer.from(certificate.rawData)), keys);
  }

  /** Signs a request as it is. Default: valid for a year from now. */
  async sign(
    csr: string,
    wish: { subject?: string; notBefore?: Date; notAfter?: Date } = {},
  ): Promise<Issued> {
    const request = new x509.Pkcs10CertificateRequest(csr);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: `01${randomBytes(15).toString('hex')}`,
      subject: wish.subject ?? request.subject,
      issuer: this.certificate.subject.replaceAll('\n', ', '),
      publicKey: request.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ED25519,
      notBefore: wish.notBefore ?? new Date(Date.now() - 3600_000),
      notAfter: wish.notAfter ?? new Date(Date.now() + 365 * DAY_MS),
      extensions: [
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.clientAuth,
          x509.ExtendedKeyUsage.serverAuth,
        ]),
      ],
    });
    return {
      certificate: new X509Certificate(Buffer.from(certificate.rawData)).toString(),
      authorities: this.certificate.toString(),
    };
  }
}
