import { serviceUnavailable, type TokenAuthenticator, type TokenIdentity, type UserInfo } from '@hawser/kube';
import { errors, jwtVerify, type CryptoKey, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { ApiCaller } from './cloud-access-types.ts';
import type { Callers } from './callers.ts';
import type { ClusterTrust, Trust } from './cluster-trust.ts';
import type { PodsOfNode } from './pods-of-node.ts';

/** A pod, as far as tokens are bound to it. */
export interface BoundPod {
  readonly name: string;
  readonly uid: string;
}

/** What {@link AccountTokens} need. */
export interface AccountTokensOptions {
  readonly node: string;
  readonly trust: Pick<ClusterTrust, 'soon'>;
  readonly callers: Callers;
  readonly pods: Pick<PodsOfNode, 'uids'>;
  /** Milliseconds since the epoch, as far as it is known. */
  readonly wallMs: () => number;
}

/** Signatures with a key pair; never `none`, and nothing whose key is shared. Each key allows what is its own. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** Source: kube-apiserver, the leeway of go-jose. */
const LEEWAY_SECONDS = 60;
const MAX_TOKEN_BYTES = 16 * 1024;
const CLAIM = 'kubernetes.io';
const EXTRA = 'authentication.kubernetes.io';

/**
 * Tokens of service accounts, checked by what is here: signature, issuer, audience, time, and that the pod of this node that
 * a token is bound to is still there. Whether the account, or a pod of another node, is still there cannot be known.
 * Source: KEP-1205; kubernetes pkg/serviceaccount, claims.go and jwt.go.
 */
export class AccountTokens implements TokenAuthenticator {
  readonly #options: AccountTokensOptions;

  constructor(options: AccountTokensOptions) {
    this.#options = options;
  }

  /** @throws StatusError ServiceUnavailable: the keys of the cluster are not here yet */
  async authenticateToken(token: string, audiences: readonly string[]): Promise<TokenIdentity | undefined> {
    const trust = await this.#options.trust.soon();
    if (trust === undefined)
      throw serviceUnavailable(
        'the keys of the cluster, by which tokens are known, have not been received yet',
      );
    const wanted = audiences.length === 0 ? trust.audiences : audiences;
    const claims = await this.#verified(token, trust, wanted);
    const account = claims === undefined ? undefined : accountOf(claims);
    if (claims === undefined || account === undefined || !this.#isBoundWell(account)) return undefined;
    const user = userOf(account, typeof claims.jti === 'string' ? claims.jti : '');
    const { namespace, name, uid, pod } = account;
    const caller: ApiCaller = {
      user,
      account: { namespace, name, uid, ...(pod !== undefined && { pod }) },
      isNode: false,
    };
    this.#options.callers.add(caller);
    const granted = [claims.aud ?? []].flat();
    return { user, audiences: wanted.filter((audience) => granted.includes(audience)) };
  }

  async #verified(
    token: string,
    { keys, issuer }: Trust,
    audiences: readonly string[],
  ): Promise<JWTPayload | undefined> {
    if (token.length > MAX_TOKEN_BYTES) return undefined;
    const options = {
      algorithms: ALGORITHMS,
      issuer,
      audience: [...audiences],
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(this.#options.wallMs()),
      requiredClaims: ['exp', 'sub'],
    };
    const verified = async (key: JWTVerifyGetKey | CryptoKey): Promise<JWTPayload | undefined> => {
      try {
        // Both of its forms take the same arguments.
        return (await jwtVerify(token, key as JWTVerifyGetKey, options)).payload;
      } catch (error) {
        if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
        if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
        throw error;
      }
    };
    try {
      return await verified(keys);
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // A token that does not say which key has signed it: each that could have is tried.
      for await (const key of error) {
        const claims = await verified(key);
        if (claims !== undefined) return claims;
      }
      return undefined;
    }
  }

  /** A token that is bound to a pod of this node counts while the pod is there. */
  #isBoundWell({ namespace, pod, node }: Account): boolean {
    if (pod === undefined) return true;
    const present = this.#options.pods.uids(namespace, pod.name);
    if (present.includes(pod.uid)) return true;
    // Older API servers do not say where the pod is.
    return node === undefined ? present.length === 0 : node.name !== this.#options.node;
  }
}

interface Account extends BoundPod {
  readonly namespace: string;
  readonly pod: BoundPod | undefined;
  readonly node: BoundPod | undefined;
}

/** What the claims say; undefined: they are not those of an account. */
function accountOf({ sub, [CLAIM]: binding }: JWTPayload): Account | undefined {
  if (typeof binding !== 'object' || binding === null) return undefined;
  const { namespace, serviceaccount, pod, node } = binding as Record<string, unknown>;
  const account = reference(serviceaccount);
  if (typeof namespace !== 'string' || namespace === '' || account === undefined) return undefined;
  if (sub !== username(namespace, account.name)) return undefined;
  if (pod !== undefined && reference(pod)?.uid === '') return undefined;
  return { namespace, ...account, pod: reference(pod), node: reference(node) };
}

function reference(value: unknown): BoundPod | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, uid } = value as Record<string, unknown>;
  return typeof name === 'string' && name !== ''
    ? { name, uid: typeof uid === 'string' ? uid : '' }
    : undefined;
}

function username(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Source: kubernetes pkg/serviceaccount ServiceAccountInfo.UserInfo. */
function userOf({ namespace, name, uid, pod, node }: Account, id: string): UserInfo {
  return {
    username: username(namespace, name),
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      ...(id !== '' && { [`${EXTRA}/credential-id`]: [`JTI=${id}`] }),
      ...(pod !== undefined && { [`${EXTRA}/pod-name`]: [pod.name], [`${EXTRA}/pod-uid`]: [pod.uid] }),
      ...(node !== undefined && { [`${EXTRA}/node-name`]: [node.name] }),
      ...(node !== undefined && node.uid !== '' && { [`${EXTRA}/node-uid`]: [node.uid] }),
    },
  };
}
