import type { KubeObject } from '@hawser/kube';
import { addressLabel, isLabel, normalAddress, normalName } from './names.ts';

/** A port that can be asked for by its name. */
export interface PortEntry {
  /** Lower-case; empty: it has none. */
  readonly name: string;
  /** Lower-case: `tcp`, `udp`, `sctp`. */
  readonly protocol: string;
  readonly port: number;
}

/** A Service, as far as names need it. */
export interface ServiceEntry {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'cluster' | 'headless' | 'external';
  /** Of kind `cluster`: its addresses, of one family or of two. */
  readonly addresses: readonly string[];
  readonly ports: readonly PortEntry[];
  /** Of kind `external`: the name that it stands for; empty: it is none that can be answered with. */
  readonly externalName: string;
  readonly publishNotReady: boolean;
}

/** An endpoint of a slice. */
export interface EndpointEntry {
  /** Empty: its label is made from the address. */
  readonly hostname: string;
  readonly address: string;
  readonly ready: boolean;
}

/** An EndpointSlice, as far as names need it. */
export interface SliceEntry {
  readonly service: string;
  readonly ports: readonly PortEntry[];
  readonly endpoints: readonly EndpointEntry[];
}

/** An endpoint that names may be answered with, and the ports of its slice. */
export interface ServedEndpoint {
  readonly endpoint: EndpointEntry;
  readonly ports: readonly PortEntry[];
}

/** The label of an endpoint below its Service. */
export function labelOf({ hostname, address }: EndpointEntry): string {
  return hostname === '' ? addressLabel(address) : hostname;
}

/** Which Service a slice belongs to. Source: Kubernetes, discovery.k8s.io/v1 LabelServiceName. */
const SERVICE_LABEL = 'kubernetes.io/service-name';
const TOLERATE_UNREADY = 'service.alpha.kubernetes.io/tolerate-unready-endpoints';

/**
 * What of Services and EndpointSlices the names of a cluster are made from: a few short texts of each. Objects are as
 * they come over the API; what of them is no name or no address is left out.
 */
export class NameIndex {
  #services = new Map<string, ServiceEntry>();
  /** By Service, then by the slice's own name. */
  #slices = new Map<string, Map<string, SliceEntry>>();
  /** How many Services there are in a namespace. */
  #namespaces = new Map<string, number>();
  #reverse: Map<string, string[]> | undefined;

  get services(): number {
    return this.#services.size;
  }

  get endpoints(): number {
    let count = 0;
    for (const slices of this.#slices.values()) {
      for (const { endpoints } of slices.values()) count += endpoints.length;
    }
    return count;
  }

  service(namespace: string, name: string): ServiceEntry | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  /** Whether some Service is in a namespace. */
  hasNamespace(namespace: string): boolean {
    return this.#namespaces.has(namespace);
  }

  /** The endpoints of a Service that are to be answered with, each address once for each label and port. */
  served({ namespace, name, publishNotReady }: ServiceEntry): readonly ServedEndpoint[] {
    const found: ServedEndpoint[] = [];
    for (const { ports, endpoints } of this.#slices.get(`${namespace}/${name}`)?.values() ?? []) {
      for (const endpoint of endpoints) {
        if (endpoint.ready || publishNotReady) found.push({ endpoint, ports });
      }
    }
    return found;
  }

  /** Services that an address may belong to: as their own, or, of headless ones, as that of an endpoint. */
  atAddress(address: string): readonly ServiceEntry[] {
    this.#reverse ??= this.#makeReverse();
    return (this.#reverse.get(address) ?? []).flatMap((key) => this.#services.get(key) ?? []);
  }

  putService(object: KubeObject): void {
    const entry = serviceEntry(object);
    const { namespace = '', name = '' } = object.metadata;
    this.#removeService(namespace, name);
    if (entry === undefined) return;
    this.#services.set(`${namespace}/${name}`, entry);
    this.#namespaces.set(namespace, (this.#namespaces.get(namespace) ?? 0) + 1);
  }

  removeService(object: KubeObject): void {
    this.#removeService(object.metadata.namespace ?? '', object.metadata.name ?? '');
  }

  /** @param previous the slice before, whose Service may have been another one */
  putSlice(object: KubeObject, previous?: KubeObject): void {
    if (previous !== undefined) this.removeSlice(previous);
    const entry = sliceEntry(object);
    if (entry === undefined) return;
    const { namespace = '', name = '' } = object.metadata;
    const key = `${namespace}/${entry.service}`;
    const slices = this.#slices.get(key) ?? new Map<string, SliceEntry>();
    slices.set(name, entry);
    this.#slices.set(key, slices);
    this.#reverse = undefined;
  }

  removeSlice({ metadata }: KubeObject): void {
    const key = `${metadata.namespace ?? ''}/${metadata.labels?.[SERVICE_LABEL] ?? ''}`;
    const slices = this.#slices.get(key);
    slices?.delete(metadata.name ?? '');
    if (slices?.size === 0) this.#slices.delete(key);
    this.#reverse = undefined;
  }

  /** Takes the Services of another index, which is not used any more. */
  takeServices(other: NameIndex): void {
    this.#services = other.#services;
    this.#namespaces = other.#namespaces;
    this.#reverse = undefined;
  }

  /** Takes the slices of another index, which is not used any more. */
  takeSlices(other: NameIndex): void {
    this.#slices = other.#slices;
    this.#reverse = undefined;
  }

  #removeService(namespace: string, name: string): void {
    this.#reverse = undefined;
    if (!this.#services.delete(`${namespace}/${name}`)) return;
    const left = (this.#namespaces.get(namespace) ?? 1) - 1;
    if (left === 0) this.#namespaces.delete(namespace);
    else this.#namespaces.set(namespace, left);
  }

  /** Made when somebody asks for the name of an address, which few do. */
  #makeReverse(): Map<string, string[]> {
    const reverse = new Map<string, string[]>();
    const add = (address: string, key: string): void => {
      const keys = reverse.get(address);
      if (keys === undefined) reverse.set(address, [key]);
      else if (keys.at(-1) !== key) keys.push(key);
    };
    for (const [key, service] of this.#services) {
      if (service.kind === 'cluster') for (const address of service.addresses) add(address, key);
      if (service.kind === 'headless')
        for (const { endpoint } of this.served(service)) add(endpoint.address, key);
    }
    return reverse;
  }
}

interface ServiceFields {
  readonly type?: unknown;
  readonly clusterIP?: unknown;
  readonly clusterIPs?: unknown;
  readonly externalName?: unknown;
  readonly ports?: unknown;
  readonly publishNotReadyAddresses?: unknown;
}

/** undefined: it has no names (yet). */
function serviceEntry(object: KubeObject): ServiceEntry | undefined {
  const { namespace = '', name = '', annotations } = object.metadata;
  if (!isLabel(namespace) || !isLabel(name)) return undefined;
  const spec = (object['spec'] ?? {}) as ServiceFields;
  const base = {
    namespace,
    name,
    addresses: [],
    ports: portEntries(spec.ports),
    externalName: '',
    publishNotReady: spec.publishNotReadyAddresses === true || annotations?.[TOLERATE_UNREADY] === 'true',
  };
  if (spec.type === 'ExternalName') {
    const externalName = typeof spec.externalName === 'string' ? normalName(spec.externalName) : undefined;
    return { ...base, kind: 'external', externalName: externalName ?? '' };
  }
  const given = listOf(spec.clusterIPs).length > 0 ? listOf(spec.clusterIPs) : [spec.clusterIP];
  if (given[0] === 'None') return { ...base, kind: 'headless' };
  const addresses = given.flatMap((ip) => (typeof ip === 'string' ? (normalAddress(ip) ?? []) : []));
  return addresses.length === 0 ? undefined : { ...base, kind: 'cluster', addresses };
}

interface SliceFields {
  readonly addressType?: unknown;
  readonly ports?: unknown;
  readonly endpoints?: unknown;
}

interface EndpointFields {
  readonly addresses?: unknown;
  readonly hostname?: unknown;
  readonly conditions?: { readonly ready?: unknown } | null;
}

/** undefined: it has nothing that names are made from. */
function sliceEntry(object: KubeObject): SliceEntry | undefined {
  const service = object.metadata.labels?.[SERVICE_LABEL];
  const { addressType, ports, endpoints } = object as unknown as SliceFields;
  if (service === undefined || addressType === 'FQDN') return undefined;
  const entries: EndpointEntry[] = [];
  for (const endpoint of listOf(endpoints)) {
    const { addresses, hostname, conditions } = (endpoint ?? {}) as EndpointFields;
    const label = typeof hostname === 'string' ? hostname.toLowerCase() : '';
    for (const given of listOf(addresses)) {
      const address = typeof given === 'string' ? normalAddress(given) : undefined;
      if (address === undefined) continue;
      // Unknown is to be taken for ready. Source: Kubernetes, discovery.k8s.io/v1 EndpointConditions.
      entries.push({ hostname: isLabel(label) ? label : '', address, ready: conditions?.ready !== false });
    }
  }
  return { service, ports: portEntries(ports), endpoints: entries };
}

function portEntries(ports: unknown): readonly PortEntry[] {
  return listOf(ports).flatMap((given): PortEntry[] => {
    const { name, protocol, port } = (given ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535) return [];
    const label = typeof name === 'string' ? name.toLowerCase() : '';
    return [
      {
        name: isLabel(label) ? label : '',
        protocol: (typeof protocol === 'string' ? protocol : 'TCP').toLowerCase(),
        port,
      },
    ];
  });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
