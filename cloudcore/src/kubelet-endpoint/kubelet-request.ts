import { dns1123LabelProblems, dns1123SubdomainProblems } from '@hawser/kube';
import { KubeletRefusal } from './refusal.ts';

/** What a request wants of a kubelet, as metrics and the log call it. */
export type KubeletAction =
  'logs' | 'exec' | 'attach' | 'portForward' | 'stats' | 'metrics' | 'pods' | 'healthz';

/** A request to a node that was understood. */
export interface KubeletRequest {
  readonly action: KubeletAction;
  readonly method: string;
  /** The path as it is asked of the edge: made from what was understood, so that both see the same. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Whose business it is; undefined for those about the whole node. */
  readonly pod:
    { readonly namespace: string; readonly name: string; readonly container: string | undefined } | undefined;
  /** The verb to be authorized for. */
  readonly verb: 'get' | 'create';
  /** Subresources of `nodes`, one of which the client needs; the narrower first. */
  readonly subresources: readonly string[];
  /** Whether it must ask for another protocol; a request that must not is no upgrade. */
  readonly upgrade: boolean;
}

interface Rule {
  readonly action: KubeletAction;
  readonly methods: readonly string[];
  readonly subresources: readonly string[];
  readonly upgrade?: boolean;
}

const GET = ['GET'];
const GET_POST = ['GET', 'POST'];
const PROXY = ['proxy'];

/** Actions on a pod by the first part of their path. */
const POD_RULES: Readonly<Record<string, Rule>> = {
  containerLogs: { action: 'logs', methods: GET, subresources: PROXY },
  exec: { action: 'exec', methods: GET_POST, subresources: PROXY, upgrade: true },
  attach: { action: 'attach', methods: GET_POST, subresources: PROXY, upgrade: true },
  portForward: { action: 'portForward', methods: GET_POST, subresources: PROXY, upgrade: true },
};

/** Whole paths. Source: kubernetes pkg/kubelet/server/auth.go; KEP-2862 for the narrower subresources. */
const NODE_RULES: Readonly<Record<string, Rule>> = {
  '/stats/summary': { action: 'stats', methods: GET, subresources: ['stats'] },
  '/stats/': { action: 'stats', methods: GET, subresources: ['stats'] },
  '/metrics/resource': { action: 'metrics', methods: GET, subresources: ['metrics'] },
  '/pods': { action: 'pods', methods: GET, subresources: ['pods', 'proxy'] },
  '/runningpods/': { action: 'pods', methods: GET, subresources: ['pods', 'proxy'] },
  '/healthz': { action: 'healthz', methods: GET, subresources: ['healthz', 'proxy'] },
};

const UID = /^[A-Za-z0-9-]{1,64}$/;
/** Bytes of a path with its query: a command of exec is in it. */
const MAX_URL_BYTES = 32 * 1024;

/**
 * Understands a request to a kubelet: only what is listed above passes, anything else would be a way into the edge
 * that nobody has thought about.
 * @param node named in refusals
 * @throws KubeletRefusal 404 for other paths, 405 for other methods, 400 for an upgrade that is out of place or missing
 */
export function readKubeletRequest(
  node: string,
  request: { readonly method: string; readonly url: string; readonly isUpgrade: boolean },
): KubeletRequest {
  const { method, url, isUpgrade } = request;
  if (url.length > MAX_URL_BYTES) throw refused(414, `the path of a request for node ${node} is too long`);
  const at = url.indexOf('?');
  const path = at === -1 ? url : url.slice(0, at);
  const query = new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
  const { rule, ...place } = match(node, path);
  if (!rule.methods.includes(method)) {
    throw refused(405, `node ${node}: ${rule.action} takes ${rule.methods.join(' or ')}, and not ${method}`);
  }
  const upgrade = rule.upgrade ?? false;
  if (upgrade !== isUpgrade) {
    const what = upgrade ? 'needs an upgrade to SPDY or WebSocket' : 'takes no upgrade';
    throw refused(400, `node ${node}: ${rule.action} ${what}`);
  }
  return {
    action: rule.action,
    ...{ method, query, upgrade, ...place },
    subresources: rule.subresources,
    // Who opens a shell by GET (WebSocket) has to be allowed to do so as if it were a POST: it is no reading.
    verb: upgrade ? 'create' : 'get',
  };
}

function match(node: string, path: string): { rule: Rule } & Pick<KubeletRequest, 'path' | 'pod'> {
  const [first = '', ...parts] = path.split('/').slice(1);
  const podRule = Object.hasOwn(POD_RULES, first) ? POD_RULES[first] : undefined;
  if (podRule !== undefined) return { rule: podRule, ...podPath(node, first, parts) };
  const name = path === '/runningpods' ? '/runningpods/' : path;
  const rule = Object.hasOwn(NODE_RULES, name) ? NODE_RULES[name] : undefined;
  if (rule === undefined) {
    throw refused(
      404,
      `node ${node} is an edge node: ${JSON.stringify(path.slice(0, 128))} is not served for it`,
    );
  }
  return { rule, path: name, pod: undefined };
}

/** `/exec/NAMESPACE/POD[/UID]/CONTAINER`; port-forward has no container, and logs no UID. */
function podPath(
  node: string,
  first: string,
  encoded: readonly string[],
): Pick<KubeletRequest, 'path' | 'pod'> {
  const parts = encoded.map((part) => decode(node, part));
  const takesContainer = first !== 'portForward';
  const [namespace = '', name = '', ...rest] = parts;
  const container = takesContainer ? rest.pop() : undefined;
  const [uid, ...beyond] = rest;
  const isRight =
    dns1123LabelProblems(namespace).length === 0 &&
    dns1123SubdomainProblems(name).length === 0 &&
    (!takesContainer || (container !== undefined && dns1123LabelProblems(container).length === 0)) &&
    (uid === undefined || (first !== 'containerLogs' && UID.test(uid))) &&
    beyond.length === 0;
  if (!isRight) {
    throw refused(
      404,
      `node ${node}: /${first} needs namespace, pod${takesContainer ? ' and container' : ''}`,
    );
  }
  const path = ['', first, ...parts].join('/');
  return { path, pod: { namespace, name, container } };
}

function decode(node: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw refused(400, `node ${node}: the path has an escape that is none`, { cause });
  }
}

function refused(status: number, message: string, options?: ErrorOptions): KubeletRefusal {
  return new KubeletRefusal(status, 'path', message, options);
}
