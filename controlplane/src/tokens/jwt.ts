import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { isPlainObject, type JsonObject } from '@hawser/kube';

/** Largest token that is looked at, in characters. */
const LIMIT_CHARS = 16_384;

/**
 * Signs and checks JSON Web Tokens with one ECDSA P-256 key (ES256), and nothing else: no other algorithm, no key from
 * the token's header. Source: RFC 7515, RFC 7518 section 3.4, RFC 7519.
 */
export class TokenKey {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #header: string;

  /** `pem`: the private key, PKCS#8. @throws Error if it is none */
  constructor(pem: string) {
    this.#private = createPrivateKey(pem);
    this.#public = createPublicKey(this.#private);
    this.#header = encode({ alg: 'ES256', kid: this.keyId, typ: 'JWT' });
  }

  /** Names the public key. Source: kubernetes pkg/serviceaccount keyIDFromPublicKey. */
  get keyId(): string {
    const der = this.#public.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(der).digest('base64url');
  }

  /** The public key for others to check tokens with. Source: RFC 7517. */
  get jwk(): JsonObject {
    return { use: 'sig', ...this.#public.export({ format: 'jwk' }), kid: this.keyId, alg: 'ES256' };
  }

  /** A token of these claims. */
  sign(claims: JsonObject): string {
    const signed = `${this.#header}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#private, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  /** The claims of a token that this key signed; undefined for everything else. Times are the caller's to check. */
  verify(token: string): JsonObject | undefined {
    if (token.length > LIMIT_CHARS) return undefined;
    const parts = token.split('.');
    const [header = '', payload = '', signature = ''] = parts;
    if (parts.length !== 3 || decode(header)?.['alg'] !== 'ES256') return undefined;
    const good = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: this.#public, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    return good ? decode(payload) : undefined;
  }
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined; // no JSON: no token
  }
}
