import type { KubeObject } from '@hawser/kube';

/** Endpoints of each slice: what a Service of some replicas has. */
export const ENDPOINTS = 10;

/** A Service with a cluster address and two ports. */
export function poolService(index: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceName(index), namespace: 'default', labels: { app: serviceName(index) } },
    spec: {
      selector: { app: serviceName(index) },
      ports: [
        { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' },
        { name: 'metrics', port: 9090, targetPort: 9090, protocol: 'TCP' },
      ],
    },
  };
}

/**
 * The EndpointSlice of a Service, as its controller makes it: ten endpoints with address, node, target and conditions.
 * @param generations how often each endpoint's pod was replaced; default never
 * @param notReady the endpoint whose pod is not ready yet
 */
export function poolSlice(index: number, generations: readonly number[] = [], notReady?: number): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${serviceName(index)}-abcde`,
      namespace: 'default',
      labels: {
        app: serviceName(index),
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': serviceName(index),
      },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: serviceName(index),
          uid: uidOf(`service-${index}`),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: 'IPv4',
    ports: [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: 'metrics', port: 9090, protocol: 'TCP' },
    ],
    endpoints: Array.from({ length: ENDPOINTS }, (_, endpoint) => {
      return endpointOf(index, endpoint, generations[endpoint] ?? 0, endpoint !== notReady);
    }),
  };
}

/** The slices of one Service during a rolling update, one write after another: each pod in turn is replaced, and becomes ready. */
export function* rollingUpdate(index: number): Generator<KubeObject> {
  const generations = new Array<number>(ENDPOINTS).fill(0);
  for (let endpoint = 0; endpoint < ENDPOINTS; endpoint++) {
    generations[endpoint] = 1;
    yield poolSlice(index, generations, endpoint);
    yield poolSlice(index, generations);
  }
}

/** `svc-0007`. */
export function serviceName(index: number): string {
  return `svc-${String(index).padStart(4, '0')}`;
}

function endpointOf(service: number, endpoint: number, generation: number, ready: boolean): object {
  const pod = `${serviceName(service)}-${suffixOf(`${service}/${endpoint}/${generation}`)}`;
  const number = service * ENDPOINTS + endpoint;
  return {
    addresses: [`10.${64 + generation}.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`],
    conditions: { ready, serving: ready, terminating: false },
    nodeName: `edge-${number % 50}`,
    targetRef: { kind: 'Pod', name: pod, namespace: 'default', uid: uidOf(pod) },
    zone: `zone-${number % 3}`,
  };
}

/** Like the suffix of a pod's name: five letters and digits that say nothing. */
function suffixOf(text: string): string {
  return (hashOf(text) % 36 ** 5).toString(36).padStart(5, '0');
}

/** A UID of its own for each text, the same in every run. */
function uidOf(text: string): string {
  const digits = [0, 1, 2, 3].map((part) => hashOf(`${part}${text}`).toString(16).padStart(8, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** FNV-1a, 32 bits, with the bits mixed once more. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
