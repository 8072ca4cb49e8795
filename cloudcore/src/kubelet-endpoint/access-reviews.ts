import { ResourceClient, StatusError, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import type { ClientUser } from './client-user.ts';
import { KubeletRefusal } from './refusal.ts';

/** What somebody wants to do with a node. */
export interface NodeAccess {
  readonly node: string;
  readonly verb: string;
  /** Of `nodes`: `proxy`, `stats`, … */
  readonly subresource: string;
}

/** Settings of {@link AccessReviews}. */
export interface AccessReviewsOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  /** How long a yes holds, milliseconds. Default 300000, as a kubelet's. */
  readonly allowedMs?: number;
  /** How long a no holds, milliseconds. Default 30000. */
  readonly deniedMs?: number;
  /** Answers remembered; the longest unused goes first. Default 16384, some 4 MiB. */
  readonly limit?: number;
}

interface Answer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly untilMs: number;
}

interface Review extends KubeObject {
  readonly status?: { readonly allowed?: boolean; readonly reason?: string };
}

const REVIEWS: ApiResource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  resource: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
};
const CALL_TIMEOUT_MS = 5000;
const MAX_REASON = 256;

/**
 * Asks the API server whether a client may do something with a node, as a kubelet does with authorization mode
 * Webhook, and remembers the answers.
 * Source: kubernetes pkg/kubelet/server/auth.go; k8s.io/apiserver plugin/pkg/authorizer/webhook (time-outs of answers).
 */
export class AccessReviews {
  readonly #options: AccessReviewsOptions;
  readonly #reviews: ResourceClient<Review>;
  /** In order of use. */
  readonly #answers = new Map<string, Answer>();
  readonly #asking = new Map<string, Promise<Answer>>();

  constructor(options: AccessReviewsOptions) {
    this.#options = options;
    this.#reviews = new ResourceClient<Review>(options.client, REVIEWS);
  }

  /**
   * Resolves if the user may do one of these things.
   * @throws KubeletRefusal 403 for a no, 503 where the API server gave no answer
   */
  async check(user: ClientUser, node: string, verb: string, subresources: readonly string[]): Promise<void> {
    let last: Answer | undefined;
    for (const subresource of subresources) {
      last = await this.#answer(user, { node, verb, subresource });
      if (last.allowed) return;
    }
    const what = `nodes/${subresources.at(-1) ?? ''}`;
    const because =
      last?.reason === undefined || last.reason === '' ? '' : `: ${last.reason.slice(0, MAX_REASON)}`;
    const text =
      `node ${node}: user ${JSON.stringify(user.name)} may not ${verb} ${what}${because}. ` +
      'Bind the ClusterRole system:kubelet-api-admin to the user of the client certificate.';
    throw new KubeletRefusal(403, 'denied', text);
  }

  async #answer(user: ClientUser, access: NodeAccess): Promise<Answer> {
    const key = JSON.stringify([user.name, user.groups, access.verb, access.subresource, access.node]);
    const known = this.#answers.get(key);
    if (known !== undefined && known.untilMs > this.#options.clock.monotonicMs()) {
      this.#answers.delete(key);
      this.#answers.set(key, known);
      return known;
    }
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(key, user, access).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  async #ask(key: string, user: ClientUser, { node, verb, subresource }: NodeAccess): Promise<Answer> {
    const { clock, allowedMs = 300_000, deniedMs = 30_000, limit = 16_384 } = this.#options;
    const spec = {
      user: user.name,
      groups: user.groups,
      resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: node },
    };
    const { group, version, kind } = REVIEWS;
    const review = { apiVersion: `${group}/${version}`, kind, metadata: {}, spec };
    let status: Review['status'];
    try {
      ({ status } = await this.#reviews.create(review, { timeoutMs: CALL_TIMEOUT_MS, retries: 1 }));
    } catch (cause) {
      throw unanswered(node, cause);
    }
    const allowed = status?.allowed === true;
    const untilMs = clock.monotonicMs() + (allowed ? allowedMs : deniedMs);
    const answer = { allowed, reason: status?.reason ?? '', untilMs };
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size > limit) {
      const [oldest] = this.#answers.keys();
      if (oldest !== undefined) this.#answers.delete(oldest);
    }
    return answer;
  }
}

function unanswered(node: string, cause: unknown): KubeletRefusal {
  const isRefused = cause instanceof StatusError && (cause.status.code === 401 || cause.status.code === 403);
  const why = isRefused
    ? 'the API server does not let the hub create subjectaccessreviews: apply the rights of `hawser init`'
    : 'the API server did not answer a SubjectAccessReview: try again';
  return new KubeletRefusal(503, 'unreviewed', `node ${node}: ${why}`, { cause });
}
