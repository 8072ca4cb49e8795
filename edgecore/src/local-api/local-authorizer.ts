import {
  MASTERS,
  NodeAuthorizer,
  NodeGraph,
  RbacAuthorizer,
  serviceUnavailable,
  type AuthorizationAttributes,
  type AuthorizationDecision,
  type Authorizer,
  type ObjectStore,
} from '@hawser/kube';
import { delay, type Clock } from '@hawser/seams';
import type { PoolReader } from '../pool/pool-types.ts';

/** What a {@link LocalAuthorizer} needs. */
export interface LocalAuthorizerOptions {
  /** What there is, as no client is shown it in another way. */
  readonly store: ObjectStore;
  readonly pool: Pick<PoolReader, 'view'>;
  /** Whether the cloud can be reached, so that it is worth to wait. */
  readonly isCloudNear: () => boolean;
  readonly clock: Clock;
}

const GROUP = 'rbac.authorization.k8s.io';
const RESOURCES = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
  (resource) => `${resource}.${GROUP}`,
);
/** Open to everybody. Source: k8s.io/apiserver, --authorization-always-allow-paths. */
const HEALTH = /^\/(healthz|livez|readyz)(\/|$)/;
const ALLOWED: AuthorizationDecision = { decision: 'allow', reason: '' };
/** Decisions that are remembered. */
const MAX_KNOWN = 2_000;
/** How long a request waits at the very beginning, until the rules have come. */
const WAIT_MS = 5_000;
const LOOK_MS = 100;

/**
 * What an API server with the modes Node and RBAC decides, by the rules of the pool's replica. A decision is remembered as
 * long as no rule has changed: the rules are kept as bytes, and reading them costs a hundred times more.
 */
export class LocalAuthorizer implements Authorizer {
  readonly rules: RbacAuthorizer;
  readonly #options: LocalAuthorizerOptions;
  readonly #nodes: NodeAuthorizer;
  readonly #known = new Map<string, AuthorizationDecision>();
  #knownAt = '';

  constructor(options: LocalAuthorizerOptions) {
    this.#options = options;
    this.rules = new RbacAuthorizer(options.store);
    this.#nodes = new NodeAuthorizer(new NodeGraph(options.store));
  }

  /** @throws StatusError ServiceUnavailable: the rules are not here yet */
  async authorize(attributes: AuthorizationAttributes): Promise<AuthorizationDecision> {
    if (attributes.user.groups.includes(MASTERS)) return ALLOWED;
    if (!attributes.isResource && attributes.verb === 'get' && HEALTH.test(attributes.path)) return ALLOWED;
    const node = this.#nodes.authorize(attributes);
    if (node.decision === 'allow') return node;
    if (!(await this.#haveRules())) {
      throw serviceUnavailable('the rules of who may do what have not been received from the cluster yet');
    }
    const rbac = this.#byRules(attributes);
    if (rbac.decision === 'allow') return rbac;
    return { ...rbac, reason: [node.reason, rbac.reason].filter((reason) => reason !== '').join('\n') };
  }

  #byRules(attributes: AuthorizationAttributes): AuthorizationDecision {
    const { pool } = this.#options;
    const at = RESOURCES.map((resource) => pool.view(resource)?.changed ?? '').join(' ');
    if (at !== this.#knownAt) {
      this.#known.clear();
      this.#knownAt = at;
    }
    const key = keyOf(attributes);
    let decision = this.#known.get(key);
    if (decision === undefined) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      decision = this.rules.authorize(attributes);
      this.#known.set(key, decision);
    }
    return decision;
  }

  async #haveRules(): Promise<boolean> {
    const { pool, clock, isCloudNear } = this.#options;
    const deadlineMs = clock.monotonicMs() + WAIT_MS;
    for (;;) {
      if (RESOURCES.every((resource) => pool.view(resource)?.ready === true)) return true;
      if (!isCloudNear() || clock.monotonicMs() >= deadlineMs) return false;
      await delay(LOOK_MS, { clock });
    }
  }
}

/** All that rules go by. */
function keyOf(attributes: AuthorizationAttributes): string {
  const { user, isResource, verb, group, resource, subresource, namespace, name, path } = attributes;
  const what = isResource ? [group, resource, subresource, namespace, name] : [path];
  return JSON.stringify([user.username, user.groups, verb, ...what]);
}
