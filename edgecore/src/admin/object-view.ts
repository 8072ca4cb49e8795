import type { ContentKey, ReplicaStore } from '@hawser/sync';
import type { ObjectList, ObjectRow, ObjectView } from './admin-types.ts';

const SECRETS = 'secrets/';

/** What the edge has, scope by scope. @param resource only of this one */
export function listObjects(
  replica: ReplicaStore,
  scopes: readonly string[],
  resource: string | undefined,
): ObjectList {
  const items = scopes.flatMap((scope) =>
    [...replica.entries(scope).keys()]
      .filter((key) => resource === undefined || key.startsWith(`${resource}/`))
      .map((key) => rowOf(replica, scope, key))
      .filter((row) => row !== undefined),
  );
  return { items: items.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
}

/** One object, without the values of a Secret; undefined where no scope has it. */
export async function viewObject(
  replica: ReplicaStore,
  scopes: readonly string[],
  key: ContentKey,
): Promise<ObjectView | undefined> {
  for (const scope of scopes) {
    const row = rowOf(replica, scope, key);
    const bytes = row && (await replica.read(scope, key));
    if (row === undefined || bytes === undefined) continue;
    const object: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return { ...row, object: key.startsWith(SECRETS) ? withoutValues(object) : object };
  }
  return undefined;
}

function rowOf(replica: ReplicaStore, scope: string, key: ContentKey): ObjectRow | undefined {
  const entry = replica.entries(scope).get(key);
  return (
    entry && { scope, key, resourceVersion: entry.version, hash: entry.hash, sizeBytes: entry.sizeBytes }
  );
}

/** What a Secret is about is in its other fields; these are what it is. Source: core/v1 Secret. */
function withoutValues(secret: unknown): unknown {
  if (typeof secret !== 'object' || secret === null) return {};
  const { data, stringData, ...shown } = secret as Record<string, unknown>;
  return {
    ...shown,
    data: lengthsOf(data),
    ...(stringData !== undefined && { stringData: lengthsOf(stringData) }),
  };
}

function lengthsOf(values: unknown): Readonly<Record<string, string>> {
  if (typeof values !== 'object' || values === null) return {};
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, `${String(value).length} characters`]),
  );
}
