import { failure, isPlainObject, type KubeObject } from '@hawser/kube';

/** Where the kubelet of a node is. */
export interface KubeletAddress {
  readonly host: string;
  readonly port: number;
}

/** Source: kube-apiserver, default of --kubelet-preferred-address-types. */
const PREFERRED = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'];
/** Source: kubernetes pkg/cluster/ports, KubeletPort. */
const DEFAULT_PORT = 10_250;

/**
 * Where a Node says that its kubelet is.
 * Source: kubernetes pkg/kubelet/client, NodeConnectionInfoGetter; pkg/util/node, GetPreferredNodeAddress.
 * @throws StatusError 500 for a Node without an address
 */
export function kubeletAddress(node: KubeObject): KubeletAddress {
  const status = isPlainObject(node['status']) ? node['status'] : {};
  const addresses = (Array.isArray(status['addresses']) ? status['addresses'] : []).filter(isPlainObject);
  const found = PREFERRED.flatMap((type) => addresses.filter((address) => address['type'] === type)).at(0);
  const host = found?.['address'];
  if (typeof host !== 'string' || host === '') {
    const known = JSON.stringify(addresses);
    const text = `node ${node.metadata.name ?? ''}: no preferred addresses found; known addresses: ${known}`;
    throw failure(500, 'InternalError', text);
  }
  const endpoints = status['daemonEndpoints'];
  const endpoint = isPlainObject(endpoints) ? endpoints['kubeletEndpoint'] : undefined;
  const port = isPlainObject(endpoint) ? endpoint['Port'] : undefined;
  return { host, port: typeof port === 'number' && port > 0 ? port : DEFAULT_PORT };
}
