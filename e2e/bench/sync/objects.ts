import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resourcePath, RESOURCES, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';

const FIXTURES = new URL('../../../fixtures/', import.meta.url);
/** Calls under way at a time while many objects are made. */
const AT_A_TIME = 32;

/** A fixture of e2e/fixtures. */
export async function fixture(name: 'pod-4k' | 'configmap-2k'): Promise<KubeObject> {
  return JSON.parse(await readFile(new URL(`${name}.json`, FIXTURES), 'utf8')) as KubeObject;
}

/** A copy with another name, without what a server sets. */
export function named(object: KubeObject, name: string): KubeObject {
  const { labels, annotations } = object.metadata;
  const metadata = {
    name,
    namespace: 'default',
    ...(labels && { labels }),
    ...(annotations && { annotations }),
  };
  return { ...object, metadata };
}

/** A pod of 4 KB that is bound to a node and reads these configMaps. */
export function boundPod(
  pod: KubeObject,
  name: string,
  node: string,
  configMaps: readonly string[],
): KubeObject {
  const { metadata, apiVersion, kind } = named(pod, name);
  const spec = pod['spec'] as Readonly<Record<string, unknown>> & { readonly volumes?: readonly unknown[] };
  const read = configMaps.map((configMap) => ({ name: configMap, configMap: { name: configMap } }));
  const volumes = [...(spec.volumes ?? []), ...read];
  return {
    apiVersion,
    kind,
    metadata,
    spec: { ...spec, nodeName: node, volumes, serviceAccountName: 'default' },
  };
}

/** A ConfigMap of about `bytes`, in keys of 32 random characters each. */
export function largeConfigMap(name: string, bytes: number): KubeObject {
  const keys = Math.floor(bytes / 64);
  const data = Object.fromEntries(
    Array.from({ length: keys }, (_, index) => [`setting-${String(index).padStart(6, '0')}`, randomText()]),
  );
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

/** 32 random characters. */
export function randomText(): string {
  return randomBytes(16).toString('hex');
}

/** Creates one object. */
export async function create(client: ApiClient, resource: ApiResource, object: KubeObject): Promise<void> {
  const path = resourcePath(resource, { namespace: object.metadata.namespace });
  await client.request({ method: 'POST', path, body: object });
}

/** Creates many, some at a time. */
export async function createAll(
  client: ApiClient,
  resource: ApiResource,
  objects: Iterable<KubeObject>,
): Promise<void> {
  const iterator = objects[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next())
      await create(client, resource, next.value);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

/** Changes one key of a ConfigMap. */
export async function patchKey(
  client: ApiClient,
  configMap: string,
  key: string,
  value: string,
): Promise<void> {
  await client.request({
    method: 'PATCH',
    path: resourcePath(RESOURCES.configmaps, { namespace: 'default', name: configMap }),
    body: { data: { [key]: value } },
    contentType: 'application/merge-patch+json',
  });
}

/** The pods and configMaps of one node: 10 of 4 KB and 5 of 2 KB, its own. */
export function* nodeConfigMaps(configMap: KubeObject, node: string): Generator<KubeObject> {
  for (let index = 0; index < 5; index++) yield named(configMap, `${node}-cm-${index}`);
}

/** See {@link nodeConfigMaps}. */
export function* nodePods(pod: KubeObject, node: string): Generator<KubeObject> {
  for (let index = 0; index < 10; index++)
    yield boundPod(pod, `${node}-pod-${index}`, node, [`${node}-cm-${index % 5}`]);
}
