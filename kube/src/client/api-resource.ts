import { ClientError } from './client-error.ts';

/** A served resource. `group` is `''` for the core group, `resource` the lower-case plural. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Which part of a resource a path means. */
export interface ResourceTarget {
  /** Absent or `''`: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** `status`, `scale`, `binding`, … */
  readonly subresource?: string | undefined;
}

/** `group/version`, or `version` in the core group: what objects carry as `apiVersion`. */
export function apiVersionOf(resource: Pick<ApiResource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/**
 * The URL path of a collection, an object or a subresource, each segment escaped.
 * Source: Kubernetes API concepts, "Resource URIs".
 * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` for a segment `.` or `..`
 */
export function resourcePath(resource: ApiResource, target: ResourceTarget = {}): string {
  const { namespace = '', name = '', subresource = '' } = target;
  const segments = [resource.group === '' ? 'api' : 'apis', ...apiVersionOf(resource).split('/')];
  if (resource.namespaced && namespace !== '') segments.push('namespaces', namespace);
  segments.push(resource.resource);
  if (name !== '') segments.push(name);
  if (name !== '' && subresource !== '') segments.push(...subresource.split('/'));
  return `/${segments.map(escapeSegment).join('/')}`;
}

function escapeSegment(segment: string): string {
  // Escaping leaves these two as they are, and whoever resolves the path would leave the resource.
  if (segment !== '.' && segment !== '..') return encodeURIComponent(segment);
  throw new ClientError('ERR_KUBE_CLIENT_CONFIG', `"${segment}" is no name`);
}
