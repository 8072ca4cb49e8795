import {
  parseKey,
  type Content,
  type PoolMembership,
  type PoolResource,
  type PoolRoster,
} from '@hawser/sync';

/** Members of a pool, and resources, that are taken from a roster. */
const MAX_MEMBERS = 5_000;
const MAX_RESOURCES = 200;
const MAX_REVOKED = 10_000;

/** What the hub says of this node's pool, from the bytes of the object. Undefined: it is none. */
export function readMembership(bytes: Uint8Array): PoolMembership | undefined {
  const spec = specOf(bytes);
  const { pool, leader, endpoint, epoch, keys, leaderless } = spec;
  if (typeof pool !== 'string' || pool === '' || pool.includes('/')) return undefined;
  if (typeof leader !== 'string' || typeof endpoint !== 'string' || !isCount(epoch)) return undefined;
  if (!isTexts(keys)) return undefined;
  return { pool, leader, endpoint, epoch, keys, ...(leaderless === true && { leaderless }) };
}

/** What the hub says of all members. Undefined: it is none. */
export function readRoster({ bytes }: Pick<Content, 'bytes'>): PoolRoster | undefined {
  const spec = specOf(bytes);
  const { pool, epoch, leader, heartbeatSeconds } = spec;
  const members = readItems(spec['members'], MAX_MEMBERS, readMember);
  const resources = readItems(spec['resources'], MAX_RESOURCES, readResource);
  const { revoked } = spec;
  if (typeof pool !== 'string' || typeof leader !== 'string' || !isCount(epoch)) return undefined;
  if (members === undefined || resources === undefined || !isTexts(revoked)) return undefined;
  if (revoked.length > MAX_REVOKED) return undefined;
  const seconds = typeof heartbeatSeconds === 'number' && heartbeatSeconds > 0 ? heartbeatSeconds : 5;
  return { pool, epoch, leader, members, resources, revoked, heartbeatSeconds: seconds };
}

/** Whether a key is one of a resource. */
export function isOf(resource: string, key: string): boolean {
  return key.startsWith(`${resource}/`) && parseKey(key).resource === resource;
}

function specOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const object = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly spec?: unknown } | null;
    return isRecord(object?.spec) ? object.spec : {};
  } catch {
    return {}; // no JSON: it has none of the fields
  }
}

function readMember(value: unknown): PoolRoster['members'][number] | undefined {
  if (!isRecord(value)) return undefined;
  const { name, endpoint, zone, eligible } = value;
  if (typeof name !== 'string' || name === '' || typeof endpoint !== 'string') return undefined;
  return { name, endpoint, zone: typeof zone === 'string' ? zone : '', eligible: eligible === true };
}

function readResource(value: unknown): PoolResource | undefined {
  if (!isRecord(value)) return undefined;
  const { group, version, resource, kind, namespaced } = value;
  if (typeof group !== 'string' || typeof version !== 'string' || typeof kind !== 'string') return undefined;
  if (typeof resource !== 'string' || resource === '' || resource.includes('/')) return undefined;
  return { group, version, resource, kind, namespaced: namespaced === true };
}

function readItems<T>(
  value: unknown,
  most: number,
  read: (item: unknown) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > most) return undefined;
  const items = value.map(read);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
