import { readFileSync } from 'node:fs';
import type { KubeObject, ObjectStore } from '@hawser/kube';
import { LABELS } from '../../src/cluster/names.ts';

/** How large a cluster is made. */
export interface PopulationSize {
  readonly nodes: number;
  readonly podsPerNode: number;
  readonly configMapsPerNode: number;
  /** Secrets of 10 KB that nobody names. */
  readonly secrets: number;
}

const SECRET_BYTES = 10_000;

function fixture(name: string): string {
  return readFileSync(new URL(`../../../test/fixtures/${name}.json`, import.meta.url), 'utf8');
}

/** Fills a store directly: pods of 4 KB, configMaps of 2 KB, and Secrets that are of no use to any edge. */
export async function populate(store: ObjectStore, size: PopulationSize): Promise<void> {
  const podText = fixture('pod-4k');
  const configMapText = fixture('configmap-2k');
  for (let index = 0; index < size.nodes; index += 1) {
    const node = `edge-${index}`;
    await put(store, 'nodes', '', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node, labels: { [LABELS.edge]: '' } },
    });
    for (let number = 0; number < size.configMapsPerNode; number += 1) {
      await put(store, 'configmaps', 'default', named(configMapText, `settings-${node}-${number}`));
    }
    for (let number = 0; number < size.podsPerNode; number += 1) {
      const settings = `settings-${node}-${number % size.configMapsPerNode}`;
      const pod = named(
        podText.replaceAll('"line-reader-settings"', JSON.stringify(settings)),
        `pod-${node}-${number}`,
      );
      await put(store, 'pods', 'default', { ...pod, spec: { ...(pod['spec'] as object), nodeName: node } });
    }
  }
  for (let number = 0; number < size.secrets; number += 1) {
    const name = `unrelated-${number}`;
    const data = { value: 'c2VjcmV0'.repeat(SECRET_BYTES / 8) };
    await put(store, 'secrets', 'default', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      type: 'Opaque',
      data,
    });
  }
}

function named(text: string, name: string): KubeObject {
  const object = JSON.parse(text) as KubeObject;
  return { ...object, metadata: { ...object.metadata, name } };
}

async function put(
  store: ObjectStore,
  resource: string,
  namespace: string,
  object: KubeObject,
): Promise<void> {
  const { name = '' } = object.metadata;
  const metadata = { ...object.metadata, uid: crypto.randomUUID(), ...(namespace !== '' && { namespace }) };
  await store.create({ group: '', resource, namespace, name }, { ...object, metadata });
}
