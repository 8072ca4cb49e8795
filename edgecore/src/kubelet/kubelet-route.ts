import { KubeletFailure } from './kubelet-failure.ts';

/** Names a container of a pod, as the path of a request does. */
export interface ContainerPath {
  readonly namespace: string;
  readonly pod: string;
  /** Only this one of all pods that had the name. */
  readonly uid: string | undefined;
  readonly container: string;
}

/** Asks for something of the node as a whole. */
export interface NodeRoute {
  readonly kind: 'healthz' | 'pods' | 'running-pods' | 'stats-summary' | 'resource-metrics';
}
/** Asks for the log of a container. */
export interface LogRoute extends ContainerPath {
  readonly kind: 'container-logs';
}
/** Asks for a way into a container. */
export interface ContainerStreamRoute extends ContainerPath {
  readonly kind: 'exec' | 'attach';
}
/** Asks for a way to ports of a pod. */
export interface PortForwardRoute extends Omit<ContainerPath, 'container'> {
  readonly kind: 'port-forward';
}

/** What a request to the kubelet API asks for. */
export type KubeletRoute = NodeRoute | LogRoute | ContainerStreamRoute | PortForwardRoute;

const GET = ['GET', 'HEAD'];
const GET_OR_POST = ['GET', 'POST'];

/** Paths without names in them. Source: kubelet, server.go InstallDefaultHandlers and InstallAuthRequiredHandlers. */
const FIXED: Readonly<Record<string, NodeRoute & { readonly methods: readonly string[] }>> = {
  '/healthz': { kind: 'healthz', methods: GET },
  '/pods': { kind: 'pods', methods: GET },
  '/runningpods': { kind: 'running-pods', methods: GET },
  '/stats/summary': { kind: 'stats-summary', methods: GET_OR_POST },
  '/metrics/resource': { kind: 'resource-metrics', methods: GET },
};

/**
 * What a request asks for; undefined: nothing that is served here. Source: kubelet, server.go: the same paths, without
 * those that are for the debugging of a kubelet itself.
 * @param path of the URL, without a query, percent-encoded
 * @throws KubeletFailure 405 for a method that the path does not have, 400 for a path that cannot be decoded
 */
export function kubeletRoute(method: string, path: string): KubeletRoute | undefined {
  const fixed = FIXED[path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path];
  if (fixed !== undefined) {
    allow(method, fixed.methods);
    return { kind: fixed.kind };
  }
  const [, resource = '', ...encoded] = path.split('/');
  const names = encoded.map(decoded);
  if (names.includes('')) return undefined;
  return namedRoute(method, resource, names);
}

function namedRoute(method: string, resource: string, names: readonly string[]): KubeletRoute | undefined {
  const [namespace, pod, third, fourth] = names;
  if (namespace === undefined || pod === undefined) return undefined;
  switch (`${resource}/${names.length}`) {
    case 'containerLogs/3':
      allow(method, GET);
      return { kind: 'container-logs', namespace, pod, uid: undefined, container: third ?? '' };
    case 'exec/3':
    case 'exec/4':
    case 'attach/3':
    case 'attach/4': {
      allow(method, GET_OR_POST);
      const kind = resource === 'exec' ? 'exec' : 'attach';
      if (fourth === undefined) return { kind, namespace, pod, uid: undefined, container: third ?? '' };
      return { kind, namespace, pod, uid: third, container: fourth };
    }
    case 'portForward/2':
    case 'portForward/3':
      allow(method, GET_OR_POST);
      return { kind: 'port-forward', namespace, pod, uid: third };
    default:
      return undefined;
  }
}

function allow(method: string, methods: readonly string[]): void {
  if (!methods.includes(method)) throw new KubeletFailure(405, '405: Method Not Allowed');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new KubeletFailure(400, `the path cannot be decoded: ${part}`, { cause });
  }
}
