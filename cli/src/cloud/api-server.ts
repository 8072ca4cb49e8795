import type { ApiClient } from '@hawser/kube';
import { CliError } from '../errors.ts';

/** The oldest minor release of Kubernetes 1 that Hawser is made for. */
const OLDEST_MINOR = 26;

/** What an API server says of itself. */
export interface ApiServerVersion {
  /** `v1.36.0`. */
  readonly version: string;
}

/**
 * Asks the API server which release it is.
 * @throws CliError `ERR_CLI_API_SERVER` for one that is too old, or none at all; the errors of {@link ApiClient}
 */
export async function checkApiServer(client: ApiClient, signal: AbortSignal): Promise<ApiServerVersion> {
  const answer = (await client.request({ method: 'GET', path: '/version', signal })) as {
    readonly gitVersion?: unknown;
  } | null;
  const version = answer?.gitVersion;
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(typeof version === 'string' ? version : '') ?? [];
  if (typeof version !== 'string' || major === undefined || minor === undefined) {
    throw new CliError('ERR_CLI_API_SERVER', 'what answers does not say which release of Kubernetes it is');
  }
  if (Number(major) === 1 && Number(minor) < OLDEST_MINOR) {
    const message = `the API server is Kubernetes ${version}: 1.${OLDEST_MINOR} or later is needed`;
    throw new CliError('ERR_CLI_API_SERVER', message);
  }
  return { version };
}

/** A right that somebody needs. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Empty: everywhere, or the resource has no namespaces. */
  readonly namespace: string;
}

/**
 * Asks the API server whether this user has all of these rights (SelfSubjectAccessReview), before anything is tried.
 * @throws CliError `ERR_CLI_RIGHTS` naming all that are missing; the errors of {@link ApiClient}
 */
export async function checkRights(
  client: ApiClient,
  rights: readonly Right[],
  signal: AbortSignal,
): Promise<void> {
  const answers = await Promise.all(rights.map((right) => isAllowed(client, right, signal)));
  const missing = rights.filter((_, index) => answers[index] !== true);
  if (missing.length === 0) return;
  throw new CliError('ERR_CLI_RIGHTS', `this user may not ${missing.map(describeRight).join(', nor ')}`);
}

function describeRight({ verb, group, resource, namespace }: Right): string {
  const where = namespace === '' ? '' : ` in namespace ${namespace}`;
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${where}`;
}

async function isAllowed(client: ApiClient, right: Right, signal: AbortSignal): Promise<boolean> {
  const { verb, group, resource, namespace } = right;
  const review = (await client.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource, ...(namespace !== '' && { namespace }) } },
    },
    signal,
  })) as { readonly status?: { readonly allowed?: unknown } } | null;
  return review?.status?.allowed === true;
}
