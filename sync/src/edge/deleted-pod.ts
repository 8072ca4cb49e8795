import type { ContentKey } from '../content/content.ts';
import type { ReplicaStore } from './replica-store.ts';

/**
 * Whether this object is a pod that was marked for deletion: then its removal is no surprise (docs/sync.md, "Mass
 * removal"). What cannot be read is not: at worst the hub is asked once more.
 */
export async function isDeletedPod(store: ReplicaStore, scope: string, key: ContentKey): Promise<boolean> {
  if (!key.startsWith('pods/')) return false;
  try {
    const bytes = await store.read(scope, key);
    if (bytes === undefined) return false;
    const pod = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      readonly metadata?: { readonly deletionTimestamp?: unknown };
    } | null;
    return typeof pod?.metadata?.deletionTimestamp === 'string';
  } catch {
    return false;
  }
}
