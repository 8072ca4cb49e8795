import { ResourceClient, RESOURCES, StatusError, type ApiClient, type KubeObject } from '@hawser/kube';
import { silentLogger, systemClock, type Clock, type Logger } from '@hawser/seams';
import { HAWSER_NAMESPACE, LABELS } from '../cluster/names.ts';
import { CloudCoreError } from '../errors.ts';
import { compareAndSwap, type SwapTarget } from './compare-and-swap.ts';
import {
  decodeToken,
  encodeToken,
  formatToken,
  hashSecret,
  JOIN_TOKEN,
  newSecret,
  parseToken,
  sameText,
  tokenId,
  tokenName,
  type JoinToken,
} from './join-token.ts';
import { checkNodeName } from './node-name.ts';

const HOUR_MS = 3_600_000;
/** Bounds of a token, and what it is without other wishes. */
const TTL_MS = { default: 24 * HOUR_MS, min: 60_000, max: 366 * 24 * HOUR_MS } as const;
/** A token keeps who has used it, and an object has at most 1 MiB. */
const USES = { default: 1, min: 1, max: 1000 } as const;
const MAX_DESCRIPTION = 200;
const PAGE_SIZE = 500;

/** Settings of {@link JoinTokens}. */
export interface JoinTokensOptions {
  readonly client: ApiClient;
  /** `Authority.pin`: what tokens begin with. */
  readonly pin: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** What a token is to be good for. */
export interface TokenOrder {
  /** How long it lives, milliseconds: one minute to 366 days. Default 24 hours. */
  readonly ttlMs?: number;
  /** How many nodes may join with it: 1 to 1000. Default 1. */
  readonly uses?: number;
  /** Only this node may join with it. */
  readonly node?: string;
  /** The pool of the nodes that join with it. */
  readonly pool?: string;
  /** Whether it may take over the name of a node whose certificate lives. Default false. */
  readonly replace?: boolean;
  /** For people, at most 200 characters. */
  readonly description?: string;
}

/** Who wants to use a token. */
export interface TokenClaim {
  /** As it came: untrusted. */
  readonly token: string;
  readonly node: string;
  /** SHA-256 of the node's public key, lower-case hex; the node must have proven the key. */
  readonly key: string;
  /** The pool that the node expects to be in, where it does. */
  readonly pool?: string;
}

/** What a token grants. `again`: this key has used it for this node before. */
export interface TokenGrant extends JoinToken {
  readonly again: boolean;
}

/**
 * The join tokens of a cluster: Secrets in hawser-system, labelled `hawser.dev/kind=join-token`, that hold the hash of
 * each secret and who has used it. Uses are written compare-and-swap: of two nodes that use up a token at once, with
 * one replica or with two, exactly one gets in.
 */
export class JoinTokens {
  readonly #secrets: ResourceClient;
  readonly #pin: string;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(options: JoinTokensOptions) {
    this.#secrets = new ResourceClient(options.client, RESOURCES.secrets);
    this.#pin = options.pin;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
  }

  /**
   * Makes a token. Its text is in the answer, and nowhere else afterwards.
   * @throws CloudCoreError `ERR_CLOUDCORE_TOKEN_OPTIONS`, `ERR_CLOUDCORE_NODE_NAME`; the errors of {@link ApiClient}
   */
  async create(order: TokenOrder = {}): Promise<{ readonly token: string; readonly details: JoinToken }> {
    checkOrder(order);
    const { ttlMs = TTL_MS.default, uses = USES.default, node, pool, replace = false, description } = order;
    const secret = newSecret();
    const hash = hashSecret(secret);
    const nowMs = this.#clock.wallMs();
    const details: JoinToken = {
      id: tokenId(hash),
      hash,
      createdAt: new Date(nowMs).toISOString(),
      expiresAt: new Date(nowMs + ttlMs).toISOString(),
      maxUses: uses,
      uses: [],
      replace,
      ...(node !== undefined && { node }),
      ...(pool !== undefined && { pool }),
      ...(description !== undefined && { description }),
    };
    await this.#secrets.create(encodeToken(details));
    return { token: formatToken(this.#pin, secret), details };
  }

  /** All tokens, used up and expired ones too while they are there; oldest first. Damaged Secrets are left out. */
  async list(): Promise<readonly JoinToken[]> {
    const tokens: JoinToken[] = [];
    for (const object of await this.#all()) {
      const token = this.#legible(object);
      if (token !== undefined) tokens.push(token);
    }
    return tokens.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /**
   * Takes a token back. Nodes that have joined with it stay.
   * @param idOrToken its id, or its text
   * @returns false where there is no such token
   */
  async revoke(idOrToken: string): Promise<boolean> {
    const secret = parseToken(idOrToken)?.secret;
    const id = secret === undefined ? idOrToken : tokenId(hashSecret(secret));
    if (!/^[0-9a-f]{16}$/.test(id)) return false;
    return await this.#delete(tokenName(id));
  }

  /**
   * Uses a token up by one. The same node with the same key may come again while the token lives, at no further use:
   * an answer that got lost strands nobody.
   *
   * @param admit looks at what the token grants before anything is written, and throws where the node may not join;
   *   may be called again when somebody else used the token meanwhile
   * @throws CloudCoreError `ERR_CLOUDCORE_TOKEN`, `…_TOKEN_CLUSTER`, `…_TOKEN_EXPIRED`, `…_TOKEN_USED`,
   *   `…_TOKEN_BOUND`; the errors of {@link ApiClient} and of `admit`
   */
  async consume(claim: TokenClaim, admit: (grant: TokenGrant) => Promise<void>): Promise<TokenGrant> {
    const parsed = parseToken(claim.token);
    if (parsed === undefined) throw new CloudCoreError('ERR_CLOUDCORE_TOKEN', 'the join token is malformed');
    if (!sameText(parsed.pin, this.#pin)) {
      throw new CloudCoreError('ERR_CLOUDCORE_TOKEN_CLUSTER', 'the join token is for another authority');
    }
    const hash = hashSecret(parsed.secret);
    let grant: TokenGrant | undefined;
    await compareAndSwap(this.#target(hash), async (object) => {
      const token = this.#believe(object, hash);
      this.#check(token, claim);
      const again = token.uses.some(({ node, key }) => node === claim.node && sameText(key, claim.key));
      if (!again && token.uses.length >= token.maxUses) throw usedUp(token);
      grant = { ...token, again };
      await admit(grant);
      if (again) return undefined;
      const use = { node: claim.node, key: claim.key, at: new Date(this.#clock.wallMs()).toISOString() };
      return encodeToken({ ...token, uses: [...token.uses, use] }, object);
    });
    if (grant === undefined) throw new TypeError('a swap ended without its change having been called');
    return grant;
  }

  /** Deletes tokens whose time is over; answers how many. */
  async removeExpired(): Promise<number> {
    let removed = 0;
    for (const object of await this.#all()) {
      const token = this.#legible(object);
      if (token === undefined || this.#clock.wallMs() < Date.parse(token.expiresAt)) continue;
      if (await this.#delete(tokenName(token.id))) removed += 1;
    }
    return removed;
  }

  /** The token of this hash. One that is not there and one that is not it look the same to who asks. */
  #believe(object: KubeObject | undefined, hash: string): JoinToken {
    const token = object === undefined ? undefined : this.#legible(object);
    if (token !== undefined && sameText(token.hash, hash)) return token;
    throw new CloudCoreError('ERR_CLOUDCORE_TOKEN', 'the join token is not known');
  }

  #check(token: JoinToken, claim: TokenClaim): void {
    if (this.#clock.wallMs() >= Date.parse(token.expiresAt)) {
      const message = `the join token ${token.id} expired at ${token.expiresAt}`;
      throw new CloudCoreError('ERR_CLOUDCORE_TOKEN_EXPIRED', message, { about: token.id });
    }
    if (token.node !== undefined && token.node !== claim.node) {
      const message = `the join token ${token.id} is not for the node ${claim.node}`;
      throw new CloudCoreError('ERR_CLOUDCORE_TOKEN_BOUND', message, { about: token.id });
    }
    if (claim.pool !== undefined && claim.pool !== token.pool) {
      const message = `the join token ${token.id} is not for the pool ${claim.pool}`;
      throw new CloudCoreError('ERR_CLOUDCORE_TOKEN_BOUND', message, { about: token.id });
    }
  }

  #target(hash: string): SwapTarget {
    return {
      resource: this.#secrets,
      namespace: HAWSER_NAMESPACE,
      name: tokenName(tokenId(hash)),
    };
  }

  async #all(): Promise<readonly KubeObject[]> {
    const found: KubeObject[] = [];
    let next: string | undefined;
    do {
      const query = { labelSelector: `${LABELS.kind}=${JOIN_TOKEN}`, limit: PAGE_SIZE, continue: next };
      const page = await this.#secrets.list(HAWSER_NAMESPACE, { query });
      found.push(...page.items);
      next = page.metadata.continue === '' ? undefined : page.metadata.continue;
    } while (next !== undefined);
    return found;
  }

  #legible(object: KubeObject): JoinToken | undefined {
    try {
      return decodeToken(object);
    } catch (error) {
      if (!(error instanceof CloudCoreError)) throw error;
      this.#logger.warn({ secret: object.metadata.name }, error.message);
      return undefined;
    }
  }

  async #delete(name: string): Promise<boolean> {
    try {
      await this.#secrets.delete(HAWSER_NAMESPACE, name);
      return true;
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 404) return false;
      throw error;
    }
  }
}

function usedUp(token: JoinToken): CloudCoreError {
  const times = token.maxUses === 1 ? 'once' : `${token.maxUses} times`;
  const message = `the join token ${token.id} may be used ${times}, and was`;
  return new CloudCoreError('ERR_CLOUDCORE_TOKEN_USED', message, { about: token.id });
}

function checkOrder({
  ttlMs = TTL_MS.default,
  uses = USES.default,
  node,
  pool,
  description = '',
}: TokenOrder): void {
  const problems: string[] = [];
  if (!(ttlMs >= TTL_MS.min && ttlMs <= TTL_MS.max))
    problems.push('it must live from one minute to 366 days');
  if (!Number.isInteger(uses) || uses < USES.min || uses > USES.max)
    problems.push('it must have 1 to 1000 uses');
  if (node !== undefined && uses !== 1) problems.push('one that is for a single node has one use');
  if (description.length > MAX_DESCRIPTION) {
    problems.push(`its description must have at most ${MAX_DESCRIPTION} characters`);
  }
  if (problems.length > 0) {
    throw new CloudCoreError('ERR_CLOUDCORE_TOKEN_OPTIONS', `no such join token: ${problems.join('; ')}`);
  }
  if (node !== undefined) checkNodeName(node);
  if (pool !== undefined) checkPool(pool);
}

/** Length of the value of a label. Source: Kubernetes, "Labels and Selectors". */
const MAX_POOL = 63;

/** Pools are objects with a name of the same form as nodes. */
function checkPool(pool: string): void {
  try {
    checkNodeName(pool);
  } catch (cause) {
    const message = `${JSON.stringify(pool)} is no name for a pool`;
    throw new CloudCoreError('ERR_CLOUDCORE_TOKEN_OPTIONS', message, { cause });
  }
  if (pool.length <= MAX_POOL) return;
  const message = `the name of a pool has at most ${MAX_POOL} characters: it is the value of a label`;
  throw new CloudCoreError('ERR_CLOUDCORE_TOKEN_OPTIONS', message);
}
