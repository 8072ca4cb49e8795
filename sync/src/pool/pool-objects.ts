import { formatKey, type KeyParts } from '../content/key.ts';
import type { ContentKey } from '../content/content.ts';

/**
 * What the hub makes up for pools: objects as they travel in scopes, without a counterpart in the API server. All have
 * `apiVersion: hawser.dev/v1`. docs/pool.md, "Objects that the hub makes up".
 */

/** Resources of these objects, as keys and scopes name them. */
export const POOL_RESOURCES = {
  membership: 'poolmemberships.hawser.dev',
  roster: 'poolrosters.hawser.dev',
  authentication: 'clusterauthentications.hawser.dev',
} as const;

/** The one name of a {@link ClusterAuthentication}. */
export const AUTHENTICATION_NAME = 'cluster';
/** `apiVersion` of all of them. */
export const POOL_API_VERSION = 'hawser.dev/v1';

/** A resource that is the same for a whole pool. */
export interface PoolResource {
  /** `''`: the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** What a node knows of its place in a pool. */
export interface PoolMembership {
  readonly pool: string;
  /** Node; empty: there is none. */
  readonly leader: string;
  /** `address:port` of the leader; empty: not known. */
  readonly endpoint: string;
  readonly epoch: number;
  /** There is none by intention: each member reads from the hub. Absent: one is to be. */
  readonly leaderless?: true;
  /** Raw Ed25519 public keys of signed states, base64, the present one first. */
  readonly keys: readonly string[];
}

/** One member, as the others know it. */
export interface PoolMemberEntry {
  readonly name: string;
  /** `address:port`; empty: not known. */
  readonly endpoint: string;
  /** Label `topology.kubernetes.io/zone`; empty: none. */
  readonly zone: string;
  /** Whether it may lead. */
  readonly eligible: boolean;
}

/** What a pool's members are told about each other. */
export interface PoolRoster {
  readonly pool: string;
  readonly epoch: number;
  readonly leader: string;
  /** By name. */
  readonly members: readonly PoolMemberEntry[];
  /** What is shared in the pool, the system's own included, but for the roster itself. */
  readonly resources: readonly PoolResource[];
  /** SHA-256 of certificates of nodes that were revoked and have not expired, lower-case hex. */
  readonly revoked: readonly string[];
  /**
   * Seconds between two signs of life on the LAN, 0.2 or more; 5 where the hub is not told otherwise (`pools.heartbeatSeconds`).
   * All other times of members and of elections grow and shrink with it: docs/pool.md, "Times".
   */
  readonly heartbeatSeconds: number;
}

/** What callers are known by without a cloud. */
export interface ClusterAuthentication {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** JSON Web Key Set of service account tokens, RFC 7517. */
  readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** PEM of authorities of client certificates, any number. */
  readonly clientCa: string;
}

/** Prefix of pools that are one node: `~<node>`. */
export const SOLO_PREFIX = '~';

/** `endpointslices.discovery.k8s.io`, `services`: a resource as keys and scopes name it. */
export function poolResourceName({ group, resource }: Pick<PoolResource, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** `pool/<pool>/<resource>`. */
export function poolScope(pool: string, resource: string): string {
  return `pool/${pool}/${resource}`;
}

/** The parts of `<pool>/<resource>`, of a Subscribe or a scope without its kind; undefined: it is none. */
export function parsePoolScope(
  name: string,
): { readonly pool: string; readonly resource: string } | undefined {
  const slash = name.indexOf('/');
  const pool = name.slice(0, Math.max(slash, 0));
  const resource = name.slice(slash + 1);
  return pool === '' || resource === '' || resource.includes('/') ? undefined : { pool, resource };
}

/** Key of an object that the hub makes up. */
export function poolObjectKey(resource: KeyParts['resource'], name: string): ContentKey {
  return formatKey(resource, '', name);
}
