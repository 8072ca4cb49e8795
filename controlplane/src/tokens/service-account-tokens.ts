import { randomUUID } from 'node:crypto';
import {
  isPlainObject,
  type JsonObject,
  type KubeObject,
  type ObjectStore,
  type TokenAuthenticator,
  type TokenIdentity,
  type TokenIssuer,
  type TokenOrder,
} from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import type { TokenKey } from './jwt.ts';

/** Who issues, and whom tokens without an audience are for. Source: kubeadm's default. */
export const TOKEN_ISSUER = 'https://kubernetes.default.svc.cluster.local';
const CLAIM = 'kubernetes.io';
/** An object that is being deleted is still good for its tokens this long: what stops it may need them. */
const DELETION_LEEWAY_MS = 60_000;
/** Of clocks that set `nbf` on another machine; tokens are ours, so there is none but for a step of our clock. */
const CLOCK_LEEWAY_SECONDS = 10;
const BOUND: readonly (readonly [kind: string, claim: string, resource: string])[] = [
  ['Pod', 'pod', 'pods'],
  ['Secret', 'secret', 'secrets'],
  ['Node', 'node', 'nodes'],
];

/** What tokens are made and checked with. */
export interface ServiceAccountTokensOptions {
  readonly key: TokenKey;
  readonly store: ObjectStore;
  readonly clock: Clock;
}

/**
 * Service account tokens: bound to an account and perhaps to a pod, secret or node, good until they expire or one of
 * these is gone. Source: KEP-1205, kubernetes pkg/serviceaccount.
 */
export class ServiceAccountTokens implements TokenIssuer, TokenAuthenticator {
  readonly defaultAudiences: readonly string[] = [TOKEN_ISSUER];
  readonly #key: TokenKey;
  readonly #store: ObjectStore;
  readonly #clock: Clock;

  constructor({ key, store, clock }: ServiceAccountTokensOptions) {
    this.#key = key;
    this.#store = store;
    this.#clock = clock;
  }

  issue(order: TokenOrder): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
    const { namespace, serviceAccount: name, serviceAccountUid: uid, boundTo, nodeName } = order;
    const now = Math.floor(this.#clock.wallMs() / 1000);
    const exp = now + order.expirationSeconds;
    const claim = BOUND.find(([kind]) => kind === boundTo?.kind)?.[1];
    const node = nodeName === undefined ? undefined : this.#object('nodes', '', nodeName);
    const claims = {
      aud: order.audiences,
      exp,
      iat: now,
      iss: TOKEN_ISSUER,
      jti: randomUUID(),
      [CLAIM]: {
        namespace,
        ...(nodeName !== undefined && {
          node: { name: nodeName, ...(node?.metadata.uid && { uid: node.metadata.uid }) },
        }),
        ...(claim !== undefined &&
          boundTo !== undefined && { [claim]: { name: boundTo.name, uid: boundTo.uid } }),
        serviceaccount: { name, uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    return Promise.resolve({ token: this.#key.sign(claims), expiresAtMs: exp * 1000 });
  }

  authenticateToken(token: string, audiences: readonly string[]): TokenIdentity | undefined {
    const claims = this.#key.verify(token);
    if (claims?.['iss'] !== TOKEN_ISSUER || !this.#isInTime(claims)) return undefined;
    const wanted = audiences.length === 0 ? this.defaultAudiences : audiences;
    const granted = [claims['aud']]
      .flat()
      .filter((audience): audience is string => typeof audience === 'string');
    const common = wanted.filter((audience) => granted.includes(audience));
    const binding = claims[CLAIM];
    if (common.length === 0 || !isPlainObject(binding)) return undefined;
    const namespace = text(binding['namespace']);
    const account = reference(binding['serviceaccount']);
    if (!this.#lives('serviceaccounts', namespace, account)) return undefined;
    for (const [, claim, resource] of BOUND) {
      const bound = binding[claim];
      // The node of a pod's token is for information.
      if (bound === undefined || (claim === 'node' && binding['pod'] !== undefined)) continue;
      if (!this.#lives(resource, claim === 'node' ? '' : namespace, reference(bound))) return undefined;
    }
    return { audiences: common, user: userOf(namespace, account, binding, text(claims['jti'])) };
  }

  #isInTime({ exp, nbf }: JsonObject): boolean {
    const now = this.#clock.wallMs() / 1000;
    return (
      typeof exp === 'number' && now < exp && typeof nbf === 'number' && nbf <= now + CLOCK_LEEWAY_SECONDS
    );
  }

  #lives(resource: string, namespace: string, { name, uid }: Reference): boolean {
    const object = this.#object(resource, namespace, name);
    if (object === undefined || uid === '' || object.metadata.uid !== uid) return false;
    const { deletionTimestamp } = object.metadata;
    if (deletionTimestamp === undefined) return true;
    return this.#clock.wallMs() < Date.parse(deletionTimestamp) + DELETION_LEEWAY_MS;
  }

  #object(resource: string, namespace: string, name: string): KubeObject | undefined {
    return this.#store.get({ group: '', resource, namespace, name })?.object;
  }
}

interface Reference {
  readonly name: string;
  readonly uid: string;
}

function reference(value: unknown): Reference {
  return isPlainObject(value)
    ? { name: text(value['name']), uid: text(value['uid']) }
    : { name: '', uid: '' };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Source: kubernetes pkg/serviceaccount ServiceAccountInfo.UserInfo. */
function userOf(
  namespace: string,
  account: Reference,
  binding: JsonObject,
  id: string,
): TokenIdentity['user'] {
  const pod = reference(binding['pod']);
  const node = reference(binding['node']);
  const prefix = 'authentication.kubernetes.io';
  return {
    username: `system:serviceaccount:${namespace}:${account.name}`,
    uid: account.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      ...(id !== '' && { [`${prefix}/credential-id`]: [`JTI=${id}`] }),
      ...(pod.name !== '' && { [`${prefix}/pod-name`]: [pod.name], [`${prefix}/pod-uid`]: [pod.uid] }),
      ...(node.name !== '' && { [`${prefix}/node-name`]: [node.name] }),
      ...(node.uid !== '' && { [`${prefix}/node-uid`]: [node.uid] }),
    },
  };
}
