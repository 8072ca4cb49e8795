import type { PathContext, PathHandler } from '@hawser/kube';
import type { TokenKey } from './jwt.ts';
import { TOKEN_ISSUER } from './service-account-tokens.ts';

const DISCOVERY = '/.well-known/openid-configuration';
const KEYS = '/openid/v1/jwks';

/**
 * What others check tokens of service accounts with: the issuer and its key. Source: KEP-1393 (service account issuer
 * discovery), kubernetes pkg/routes/openidmetadata.go; OpenID Connect Discovery 1.0, section 3.
 */
export class IssuerDiscovery implements PathHandler {
  readonly #key: TokenKey;
  readonly #url: () => string;

  /** @param url of this server, `https://host:port` */
  constructor(key: TokenKey, url: () => string) {
    this.#key = key;
    this.#url = url;
  }

  async handle({ path, respond }: PathContext): Promise<boolean> {
    if (path === DISCOVERY) {
      await respond.bytes(200, 'application/json', json(this.#discovery()));
      return true;
    }
    if (path !== KEYS) return false;
    await respond.bytes(200, 'application/jwk-set+json', json({ keys: [this.#key.jwk] }));
    return true;
  }

  #discovery(): object {
    return {
      issuer: TOKEN_ISSUER,
      jwks_uri: `${this.#url()}${KEYS}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
