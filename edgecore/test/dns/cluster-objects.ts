import type { KubeObject, MemoryStore, ObjectKey } from '@hawser/kube';

/** An endpoint of a {@link putSlice}. */
export interface GivenEndpoint {
  readonly addresses: readonly string[];
  readonly hostname?: string;
  readonly conditions?: { readonly ready?: boolean | null };
}

/** Makes a Service, or replaces it. */
export async function putService(
  store: MemoryStore,
  key: string,
  spec: Readonly<Record<string, unknown>>,
  annotations?: Readonly<Record<string, string>>,
): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  const metadata = { namespace, name, ...(annotations && { annotations: { ...annotations } }) };
  await put(store, { ...SERVICES, namespace, name }, { apiVersion: 'v1', kind: 'Service', metadata, spec });
}

/** Makes an EndpointSlice of a Service, or replaces it. */
export async function putSlice(
  store: MemoryStore,
  key: string,
  slice: {
    readonly service: string;
    readonly endpoints: readonly GivenEndpoint[];
    readonly ports?: readonly object[];
    readonly addressType?: string;
  },
): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  const { service, addressType = 'IPv4', ports = [], endpoints } = slice;
  const metadata = { namespace, name, labels: { 'kubernetes.io/service-name': service } };
  const object = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata };
  await put(store, { ...SLICES, namespace, name }, { ...object, addressType, ports, endpoints });
}

/** Removes what {@link putService} has made. */
export async function removeService(store: MemoryStore, key: string): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  await remove(store, { ...SERVICES, namespace, name });
}

/** Removes what {@link putSlice} has made. */
export async function removeSlice(store: MemoryStore, key: string): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  await remove(store, { ...SLICES, namespace, name });
}

export const HTTPS = { name: 'https', protocol: 'TCP', port: 443 };

/** The Services of the specification's examples, and some for what it says beside them. */
export async function fillCluster(store: MemoryStore): Promise<void> {
  await putService(store, 'default/kubernetes', {
    clusterIP: '10.3.0.1',
    clusterIPs: ['10.3.0.1'],
    ports: [HTTPS],
  });
  await putService(store, 'default/headless', { clusterIP: 'None', clusterIPs: ['None'], ports: [HTTPS] });
  await putSlice(store, 'default/headless-a', {
    service: 'headless',
    ports: [HTTPS],
    endpoints: [
      { addresses: ['10.3.0.100'], hostname: 'my-pet', conditions: { ready: true } },
      { addresses: ['10.3.0.101'], hostname: 'my-pet-2', conditions: {} },
      { addresses: ['10.3.0.102'], conditions: { ready: true } },
      { addresses: ['10.3.0.103'], hostname: 'asleep', conditions: { ready: false } },
    ],
  });
  await putService(store, 'default/foo', { type: 'ExternalName', externalName: 'www.example.com' });
  await putService(store, 'default/alias', {
    type: 'ExternalName',
    externalName: 'Kubernetes.default.svc.cluster.local.',
  });
  await putService(store, 'default/round', {
    type: 'ExternalName',
    externalName: 'round.default.svc.cluster.local',
  });
  await putService(store, 'default/broken', {
    type: 'ExternalName',
    externalName: `${'x'.repeat(64)}.example.com`,
  });
  await putService(store, 'shop/dual', {
    clusterIP: 'fd00:3::7',
    clusterIPs: ['fd00:3::7', '10.3.0.7'],
    ports: [
      { port: 80 },
      { name: 'dns', protocol: 'UDP', port: 53 },
      { name: 'dns', protocol: 'TCP', port: 53 },
    ],
  });
  await putService(store, 'shop/twin', { clusterIP: 'None', ports: [{ name: 'db', port: 5432 }] });
  await putSlice(store, 'shop/twin-4', {
    service: 'twin',
    ports: [{ name: 'db', protocol: 'TCP', port: 5432 }],
    endpoints: [{ addresses: ['10.1.0.1'], hostname: 'twin-0' }],
  });
  await putSlice(store, 'shop/twin-6', {
    service: 'twin',
    addressType: 'IPv6',
    ports: [{ name: 'db', protocol: 'TCP', port: 5432 }],
    endpoints: [{ addresses: ['fd00:2::1'], hostname: 'twin-0' }, { addresses: ['FD00:1::2'] }],
  });
  await putService(store, 'shop/empty', { clusterIP: 'None', ports: [HTTPS] });
  await putService(store, 'shop/waking', {
    clusterIP: 'None',
    ports: [HTTPS],
    publishNotReadyAddresses: true,
  });
  await putSlice(store, 'shop/waking-a', {
    service: 'waking',
    ports: [HTTPS],
    endpoints: [{ addresses: ['10.1.0.9'], hostname: 'waking-0', conditions: { ready: false } }],
  });
  await putService(store, 'shop/pending', { ports: [HTTPS] });
}

const SERVICES = { group: '', resource: 'services' };
const SLICES = { group: 'discovery.k8s.io', resource: 'endpointslices' };

async function put(store: MemoryStore, key: ObjectKey, object: KubeObject): Promise<void> {
  const present = store.get(key);
  if (present === undefined) await store.create(key, object);
  else await store.update(key, present.resourceVersion, object);
}

async function remove(store: MemoryStore, key: ObjectKey): Promise<void> {
  await store.delete(key, store.get(key)?.resourceVersion ?? 0);
}
