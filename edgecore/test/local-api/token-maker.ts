import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ClusterAuthentication } from '@hawser/sync';
import { SignJWT, type JWTPayload } from 'jose';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** What a token of a test says. */
export interface TokenWish {
  readonly namespace?: string;
  readonly account?: string;
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly node?: string;
  /** Seconds since the epoch. */
  readonly notBefore?: number;
  readonly expires?: number;
  readonly audience?: string;
  readonly issuer?: string;
  readonly subject?: string;
  /** Header; default: that of the key. */
  readonly kid?: string | null;
  readonly claims?: JWTPayload;
}

/** Issues tokens as an API server does. */
export class TokenMaker {
  readonly kid: string;
  readonly #alg: 'ES256' | 'RS256';
  readonly #keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

  constructor(kid = 'k1', alg: 'ES256' | 'RS256' = 'ES256') {
    this.kid = kid;
    this.#alg = alg;
    this.#keys =
      alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  }

  /** The public key, as in a JWKS. */
  get jwk(): Record<string, unknown> {
    const jwk = this.#keys.publicKey.export({ format: 'jwk' });
    return { ...jwk, use: 'sig', kid: this.kid, alg: this.#alg };
  }

  get publicKeyPem(): string {
    return this.#keys.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  }

  async make(wish: TokenWish = {}): Promise<string> {
    const { namespace = 'default', account = 'app', pod, node, kid = this.kid } = wish;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      aud: [wish.audience ?? ISSUER],
      exp: wish.expires ?? now + 3600,
      iat: now,
      nbf: wish.notBefore ?? now,
      iss: wish.issuer ?? ISSUER,
      jti: 'id-1',
      sub: wish.subject ?? `system:serviceaccount:${namespace}:${account}`,
      'kubernetes.io': {
        namespace,
        serviceaccount: { name: account, uid: `uid-of-${account}` },
        ...(pod !== undefined && { pod }),
        ...(node !== undefined && { node: { name: node, uid: `uid-of-${node}` } }),
      },
      ...wish.claims,
    };
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: this.#alg, ...(kid !== null && { kid }) })
      .sign(this.#keys.privateKey);
  }
}

/** What a cluster whose tokens these make tells its nodes. */
export function authenticationOf(makers: readonly TokenMaker[], clientCa = ''): ClusterAuthentication {
  return { issuer: ISSUER, audiences: [ISSUER], jwks: { keys: makers.map(({ jwk }) => jwk) }, clientCa };
}
