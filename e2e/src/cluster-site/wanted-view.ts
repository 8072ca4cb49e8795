import { createPrivateKey, hkdfSync } from 'node:crypto';
import { HAWSER_NAMESPACE, OBJECTS } from '@hawser/cloudcore';
import { RESOURCES, type ApiResource, type KubeObject } from '@hawser/kube';
import { contentOf, POOL_RESOURCES, poolStateKeys, rawPublicKey, SOLO_PREFIX } from '@hawser/sync';
import type { SiteObjects } from './site-objects.ts';

/** What volumes of test pods look like, projected ones of service accounts among them. */
interface PodSpec {
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly volumes?: readonly Volume[];
}
interface Volume {
  readonly configMap?: { readonly name?: string };
  readonly secret?: { readonly secretName?: string };
  readonly projected?: { readonly sources?: readonly { readonly configMap?: { readonly name?: string } }[] };
}

/**
 * What a node in no pool is to have, worked out from lists of the API server and nothing else: its Node, pods that are
 * bound to it, the configMaps, secrets and service accounts that those name (as far as test pods name any), and that it
 * is alone.
 * @returns hashes by key, as `SiteEdge.objects`
 */
export async function wantedView(objects: SiteObjects, node: string): Promise<ReadonlyMap<string, string>> {
  const [pods, configMaps, secrets, accounts] = await Promise.all(
    [RESOURCES.pods, RESOURCES.configmaps, RESOURCES.secrets, RESOURCES.serviceaccounts].map((resource) =>
      objects.list(resource),
    ),
  );
  const wanted = new Map<string, string>();
  const add = (resource: ApiResource, object: KubeObject): void => {
    const { key, hash } = contentOf(resource.resource, object);
    wanted.set(key, hash);
  };
  const own = (pods ?? []).filter((pod) => specOf(pod).nodeName === node);
  for (const pod of own) add(RESOURCES.pods, typed(pod, 'v1', 'Pod'));
  const named = new Set(own.flatMap(namesIn));
  const addNamed = (resource: ApiResource, all: readonly KubeObject[] = []): void => {
    for (const object of all) {
      const { namespace = '', name = '' } = object.metadata;
      if (named.has(`${resource.resource}/${namespace}/${name}`))
        add(resource, typed(object, 'v1', resource.kind));
    }
  };
  addNamed(RESOURCES.configmaps, configMaps);
  addNamed(RESOURCES.secrets, secrets);
  addNamed(RESOURCES.serviceaccounts, accounts);
  add(RESOURCES.nodes, await objects.get(RESOURCES.nodes, node));
  const { key, hash } = contentOf(POOL_RESOURCES.membership, await aloneOf(objects, node));
  wanted.set(key, hash);
  return wanted;
}

/** What the hub tells a node in no pool: that it is its own, and the keys that states are signed with. */
async function aloneOf(objects: SiteObjects, node: string): Promise<object> {
  const authority = await objects.get(RESOURCES.secrets, OBJECTS.authority, HAWSER_NAMESPACE);
  const { 'tls.key': pem = '' } = authority['data'] as Readonly<Record<string, string>>;
  const { d = '' } = createPrivateKey(Buffer.from(pem, 'base64')).export({ format: 'jwk' });
  const secret = Buffer.from(d, 'base64url');
  const seed = new Uint8Array(hkdfSync('sha256', secret, Buffer.alloc(0), 'hawser pool state v1', 32));
  const pool = SOLO_PREFIX + node;
  return {
    ...{ apiVersion: 'hawser.dev/v1', kind: 'PoolMembership', metadata: { name: pool } },
    spec: { pool, leader: '', endpoint: '', epoch: 0, keys: [rawPublicKey(poolStateKeys(seed).publicKey)] },
  };
}

/** Differences between two views, a line each: what a failed comparison shows. */
export function differences(
  edge: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): readonly string[] {
  const missing = [...wanted.keys()].filter((key) => !edge.has(key)).map((key) => `lacks ${key}`);
  const others = [...edge].flatMap(([key, hash]) => {
    const want = wanted.get(key);
    return want === undefined ? [`should not have ${key}`] : want === hash ? [] : [`has another ${key}`];
  });
  return [...missing, ...others];
}

function specOf(pod: KubeObject): PodSpec {
  return pod['spec'] ?? {};
}

/** Lists leave kind and version of their items out. */
function typed(object: KubeObject, apiVersion: string, kind: string): KubeObject {
  return { ...object, apiVersion, kind };
}

function namesIn(pod: KubeObject): readonly string[] {
  const { namespace = '' } = pod.metadata;
  const { serviceAccountName = '', volumes = [] } = specOf(pod);
  const configMaps = volumes.flatMap(({ configMap, projected }) => [
    configMap?.name,
    ...(projected?.sources ?? []).map((source) => source.configMap?.name),
  ]);
  const secrets = volumes.map(({ secret }) => secret?.secretName);
  return [
    ...configMaps.map((name) => `configmaps/${namespace}/${name ?? ''}`),
    ...secrets.map((name) => `secrets/${namespace}/${name ?? ''}`),
    `serviceaccounts/${namespace}/${serviceAccountName}`,
  ];
}
