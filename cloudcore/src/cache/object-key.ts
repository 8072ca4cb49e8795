import type { ApiResource } from '@hawser/kube';

/** The plural of a resource with its group, as keys name it: `pods`, `devices.devices.kubeedge.io`. */
export function resourceName(resource: Pick<ApiResource, 'group' | 'resource'>): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

/** A name of configMaps, secrets, accounts, claims. Source: RFC 1123 subdomain, as the API server checks it. */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/**
 * Whether an object can have this name. References in specs are not checked by the API server: what they name may be
 * no name at all, and then there is nothing to look for.
 */
export function isObjectName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= 253 && OBJECT_NAME.test(name);
}
