import {
  isPlainObject,
  ResourceClient,
  RESOURCES,
  StatusError,
  unauthorized,
  type ApiClient,
  type KubeObject,
} from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { Refusal } from '../upstream/outcome.ts';
import type { Pod } from '../upstream/pod-guard.ts';
import { longestTokenSeconds } from '../upstream/token-requester.ts';
import type { Account } from './account.ts';
import { AccessRefusal, forbiddenCaller, unavailable } from './refusal.ts';

/** What {@link AccountTokens} need. */
export interface AccountTokensOptions {
  readonly node: string;
  readonly client: ApiClient;
  /** Ends with the session. */
  readonly signal: AbortSignal;
  readonly onAsked: (result: 'ok' | 'failed') => void;
  /** Who has the token for a pod, by `namespace/name`; shared by all sessions. */
  readonly index: Map<string, AccountTokens>;
  readonly clock: Clock;
}

interface Token {
  readonly value: string;
  /** Of the account that it is for; '': it does not say. */
  readonly accountUid: string;
  /** Monotonic, milliseconds. */
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

interface Entry {
  readonly account: Account;
  token: Token | undefined;
  asking: Promise<Token> | undefined;
  failure: { readonly error: Error; readonly untilMs: number } | undefined;
}

interface TokenRequest extends KubeObject {
  readonly status?: unknown;
}

const LONGEST_SECONDS = 3600;
/** Of a token's life after which another one is asked for. */
const RENEW_AT = 0.8;
/** Of a node's pods those that have asked last; kubelets have 110 by default. */
const MAX_ENTRIES = 256;
/** A token that could not be had is not asked for again so soon. */
const FAILED_MS = 1000;
const ASK_MS = 10_000;

/**
 * Tokens of the API server for the accounts of one node's pods, one for each pod and bound to it, in memory until the
 * pod or the session ends. Those who want the same one share a request. They are had for what a node may have tokens for
 * anyway: a pod of its own, that lives, with a volume that has a token of the API server.
 * Source: KEP-1205 (bound service account tokens); kubernetes NodeRestriction (validateNodeServiceAccountAudience).
 */
export class AccountTokens {
  readonly #options: AccountTokensOptions;
  readonly #accounts: ResourceClient<TokenRequest>;
  readonly #pods: ResourceClient<Pod>;
  /** By `namespace/name` of the pod; the one that was not used for the longest time first. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: AccountTokensOptions) {
    this.#options = options;
    this.#accounts = new ResourceClient<TokenRequest>(options.client, RESOURCES.serviceaccounts);
    this.#pods = new ResourceClient<Pod>(options.client, RESOURCES.pods);
  }

  /** Tokens that are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** A token that is good now. @throws AccessRefusal 401, 403, 503; the reason of the session's end */
  async get(account: Account): Promise<string> {
    const entry = this.#entry(account);
    const { token } = entry;
    const nowMs = this.#options.clock.monotonicMs();
    if (token === undefined || nowMs >= token.endsAtMs) return checked(await this.#ask(entry), account);
    // The old one is good until the new one is there; who fails to get that says so when it is needed.
    if (nowMs >= token.renewAtMs) this.#ask(entry).catch(() => {});
    return checked(token, account);
  }

  /** The API server does not take this token: another one is asked for. */
  refused(account: Account, value: string): void {
    const entry = this.#entries.get(podKey(account.namespace, account.pod.name));
    if (entry?.token?.value === value) entry.token = undefined;
  }

  /** The pod is another one now, by its uid, or none. */
  podChanged(key: string, uid: string | undefined): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.account.pod.uid !== uid) this.#forget(key);
  }

  /** The session has ended. Idempotent. */
  end(): void {
    for (const key of [...this.#entries.keys()]) this.#forget(key);
  }

  #entry(account: Account): Entry {
    const { index } = this.#options;
    const key = podKey(account.namespace, account.pod.name);
    const known = this.#entries.get(key);
    const isSame = known?.account.pod.uid === account.pod.uid && known.account.name === account.name;
    const entry = isSame ? known : { account, token: undefined, asking: undefined, failure: undefined };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    index.set(key, this);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#forget(oldest);
    return entry;
  }

  #forget(key: string): void {
    const { index } = this.#options;
    this.#entries.delete(key);
    if (index.get(key) === this) index.delete(key);
  }

  #ask(entry: Entry): Promise<Token> {
    const { clock, onAsked } = this.#options;
    const { failure } = entry;
    if (failure !== undefined && clock.monotonicMs() < failure.untilMs) return Promise.reject(failure.error);
    entry.asking ??= this.#request(entry.account).then(
      (token) => {
        onAsked('ok');
        Object.assign(entry, { token, asking: undefined, failure: undefined } satisfies Partial<Entry>);
        return token;
      },
      (cause: unknown) => {
        this.#options.signal.throwIfAborted();
        onAsked('failed');
        const error = this.#explain(entry.account, cause);
        const untilMs = clock.monotonicMs() + FAILED_MS;
        Object.assign(entry, { asking: undefined, failure: { error, untilMs } } satisfies Partial<Entry>);
        throw error;
      },
    );
    return entry.asking;
  }

  async #request({ namespace, name, pod }: Account): Promise<Token> {
    const { clock, signal } = this.#options;
    const call = { signal, timeoutMs: ASK_MS, retries: 1 };
    const longest = this.#longestSeconds(name, pod, await this.#pods.get(namespace, pod.name, call));
    const askedMs = clock.monotonicMs();
    const answer = await this.#accounts.create(
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { namespace, name },
        spec: {
          expirationSeconds: Math.min(LONGEST_SECONDS, longest), // no audiences: the API server's own
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
        },
      },
      { ...call, subresource: 'token' },
    );
    const { token, expirationTimestamp } = isPlainObject(answer.status) ? answer.status : {};
    if (typeof token !== 'string' || token === '')
      throw unavailable('token', 'the API server answered without a token');
    const claims = claimsOf(token);
    const lifeMs =
      claims.lifeMs ??
      Date.parse(typeof expirationTimestamp === 'string' ? expirationTimestamp : '') - clock.wallMs();
    const known = Number.isFinite(lifeMs) && lifeMs > 0 ? lifeMs : 0;
    return {
      value: token,
      accountUid: claims.accountUid,
      renewAtMs: askedMs + known * RENEW_AT,
      endsAtMs: askedMs + known,
    };
  }

  /** @throws AccessRefusal 403; Refusal 403, 422 */
  #longestSeconds(serviceAccount: string, { name, uid }: Account['pod'], pod: Pod): number {
    const { node } = this.#options;
    if (pod.metadata.uid !== uid || pod.spec?.nodeName !== node)
      throw forbiddenCaller('caller', `node ${node}: pod ${name} is not bound to it any more`);
    return longestTokenSeconds(pod, { serviceAccount, audiences: [] });
  }

  #explain({ namespace, name, pod }: Account, cause: unknown): Error {
    if (cause instanceof AccessRefusal) return cause;
    const { node } = this.#options;
    const about = `node ${node}: no token of service account ${namespace}/${name} for pod ${pod.name} could be had`;
    const code = cause instanceof StatusError ? cause.status.code : undefined;
    const text = `${about}: ${cause instanceof Error ? cause.message : String(cause)}`;
    // Not there any more, another one by the same name, or none that has a token.
    if (code === 404 || code === 409 || cause instanceof Refusal) return forbiddenCaller('caller', text);
    if (code === 403)
      return unavailable('token', `${text}. See that the hub has the rights that it needs`, { cause });
    return unavailable('token', text, { cause });
  }
}

/** An account that was deleted and made again is another one, and who has a token of the former one is nobody. */
function checked({ value, accountUid }: Token, { namespace, name, uid }: Account): string {
  if (uid === '' || accountUid === '' || uid === accountUid) return value;
  const text = `the service account ${namespace}/${name} is another one than that of the caller's token`;
  throw new AccessRefusal(401, 'caller', text, { statusReason: unauthorized().status.reason ?? '' });
}

/** How a pod is called in the index. */
export function podKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** What a token says of itself; it comes from the API server, and is not verified here. Source: RFC 7519, 4.1. */
function claimsOf(token: string): { readonly lifeMs: number | undefined; readonly accountUid: string } {
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  } catch {
    claims = undefined; // no token that could be read: it is good as long as the answer says
  }
  const { iat, exp, 'kubernetes.io': of } = isPlainObject(claims) ? claims : {};
  const account = isPlainObject(of) ? of['serviceaccount'] : undefined;
  const uid = isPlainObject(account) ? account['uid'] : undefined;
  return {
    lifeMs: typeof iat === 'number' && typeof exp === 'number' ? (exp - iat) * 1000 : undefined,
    accountUid: typeof uid === 'string' ? uid : '',
  };
}
