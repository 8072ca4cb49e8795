import type { KubeObject } from '../../meta/object.ts';
import type { ObjectStore } from '../../store/store.ts';
import { record, records, text, type MutableRecord } from '../draft.ts';

/** Resources that a node may see because a pod of its refers to them. */
export type ReferencedResource =
  'configmaps' | 'secrets' | 'serviceaccounts' | 'persistentvolumeclaims' | 'persistentvolumes';

/**
 * Which objects the pods of a node refer to. Answers are made from the store's present state, so that there is no
 * graph to keep up to date; pods per node are few, and lists of the store cost no copies.
 * Source of the relation: kubernetes plugin/pkg/auth/authorizer/node graph.go.
 */
export class NodeGraph {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Whether a pod on the node refers to the object. */
  refers(node: string, resource: ReferencedResource, namespace: string, name: string): boolean {
    if (resource === 'persistentvolumes') return this.#refersToVolume(node, name);
    return this.#pods(node, namespace).some((pod) => references(pod, resource).has(name));
  }

  /** Whether the pod runs on the node. */
  runs(node: string, namespace: string, name: string): boolean {
    const pod = this.#store.get({ group: '', resource: 'pods', namespace, name });
    return pod !== undefined && record(pod.object['spec'])['nodeName'] === node;
  }

  #refersToVolume(node: string, name: string): boolean {
    const { claimRef } = record(
      this.#store.get({ group: '', resource: 'persistentvolumes', namespace: '', name })?.object['spec'],
    );
    const { namespace, name: claim } = record(claimRef);
    return text(claim) !== '' && this.refers(node, 'persistentvolumeclaims', text(namespace), text(claim));
  }

  #pods(node: string, namespace: string): KubeObject[] {
    return this.#store
      .list({ group: '', resource: 'pods', namespace })
      .entries.map(({ object }) => object)
      .filter((pod) => record(pod['spec'])['nodeName'] === node);
  }
}

const cache = new WeakMap<KubeObject, Map<ReferencedResource, ReadonlySet<string>>>();

/** Names that a pod refers to; computed once per stored state. */
function references(pod: KubeObject, resource: ReferencedResource): ReadonlySet<string> {
  let known = cache.get(pod);
  if (known === undefined) {
    known = referencesOf(record(pod['spec']));
    cache.set(pod, known);
  }
  return known.get(resource) ?? new Set();
}

function referencesOf(spec: MutableRecord): Map<ReferencedResource, ReadonlySet<string>> {
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  const claims = new Set<string>();
  const add = (set: Set<string>, name: unknown): void => {
    if (text(name) !== '') set.add(text(name));
  };
  for (const { name } of records(spec['imagePullSecrets'])) add(secrets, name);
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const container of records(spec[list])) {
      for (const source of records(container['envFrom'])) {
        add(secrets, record(source['secretRef'])['name']);
        add(configMaps, record(source['configMapRef'])['name']);
      }
      for (const variable of records(container['env'])) {
        const from = record(variable['valueFrom']);
        add(secrets, record(from['secretKeyRef'])['name']);
        add(configMaps, record(from['configMapKeyRef'])['name']);
      }
    }
  }
  for (const volume of records(spec['volumes'])) {
    add(secrets, record(volume['secret'])['secretName']);
    add(configMaps, record(volume['configMap'])['name']);
    add(claims, record(volume['persistentVolumeClaim'])['claimName']);
    for (const driver of ['csi', 'flexVolume', 'cephfs', 'iscsi', 'rbd', 'scaleIO', 'storageos', 'cinder']) {
      const source = record(volume[driver]);
      add(secrets, record(source['nodePublishSecretRef'])['name']);
      add(secrets, record(source['secretRef'])['name']);
    }
    for (const source of records(record(volume['projected'])['sources'])) {
      add(secrets, record(source['secret'])['name']);
      add(configMaps, record(source['configMap'])['name']);
    }
  }
  const accounts = new Set<string>();
  add(accounts, spec['serviceAccountName']);
  return new Map<ReferencedResource, ReadonlySet<string>>([
    ['secrets', secrets],
    ['configmaps', configMaps],
    ['persistentvolumeclaims', claims],
    ['serviceaccounts', accounts],
  ]);
}
