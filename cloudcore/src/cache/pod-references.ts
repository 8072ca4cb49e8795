import type { JsonObject, KubeObject } from '@hawser/kube';
import { formatKey, type ContentKey } from '@hawser/sync';
import { record, records, text } from './json-reader.ts';
import { isObjectName } from './object-key.ts';

/** Lists of containers in a pod's spec. */
const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'];
/** Volume sources that name a secret of the pod's namespace under `secretRef`. */
const SECRET_REF_SOURCES = ['cephfs', 'cinder', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos'];

/**
 * Keys of every object that a pod's spec names, and that its node needs to run it: configMaps, secrets, the service
 * account, claims. Each once; all are of the pod's namespace. Whether they exist, or are optional, does not matter.
 *
 * It is what the Node authorizer lets a node read because of the pod; secrets that only the service account names
 * are not in it (pull secrets of an account are copied into the pod when it is created).
 * Source: kubernetes pkg/api/v1/pod VisitPodSecretNames, VisitPodConfigmapNames; plugin/pkg/auth/authorizer/node
 * graph.go AddPod; KEP-1698 (names of claims of ephemeral volumes).
 */
export function podReferences(pod: KubeObject): readonly ContentKey[] {
  const spec = record(pod['spec']);
  const found = new References(pod.metadata.namespace ?? '');
  for (const { name } of records(spec['imagePullSecrets'])) found.add('secrets', name);
  for (const list of CONTAINER_LISTS) {
    for (const container of records(spec[list])) addEnvironment(found, container);
  }
  for (const volume of records(spec['volumes'])) addVolume(found, volume, pod.metadata.name ?? '');
  found.add('serviceaccounts', spec['serviceAccountName']);
  return found.keys();
}

/** Whether the pod's containers have ended for good: it holds on to nothing any more. */
export function isTerminated(pod: KubeObject): boolean {
  const { phase } = record(pod['status']);
  return phase === 'Succeeded' || phase === 'Failed';
}

type Resource = 'configmaps' | 'secrets' | 'serviceaccounts' | 'persistentvolumeclaims';

class References {
  readonly #namespace: string;
  readonly #keys = new Set<ContentKey>();

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** What is no name is left out. */
  add(resource: Resource, name: unknown): void {
    if (isObjectName(name)) this.#keys.add(formatKey(resource, this.#namespace, name));
  }

  keys(): readonly ContentKey[] {
    return [...this.#keys];
  }
}

function addEnvironment(found: References, container: JsonObject): void {
  for (const source of records(container['envFrom'])) {
    found.add('configmaps', record(source['configMapRef'])['name']);
    found.add('secrets', record(source['secretRef'])['name']);
  }
  for (const variable of records(container['env'])) {
    const from = record(variable['valueFrom']);
    found.add('configmaps', record(from['configMapKeyRef'])['name']);
    found.add('secrets', record(from['secretKeyRef'])['name']);
  }
}

function addVolume(found: References, volume: JsonObject, podName: string): void {
  found.add('configmaps', record(volume['configMap'])['name']);
  found.add('secrets', record(volume['secret'])['secretName']);
  found.add('secrets', record(volume['azureFile'])['secretName']);
  found.add('secrets', record(record(volume['csi'])['nodePublishSecretRef'])['name']);
  for (const source of SECRET_REF_SOURCES) {
    found.add('secrets', record(record(volume[source])['secretRef'])['name']);
  }
  for (const source of records(record(volume['projected'])['sources'])) {
    found.add('configmaps', record(source['configMap'])['name']);
    found.add('secrets', record(source['secret'])['name']);
  }
  found.add('persistentvolumeclaims', record(volume['persistentVolumeClaim'])['claimName']);
  if (volume['ephemeral'] !== undefined) {
    found.add('persistentvolumeclaims', `${podName}-${text(volume['name'])}`);
  }
}
