import { isPlainObject, ResourceClient, RESOURCES, type KubeObject } from '@hawser/kube';
import { packJson, type UpstreamAnswers, type UpstreamBodies } from '@hawser/sync';
import { Refusal } from './outcome.ts';
import { isTerminalPhase } from './pod-status.ts';
import type { Pod } from './pod-guard.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import { callOptions, type Origin, type WriterContext } from './upstream-task.ts';

/** Source: core/v1 ServiceAccountTokenProjection, default of expirationSeconds. */
const DEFAULT_SECONDS = 3600;

interface TokenRequest extends KubeObject {
  readonly status?: unknown;
}

/**
 * Gets tokens of service accounts for pods. A node gets them for pods that are bound to it, for the account that the
 * pod uses, for audiences that a volume of the pod names, bound to the pod, and not for longer than the volume says:
 * what a kubelet may ask for, and nothing that would be of use elsewhere.
 * Source: kubernetes plugin/pkg/admission/noderestriction (validateNodeServiceAccountAudience), KEP-1205.
 */
export class TokenRequester {
  readonly #context: WriterContext;
  readonly #accounts: ResourceClient<TokenRequest>;

  constructor(context: WriterContext) {
    this.#context = context;
    this.#accounts = new ResourceClient<TokenRequest>(context.client, RESOURCES.serviceaccounts);
  }

  /**
   * Asks for one token. No audience: the API server's own. The token is in nothing but the answer.
   * @throws Refusal 403, 404; StatusError, ClientError
   */
  async request(origin: Origin, body: UpstreamBodies['token-request']): Promise<UpstreamOutcome> {
    const { namespace, serviceAccount, podName, podUid, audiences } = body;
    const pod = await this.#context.guard.live(origin, { namespace, name: podName, uid: podUid });
    const longest = longestTokenSeconds(pod, body);
    const answer = await this.#accounts.create(
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { namespace, name: serviceAccount },
        spec: {
          audiences,
          expirationSeconds: Math.min(body.expirationSeconds, longest),
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: podName, uid: podUid },
        },
      },
      { ...callOptions(origin), subresource: 'token' },
    );
    this.#context.metrics.writes.inc({ kind: 'token-request', verb: 'create' });
    return { status: 0, body: packJson(tokenOf(answer.status)) };
  }
}

/**
 * The longest time that the pod's volumes give to a token for these audiences, seconds. No audience: the API server's own.
 * @throws Refusal 403, 422
 */
export function longestTokenSeconds(
  pod: Pod,
  body: Pick<UpstreamBodies['token-request'], 'serviceAccount' | 'audiences'>,
): number {
  const { namespace, name } = pod.metadata;
  const about = `pod ${namespace ?? ''}/${name ?? ''}`;
  if (pod.spec?.serviceAccountName !== body.serviceAccount) {
    throw new Refusal(403, 'not-yours', `${about} does not use service account ${body.serviceAccount}`);
  }
  if (isTerminalPhase(pod.status?.['phase'])) throw new Refusal(422, 'state', `${about} has ended`);
  const sources = (pod.spec.volumes ?? [])
    .flatMap(({ projected }) => projected?.sources ?? [])
    .flatMap(({ serviceAccountToken }) => (serviceAccountToken === undefined ? [] : [serviceAccountToken]));
  const wanted = body.audiences.length === 0 ? [''] : body.audiences;
  const limits = wanted.map((audience) => {
    const matching = sources.filter((source) => (source.audience ?? '') === audience);
    const seconds = matching.map((source) => source.expirationSeconds ?? DEFAULT_SECONDS);
    if (seconds.length > 0) return Math.max(...seconds);
    const named = audience === '' ? 'of the API server' : JSON.stringify(audience);
    throw new Refusal(403, 'not-yours', `no volume of ${about} has a token for the audience ${named}`);
  });
  return Math.min(...limits);
}

function tokenOf(status: unknown): UpstreamAnswers['token-request'] {
  const { token, expirationTimestamp } = isPlainObject(status) ? status : {};
  if (typeof token !== 'string' || token === '' || typeof expirationTimestamp !== 'string') {
    throw new Refusal(503, 'api-down', 'the API server answered without a token');
  }
  return { token, expirationTimestamp };
}
