import { isIPv6 } from 'node:net';
import type { KubeObject } from '@hawser/kube';
import { FilteredEntry, type EntryFilter, type ObjectPlace } from './entry-filter.ts';
import type { LocalEntry } from './local-entry.ts';

/** Where programs of this node reach its local API. */
export interface ApiAddress {
  readonly address: string;
  readonly port: number;
}

/** A resource that the Service of the API server shows itself in. */
export type ApiServerResource = 'services' | 'endpointslices' | 'endpoints';

const SERVICE = { namespace: 'default', name: 'kubernetes' } as const;
const SERVICE_LABEL = 'kubernetes.io/service-name';
const PORT_NAME = 'https';

/**
 * Shows the Service `default/kubernetes` as leading to this node's local API: endpoints are its address, whatever they are
 * in the cloud. The Service keeps its own address and port, which is where pods go; its target port is the API's.
 */
export class ApiServerFilter implements EntryFilter {
  readonly #resource: ApiServerResource;
  readonly #api: () => ApiAddress | undefined;

  /** `api`: undefined while there is none; then nothing is shown in another way. */
  constructor(resource: ApiServerResource, api: () => ApiAddress | undefined) {
    this.#resource = resource;
    this.#api = api;
  }

  begin(): void {
    // Nothing is remembered.
  }

  changed(): Iterable<ObjectPlace> {
    return [];
  }

  show(entry: LocalEntry): LocalEntry {
    const api = this.#api();
    if (api === undefined || !this.#isOfApiServer(entry)) return entry;
    const signature = `api-server ${api.address} ${api.port}`;
    return new FilteredEntry(entry, signature, (object) => SHOWN[this.#resource](object, api));
  }

  listen(): () => void {
    return () => {};
  }

  #isOfApiServer({ key, labels }: LocalEntry): boolean {
    if (key.namespace !== SERVICE.namespace) return false;
    const name = this.#resource === 'endpointslices' ? labels[SERVICE_LABEL] : key.name;
    return name === SERVICE.name;
  }
}

const SHOWN: Readonly<Record<ApiServerResource, (object: KubeObject, api: ApiAddress) => KubeObject>> = {
  services: (object, { port }) => {
    const spec = (object['spec'] ?? {}) as { readonly ports?: readonly { readonly name?: string }[] };
    const ports = spec.ports?.map((one) =>
      one.name === PORT_NAME || spec.ports?.length === 1 ? { ...one, targetPort: port } : one,
    );
    return { ...object, spec: { ...spec, ...(ports !== undefined && { ports }) } };
  },
  endpointslices: (object, { address, port }) => ({
    ...object,
    endpoints:
      object['addressType'] === (isIPv6(address) ? 'IPv6' : 'IPv4')
        ? [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }]
        : [],
    ports: [{ name: PORT_NAME, port, protocol: 'TCP' }],
  }),
  endpoints: (object, { address, port }) => ({
    ...object,
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: PORT_NAME, port, protocol: 'TCP' }] }],
  }),
};
