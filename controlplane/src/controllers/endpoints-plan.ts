import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { ownerReference, type KubeObject } from '@hawser/kube';
import { isPodReady, isPodTerminal, type Pod } from '../api/pod.ts';

/** A service, so far as its endpoints depend on it. */
export interface Service extends KubeObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly publishNotReadyAddresses?: boolean;
    readonly ports?: readonly ServicePort[];
  };
}

/** `spec.ports[]` of a service. */
export interface ServicePort {
  readonly name?: string;
  readonly protocol?: string;
  readonly port: number;
  /** Default: `port`. */
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
}

/** A port as endpoints carry it. */
interface EndpointPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

/** Pods that offer the service's ports under the same numbers. */
interface Group {
  readonly ports: readonly EndpointPort[];
  readonly pods: readonly Pod[];
}

/** Source: kube-controller-manager --max-endpoints-per-slice. */
const SLICE_LIMIT = 100;
/** Source: kubernetes endpoint controller maxCapacity. */
const ENDPOINTS_LIMIT = 1000;
/** Label of slices: the service that they are of. */
export const SERVICE_LABEL = 'kubernetes.io/service-name';
/** Label of slices: who keeps them. */
export const MANAGER_LABEL = 'endpointslice.kubernetes.io/managed-by';
/** Its value for ours; as upstream, so that whoever reads it finds what is expected. */
export const MANAGER = 'endpointslice-controller.k8s.io';

/** Pods that belong to endpoints at all: those with an address that have not ended; by name. */
function members(pods: readonly Pod[]): Pod[] {
  return pods
    .filter((pod) => (pod.status?.podIP ?? '') !== '' && !isPodTerminal(pod))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

function groups(service: Service, pods: readonly Pod[]): Group[] {
  const found = new Map<string, { ports: EndpointPort[]; pods: Pod[] }>();
  for (const pod of members(pods)) {
    const ports = (service.spec.ports ?? []).flatMap((port) => resolve(port, pod));
    // A pod that has none of the ports serves nothing; without ports (headless), every pod does.
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
    const key = JSON.stringify([ports, isIPv6(pod.status?.podIP ?? '')]);
    const group = found.get(key) ?? { ports, pods: [] };
    found.set(key, group);
    group.pods.push(pod);
  }
  return [...found.values()];
}

/** The number of a service's port on a pod. Source: kubernetes pkg/api/v1/pod FindPort. */
function resolve(port: ServicePort, pod: Pod): EndpointPort[] {
  const { name = '', protocol = 'TCP', targetPort, appProtocol } = port;
  const wanted = targetPort === undefined || targetPort === '' || targetPort === 0 ? port.port : targetPort;
  const number =
    typeof wanted === 'number'
      ? wanted
      : pod.spec.containers
          .flatMap(({ ports = [] }) => ports)
          .find((candidate) => candidate.name === wanted && (candidate.protocol ?? 'TCP') === protocol)
          ?.containerPort;
  return number === undefined
    ? []
    : [{ name, port: number, protocol, ...(appProtocol !== undefined && { appProtocol }) }];
}

function targetOf({ metadata }: Pod): object {
  const { name = '', namespace = '', uid = '' } = metadata;
  return { kind: 'Pod', name, namespace, uid };
}

/**
 * The EndpointSlices of a service; `zoneOf`: the zone of a node. Names are made from the content of a group, so that
 * the same pods give the same slices whoever computes them.
 * Source: KEP-752, kubernetes staging endpointslice reconciler.
 */
export function endpointSlices(
  service: Service,
  pods: readonly Pod[],
  zoneOf: (node: string) => string | undefined,
): KubeObject[] {
  const { name: serviceName = '', namespace = '' } = service.metadata;
  const headless = service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {};
  const labels = {
    ...service.metadata.labels,
    ...headless,
    [SERVICE_LABEL]: serviceName,
    [MANAGER_LABEL]: MANAGER,
  };
  const owner = { ...ownerReference(service), controller: true, blockOwnerDeletion: true };
  return groups(service, pods).flatMap((group) => {
    const family = isIPv6(group.pods[0]?.status?.podIP ?? '') ? 'IPv6' : 'IPv4';
    const hash = createHash('sha256')
      .update(JSON.stringify([group.ports, family]))
      .digest('hex')
      .slice(0, 8);
    return chunks(group.pods, SLICE_LIMIT).map((part, index) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${serviceName}-${hash}-${index}`, namespace, labels, ownerReferences: [owner] },
      addressType: family,
      ports: group.ports,
      endpoints: part.map((pod) => endpoint(service, pod, zoneOf)),
    }));
  });
}

function endpoint(service: Service, pod: Pod, zoneOf: (node: string) => string | undefined): object {
  const { nodeName, hostname, subdomain } = pod.spec;
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = nodeName === undefined ? undefined : zoneOf(nodeName);
  const named = typeof hostname === 'string' && subdomain === service.metadata.name;
  return {
    addresses: [pod.status?.podIP],
    conditions: { ready, serving, terminating },
    ...(named && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    targetRef: targetOf(pod),
    ...(zone !== undefined && { zone }),
  };
}

/** The subsets of a service's Endpoints; pods that are going are left out. Source: kubernetes endpoint controller. */
export function endpointSubsets(service: Service, pods: readonly Pod[]): object[] {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return groups(service, staying).map((group) => {
    const isUp = (pod: Pod): boolean => service.spec.publishNotReadyAddresses === true || isPodReady(pod);
    const addresses = group.pods.filter(isUp).slice(0, ENDPOINTS_LIMIT).map(address);
    const down = group.pods.filter((pod) => !isUp(pod)).slice(0, ENDPOINTS_LIMIT - addresses.length);
    return {
      ...(addresses.length > 0 && { addresses }),
      ...(down.length > 0 && { notReadyAddresses: down.map(address) }),
      ...(group.ports.length > 0 && { ports: group.ports.map(unnamed) }),
    };
  });
}

function address(pod: Pod): object {
  const { nodeName } = pod.spec;
  return { ip: pod.status?.podIP, ...(nodeName !== undefined && { nodeName }), targetRef: targetOf(pod) };
}

/** Endpoints leave an empty name out; slices carry it. */
function unnamed({ name, ...rest }: EndpointPort): object {
  return name === '' ? rest : { name, ...rest };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
