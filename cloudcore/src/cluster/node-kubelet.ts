import { isPlainObject, type JsonObject } from '@hawser/kube';

/** Where API servers reach the kubelet's HTTPS of a node: at the hub that has its session. */
export interface NodeKubelet {
  readonly address: string;
  readonly port: number;
  /** Types of the Node's addresses that are set to it. */
  readonly addressTypes: readonly string[];
}

/** What of a Node's status tells where its kubelet is. */
export interface KubeletFacts {
  /** The first address of each type. */
  readonly addresses: Readonly<Record<string, string>>;
  /** 0: none. */
  readonly port: number;
}

/** Where a Node says that its kubelet is. API servers take the first address of a type. */
export function kubeletFacts(status: JsonObject): KubeletFacts {
  const addresses: Record<string, string> = {};
  for (const { type, address } of addressesOf(status)) addresses[type] ??= address;
  const endpoints = status['daemonEndpoints'];
  const endpoint = isPlainObject(endpoints) ? endpoints['kubeletEndpoint'] : undefined;
  const port = isPlainObject(endpoint) ? endpoint['Port'] : undefined;
  return { addresses, port: typeof port === 'number' ? port : 0 };
}

/** Whether a Node says already what it is to say. */
export function saysKubelet({ addresses, port }: KubeletFacts, wanted: NodeKubelet): boolean {
  return port === wanted.port && wanted.addressTypes.every((type) => addresses[type] === wanted.address);
}

/**
 * A status with the hub's address and port over those of the node. Of a type that is the hub's the node's own goes:
 * but for addresses of pods' sake (InternalIP, ExternalIP), which stay behind it.
 */
export function withKubelet(status: JsonObject, wanted: NodeKubelet | undefined): JsonObject {
  if (wanted === undefined) return status;
  const { address, port, addressTypes } = wanted;
  const others = addressesOf(status).filter(
    (given) => !addressTypes.includes(given.type) || (given.type.endsWith('IP') && given.address !== address),
  );
  const kinds = new Set([...others.map(({ type }) => type), ...addressTypes]);
  const addresses = [...kinds].flatMap((type) => [
    ...(addressTypes.includes(type) ? [{ type, address }] : []),
    ...others.filter((given) => given.type === type),
  ]);
  return { ...status, addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } };
}

function addressesOf(status: JsonObject): readonly { readonly type: string; readonly address: string }[] {
  const { addresses } = status;
  if (!Array.isArray(addresses)) return [];
  return addresses.flatMap((given: unknown) => {
    if (!isPlainObject(given)) return [];
    const { type, address } = given;
    return typeof type === 'string' && typeof address === 'string' ? [{ type, address }] : [];
  });
}
