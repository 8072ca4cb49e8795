import { HttpApiClient, ResourceClient, RESOURCES, type ApiResource, type KubeObject } from '@hawser/kube';
import { startKubeFixture, type KubeFixture, type KubeFixtureOptions } from '@hawser/kube/testing';
import { ApiVersionReader } from '../../src/cluster/api-version-reader.ts';
import { LABELS } from '../../src/cluster/names.ts';
import { ClusterCache, type ClusterCacheOptions } from '../../src/cache/cluster-cache.ts';

/** An API server and caches over it, for tests. */
export interface ClusterSite {
  readonly fixture: KubeFixture;
  readonly client: HttpApiClient;
  readonly versions: ApiVersionReader;
  /** Makes a cache and starts it; stopped with the site. */
  cache(options?: Partial<ClusterCacheOptions>): ClusterCache;
  create(object: KubeObject): Promise<KubeObject>;
  update(object: KubeObject): Promise<KubeObject>;
  remove(kind: keyof typeof KINDS, name: string, namespace?: string): Promise<void>;
  stop(): Promise<void>;
}

const KINDS = {
  Node: RESOURCES.nodes,
  Pod: RESOURCES.pods,
  ConfigMap: RESOURCES.configmaps,
  Secret: RESOURCES.secrets,
  ServiceAccount: RESOURCES.serviceaccounts,
  PersistentVolumeClaim: RESOURCES.persistentvolumeclaims,
  PersistentVolume: RESOURCES.persistentvolumes,
  Service: RESOURCES.services,
  Namespace: RESOURCES.namespaces,
  CustomResourceDefinition: RESOURCES.customresourcedefinitions,
} as const;

/** Starts an API server; further resources may be told by kind. */
export async function startClusterSite(
  options: KubeFixtureOptions = {},
  more: Readonly<Record<string, ApiResource>> = {},
): Promise<ClusterSite> {
  const fixture = await startKubeFixture({
    namespaces: ['default', 'kube-system', 'hawser-system'],
    ...options,
  });
  const client = new HttpApiClient({ server: fixture.url });
  const versions = new ApiVersionReader({ client });
  const caches: ClusterCache[] = [];
  const of = (kind: string): ResourceClient => {
    const resource = { ...KINDS, ...more }[kind];
    if (resource === undefined) throw new Error(`no resource for kind ${kind}`);
    return new ResourceClient(client, resource);
  };
  return {
    fixture,
    client,
    versions,
    cache(settings = {}) {
      const cache = new ClusterCache({ client, versions, ...settings });
      caches.push(cache);
      cache.start();
      return cache;
    },
    create: (object) => of(object.kind).create(object),
    update: (object) => of(object.kind).update(object),
    remove: (kind, name, namespace = kind === 'Node' ? '' : 'default') =>
      of(kind).delete(namespace, name, { gracePeriodSeconds: 0 }),
    async stop() {
      await Promise.all(caches.map((cache) => cache.stop()));
      versions.close();
      client.close();
      await fixture.stop();
    },
  };
}

/** An edge node; `edge: false`: a node like any other. */
export function node(
  name: string,
  options: { readonly edge?: boolean; readonly labels?: Readonly<Record<string, string>> } = {},
): KubeObject {
  const { edge = true, labels = {} } = options;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { ...(edge && { [LABELS.edge]: '' }), ...labels } },
  };
}

/** A pod that is bound to a node, with what it names. */
export function pod(
  name: string,
  nodeName: string,
  names: { configMaps?: readonly string[]; secrets?: readonly string[]; claims?: readonly string[] } = {},
): KubeObject {
  const volumes = [
    ...(names.configMaps ?? []).map((configMap) => ({
      name: `c-${configMap}`,
      configMap: { name: configMap },
    })),
    ...(names.secrets ?? []).map((secretName) => ({ name: `s-${secretName}`, secret: { secretName } })),
    ...(names.claims ?? []).map((claimName) => ({
      name: `p-${claimName}`,
      persistentVolumeClaim: { claimName },
    })),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName, containers: [{ name: 'main', image: 'example.com/app:1' }], volumes },
  };
}

export function configMap(name: string, data: Record<string, string> = { key: name }): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

export function secret(name: string, value = name): KubeObject {
  const data = { key: Buffer.from(value).toString('base64') };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' }, data };
}
