import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Credentials } from '../src/identity/credentials.ts';

x509.cryptoProvider.set(webcrypto);

const DAY_MS = 24 * 3600 * 1000;
const USAGE = { client: '1.3.6.1.5.5.7.3.2', server: '1.3.6.1.5.5.7.3.1' } as const;

/** What a test wants of a certificate; the defaults make one that holds. */
export interface CertificateWish {
  /** X.500 subject. */
  subject?: string;
  notBefore?: Date;
  notAfter?: Date;
  usages?: readonly (keyof typeof USAGE)[];
  /** DNS names and IP addresses. */
  names?: readonly string[];
  keyType?: 'ed25519' | 'p256' | 'p384' | 'rsa';
  isAuthority?: boolean;
}

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

/** A certificate authority for tests, that also signs what no good authority would. */
export class TestAuthority {
  readonly certificate: X509Certificate;
  readonly #privateKey: webcrypto.CryptoKey;
  readonly #name: string;

  private constructor(certificate: X509Certificate, privateKey: webcrypto.CryptoKey, name: string) {
    this.certificate = certificate;
    this.#privateKey = privateKey;
    this.#name = name;
  }

  /** Makes an authority; two with the same name differ only in their key, as a forger's would. */
  static async create(name = 'CN=hawser-test-ca'): Promise<TestAuthority> {
    const keys = await generateKeys('ed25519');
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name,
      keys: keys,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 3650 * DAY_MS),
      signingAlgorithm: ALGORITHMS.ed25519,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    });
    return new TestAuthority(new X509Certificate(Buffer.from(certificate.rawData)), keys.privateKey, name);
  }

  /** An authority that is there already, with an Ed25519 key. Both are PEM, the key PKCS #8. */
  static async load(certificatePem: string, privateKeyPem: string): Promise<TestAuthority> {
    const der = createPrivateKey(privateKeyPem).export({ format: 'der', type: 'pkcs8' });
    const privateKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHMS.ed25519, true, ['sign']);
    const certificate = new X509Certificate(certificatePem);
    return new TestAuthority(certificate, privateKey, new x509.X509Certificate(certificatePem).subject);
  }

  /** Makes a key and a certificate for it. */
  async issue(wish: CertificateWish): Promise<{ privateKey: KeyObject; certificate: X509Certificate }> {
    const keyType = wish.keyType ?? 'ed25519';
    const keys = await generateKeys(keyType);
    const usages = (wish.usages ?? ['client']).map((usage) => USAGE[usage]);
    const names = (wish.names ?? []).map((name) => ({
      type: /^[\d.]+$|:/.test(name) ? ('ip' as const) : ('dns' as const),
      value: name,
    }));
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: wish.subject ?? 'O=system:nodes, CN=system:node:edge-1',
      issuer: this.#name,
      publicKey: keys.publicKey,
      signingKey: this.#privateKey,
      signingAlgorithm: ALGORITHMS.ed25519,
      notBefore: wish.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: wish.notAfter ?? new Date(Date.now() + 365 * DAY_MS),
      extensions: [
        new x509.BasicConstraintsExtension(wish.isAuthority === true, undefined, true),
        ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : []),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    });
    return {
      privateKey: KeyObject.from(keys.privateKey),
      certificate: new X509Certificate(Buffer.from(certificate.rawData)),
    };
  }

  /** Credentials of an edge node, which serves its peers too, as a hub issues them. */
  async edge(node = 'edge-1', wish: CertificateWish = {}): Promise<Credentials> {
    const subject = `O=system:nodes, CN=system:node:${node}`;
    const issued = await this.issue({ subject, usages: ['client', 'server'], ...wish });
    return { ...issued, authorities: [this.certificate] };
  }

  /** Credentials of a hub that is dialled at 127.0.0.1, ::1 or localhost. */
  async hub(wish: CertificateWish = {}): Promise<Credentials> {
    const issued = await this.issue({
      subject: 'O=hawser:hubs, CN=cloudcore',
      usages: ['server', 'client'],
      names: ['127.0.0.1', '::1', 'localhost'],
      ...wish,
    });
    return { ...issued, authorities: [this.certificate] };
  }
}

async function generateKeys(keyType: keyof typeof ALGORITHMS): Promise<webcrypto.CryptoKeyPair> {
  const pair = await webcrypto.subtle.generateKey(ALGORITHMS[keyType], true, ['sign', 'verify']);
  return pair as webcrypto.CryptoKeyPair;
}

function serial(): string {
  return `01${randomBytes(15).toString('hex')}`;
}
