import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SqliteStore, type KubeObject, type ObjectKey } from '@hawser/kube';

const FIXTURES = new URL('../../../fixtures/', import.meta.url);
const POD = await fixture('pod-4k.json');
const CONFIG_MAP = await fixture('configmap-2k.json');
/** A pod's size as it is served, within which it is "about 4 KB". */
const POD_BYTES = [4000, 4200] as const;
const CONFIG_MAP_BYTES = [1950, 2100] as const;

/** Pods for each node of the cluster that {@link writeCluster} writes. */
const PODS_PER_NODE = 100;

async function fixture(name: string): Promise<KubeObject> {
  return JSON.parse(await readFile(new URL(name, FIXTURES), 'utf8')) as KubeObject;
}

/** A running pod of about 4 KB. They differ in name, uid and node. */
export function pod(index: number): KubeObject {
  const node = nodeName(Math.floor(index / PODS_PER_NODE));
  const object = renamed(POD, `line-reader-7d4b9c6f5-${digits(index)}`);
  return within(POD_BYTES, { ...object, spec: { ...(POD['spec'] as object), nodeName: node } });
}

/** A ConfigMap of about 2 KB. They differ in name and uid. */
export function configMap(index: number, prefix = 'line-reader-settings'): KubeObject {
  return within(CONFIG_MAP_BYTES, renamed(CONFIG_MAP, `${prefix}-${digits(index)}`));
}

/** The same with another value under the key `broker`. */
export function edited(object: KubeObject, broker: string): KubeObject {
  return { ...object, data: { ...(object['data'] as object), broker } };
}

/** The store's key of an object of the core group. */
export function storeKey(resource: string, { metadata }: KubeObject): ObjectKey {
  return { group: '', resource, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

/** Writes the database of a control plane into a data folder: so many pods, and the nodes that they run on. */
export async function writeCluster(dataDir: string, pods: number): Promise<void> {
  const store = await SqliteStore.open({ path: databaseOf(dataDir) });
  try {
    const nodes = Array.from({ length: Math.ceil(pods / PODS_PER_NODE) }, (_, index) => node(index));
    const running = Array.from({ length: pods }, (_, index) => pod(index));
    await Promise.all([
      ...nodes.map((object) => store.create(storeKey('nodes', object), object)),
      ...running.map((object) => store.create(storeKey('pods', object), object)),
    ]);
  } finally {
    await store.close();
  }
}

/** The database in a control plane's data folder. */
export function databaseOf(dataDir: string): string {
  return path.join(dataDir, 'state.db');
}

function node(index: number): KubeObject {
  const { creationTimestamp = '' } = POD.metadata;
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    lastHeartbeatTime: creationTimestamp,
  };
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name: nodeName(index), uid: randomUUID(), creationTimestamp },
    spec: {},
    status: { conditions: [{ ...ready, lastTransitionTime: creationTimestamp }] },
  };
}

function nodeName(index: number): string {
  return `edge-${String(index).padStart(3, '0')}`;
}

function digits(index: number): string {
  return String(index).padStart(5, '0');
}

function renamed(object: KubeObject, name: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, name, uid: randomUUID() } };
}

/** A fixture that was changed measures something else: say so instead. */
function within([least, most]: readonly [number, number], object: KubeObject): KubeObject {
  const { length } = JSON.stringify(object);
  if (length >= least && length <= most) return object;
  throw new RangeError(`the fixture of a ${object.kind} has ${length} bytes, not ${least} to ${most}`);
}
