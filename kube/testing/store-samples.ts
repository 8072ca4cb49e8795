import type { KubeObject, ObjectKey, ObjectStore, Scope, StoreEvent } from '../src/index.ts';

export const configMaps: Scope = { group: '', resource: 'configmaps' };
export const secrets: Scope = { group: '', resource: 'secrets' };

/** The key of a ConfigMap. */
export function keyOf(name: string, namespace = 'default'): ObjectKey {
  return { ...configMaps, namespace, name };
}

/** A ConfigMap. */
export function configMap(
  name: string,
  data: Record<string, string> = {},
  namespace = 'default',
): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, uid: `uid-${name}` }, data };
}

/** `data.value` of a ConfigMap, as a number; 0 if it has none. */
export function valueOf(object: KubeObject): number {
  const data = object['data'] as { value?: string } | undefined;
  return Number(data?.value ?? 0);
}

/** The next `count` events of a watch. */
export async function take(watch: AsyncIterable<StoreEvent>, count: number): Promise<StoreEvent[]> {
  const iterator = watch[Symbol.asyncIterator]();
  const events: StoreEvent[] = [];
  while (events.length < count) {
    const next = await iterator.next();
    if (next.done === true) throw new Error(`the watch ended after ${events.length} of ${count} events`);
    events.push(next.value);
  }
  return events;
}

/** One line for an event: `MODIFIED default/a@5`. */
export function describeEvent({ type, entry }: StoreEvent): string {
  return `${type} ${entry.key.namespace}/${entry.key.name}@${entry.resourceVersion}`;
}

/** Sets `data.value` one higher, trying again on conflict as a client does; returns the conflicts met. */
export async function increment(store: ObjectStore, key: ObjectKey): Promise<number> {
  for (let conflicts = 0; ; conflicts += 1) {
    const current = store.get(key);
    if (current === undefined) throw new Error(`${key.name} is gone`);
    const value = String(valueOf(current.object) + 1);
    try {
      await store.update(key, current.resourceVersion, { ...current.object, data: { value } });
      return conflicts;
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_KUBE_CONFLICT') throw error;
    }
  }
}
