/** Of an object, as far as it is looked at here. */
export interface ProxyMeta {
  readonly namespace?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Service, as far as it is looked at here. */
export interface ProxyService {
  readonly metadata?: ProxyMeta;
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly sessionAffinity?: string;
    readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
    readonly ports?: readonly {
      readonly name?: string;
      readonly protocol?: string;
      readonly port: number;
      readonly nodePort?: number;
    }[];
  };
}

/** An EndpointSlice, as far as it is looked at here. */
export interface ProxySlice {
  readonly metadata?: ProxyMeta;
  readonly addressType: string;
  readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly port?: number }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: {
      readonly ready?: boolean;
      readonly serving?: boolean;
      readonly terminating?: boolean;
    };
  }[];
}

/** The two families of addresses, as nftables calls their tables. */
export type Family = 'ip' | 'ip6';

/** A backend of a port. */
export interface Backend {
  readonly address: string;
  readonly port: number;
}

/** A port of a Service in one family, and what is behind it. */
export interface PortRules {
  readonly family: Family;
  /** `default/web:http/tcp`: unique. */
  readonly name: string;
  readonly clusterIp: string;
  readonly protocol: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  /** Seconds a client stays with its backend; 0: it does not. */
  readonly affinitySeconds: number;
  /** In order of address and port; empty: clients are refused. */
  readonly backends: readonly Backend[];
}

/** What belongs to which Service. Source: Kubernetes, discovery.k8s.io/v1 LabelServiceName. */
export const SERVICE_LABEL = 'kubernetes.io/service-name';
/** Source: Kubernetes, core/v1 DefaultClientIPServiceAffinitySeconds. */
const DEFAULT_AFFINITY_SECONDS = 10_800;

/** `namespace/name` of an object. */
export function keyOf({ metadata }: { readonly metadata?: ProxyMeta }): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}

/** `namespace/name` of the Service that a slice is of; undefined: of none. */
export function serviceKeyOf({ metadata }: ProxySlice): string | undefined {
  const service = metadata?.labels?.[SERVICE_LABEL];
  return service === undefined ? undefined : `${metadata?.namespace ?? ''}/${service}`;
}

/** What is to be done for the ports of a Service; nothing for those without an address of their own. */
export function portRules(service: ProxyService, slices: readonly ProxySlice[]): readonly PortRules[] {
  const { spec } = service;
  if (spec?.type === 'ExternalName') return [];
  const addresses = (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter(
    (address) => address !== '' && address !== 'None',
  );
  const affinitySeconds =
    spec?.sessionAffinity === 'ClientIP'
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
      : 0;
  return addresses.flatMap((clusterIp) => {
    const family: Family = clusterIp.includes(':') ? 'ip6' : 'ip';
    return (spec?.ports ?? []).map((port) => {
      const protocol = (port.protocol ?? 'TCP').toLowerCase();
      return {
        ...{ family, clusterIp, protocol, affinitySeconds },
        name: `${keyOf(service)}:${port.name ?? ''}/${protocol}`,
        port: port.port,
        nodePort: port.nodePort ?? 0,
        backends: backendsOf(slices, family, port.name ?? '', protocol),
      };
    });
  });
}

/** Those that are ready; where none is, those that still serve while they end. Source: kube-proxy, CategorizeEndpoints. */
function backendsOf(
  slices: readonly ProxySlice[],
  family: Family,
  portName: string,
  protocol: string,
): readonly Backend[] {
  const ready = new Map<string, Backend>();
  const ending = new Map<string, Backend>();
  for (const { addressType, ports, endpoints } of slices) {
    if (addressType !== (family === 'ip' ? 'IPv4' : 'IPv6')) continue;
    const wanted = (ports ?? []).filter(
      (port) => (port.name ?? '') === portName && (port.protocol ?? 'TCP').toLowerCase() === protocol,
    );
    for (const { addresses, conditions } of endpoints) {
      const address = addresses[0];
      if (address === undefined) continue;
      const isEnding = conditions?.serving === true && conditions.terminating === true;
      for (const { port = 0 } of wanted) {
        const backend = { address, port };
        if (conditions?.ready !== false) ready.set(`${address} ${port}`, backend);
        else if (isEnding) ending.set(`${address} ${port}`, backend);
      }
    }
  }
  const found = [...(ready.size > 0 ? ready : ending).entries()];
  return found.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, backend]) => backend);
}
