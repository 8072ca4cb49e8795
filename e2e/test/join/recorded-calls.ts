import type { ApiCall, ApiClient, ApiStreamCall } from '@hawser/kube';
import { StatusError } from '@hawser/kube';

/** One use of a right. */
export interface UsedRight {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `pods/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** What is no resource, and not for everybody. */
const PATHS = /^\/(\.well-known|openid)\//;

/** What a call asks for, as RBAC sees it; undefined for what everybody may. Source: k8s.io/apiserver RequestInfo. */
export function rightOf(call: ApiCall | ApiStreamCall): UsedRight | undefined {
  if (PATHS.test(call.path)) return { verb: 'get', group: '', resource: call.path, namespace: '', name: '' };
  const core = /^\/api\/v1\/(.+)$/.exec(call.path);
  const named = /^\/apis\/([^/]+)\/[^/]+\/(.+)$/.exec(call.path);
  const rest = (core?.[1] ?? named?.[2])?.split('/').map(decodeURIComponent);
  if (rest === undefined) return undefined;
  const isScoped = rest[0] === 'namespaces' && rest.length > 2;
  const [namespace = '', [plural = '', name = '', subresource = '']] = isScoped
    ? [rest[1], rest.slice(2)]
    : ['', rest];
  const selected = /^metadata\.name=(.+)$/.exec(String(call.query?.['fieldSelector'] ?? ''))?.[1];
  const reading = String(call.query?.['watch']) === 'true' ? 'watch' : name === '' ? 'list' : 'get';
  return {
    verb: call.method === 'GET' ? reading : (VERBS[call.method] ?? ''),
    group: named?.[1] ?? '',
    resource: subresource === '' ? plural : `${plural}/${subresource}`,
    namespace,
    name: name === '' ? (selected ?? '') : name,
  };
}

/** A client that writes down what is asked through it, and what the API server did not allow. */
export class RecordedClient implements ApiClient {
  readonly used: UsedRight[] = [];
  readonly forbidden: string[] = [];
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  get server(): ApiClient['server'] {
    return this.#client.server;
  }

  request(call: ApiCall): Promise<unknown> {
    return this.#recorded(call, this.#client.request(call));
  }

  stream(call: ApiStreamCall): ReturnType<ApiClient['stream']> {
    return this.#recorded(call, this.#client.stream(call));
  }

  close(): void {
    this.#client.close();
  }

  async #recorded<T>(call: ApiCall | ApiStreamCall, answer: Promise<T>): Promise<T> {
    const right = rightOf(call);
    if (right !== undefined) this.used.push(right);
    try {
      return await answer;
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 403) {
        this.forbidden.push(`${call.method} ${call.path}: ${error.message}`);
      }
      throw error;
    }
  }
}
