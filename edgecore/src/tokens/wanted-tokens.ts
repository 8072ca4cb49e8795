import { createHash } from 'node:crypto';
import type { Pod } from '../pods/pod.ts';

/** A token that a pod's volume asks for. */
export interface WantedToken {
  /** `token/<uid of the pod>/<16 hex digits over audience and lifetime>`: equal wishes of one pod share a token. */
  readonly key: string;
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
  readonly serviceAccount: string;
  /** Empty: the API server's own. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
}

/** Source: core/v1 ServiceAccountTokenProjection. */
const DEFAULT_LIFETIME_SECONDS = 3600;
const DEFAULT_SERVICE_ACCOUNT = 'default';

/** Prefix of the keys under which tokens are kept. */
export const TOKEN_PREFIX = 'token/';

/** The key of one token, see {@link WantedToken.key}. */
export function tokenKey(
  podUid: string,
  audience: string | undefined,
  expirationSeconds: number | undefined,
): string {
  const wish = JSON.stringify([audience ?? '', expirationSeconds ?? DEFAULT_LIFETIME_SECONDS]);
  return `${TOKEN_PREFIX}${podUid}/${createHash('sha256').update(wish).digest('hex').slice(0, 16)}`;
}

/** Every token that the volumes of these pods need, by key. A pod that is to end needs those that it has, and no new ones. */
export function wantedTokens(pods: readonly Pod[]): ReadonlyMap<string, WantedToken> {
  const wanted = new Map<string, WantedToken>();
  for (const { metadata, spec } of pods) {
    const sources = (spec.volumes ?? []).flatMap((volume) => volume.projected?.sources ?? []);
    for (const { serviceAccountToken: projection } of sources) {
      if (projection === undefined) continue;
      const { audience = '', expirationSeconds = DEFAULT_LIFETIME_SECONDS } = projection;
      const key = tokenKey(metadata.uid, audience, expirationSeconds);
      wanted.set(key, {
        key,
        namespace: metadata.namespace,
        podName: metadata.name,
        podUid: metadata.uid,
        serviceAccount: spec.serviceAccountName ?? DEFAULT_SERVICE_ACCOUNT,
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
      });
    }
  }
  return wanted;
}
