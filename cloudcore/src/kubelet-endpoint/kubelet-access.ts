import type { ApiClient } from '@hawser/kube';
import type { Credentials, Tunnel } from '@hawser/proto';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { Registry } from 'prom-client';
import type { ClusterView } from '../cache/cluster-view.ts';
import type { NodeKubelet } from '../cluster/node-kubelet.ts';
import type { CloudCoreConfig } from '../config/schema.ts';
import { KubeletAddresses, type KubeletAddressesOptions } from './kubelet-addresses.ts';
import { KubeletEndpoint } from './kubelet-endpoint.ts';

/** Settings of {@link KubeletAccess}. */
export interface KubeletAccessOptions extends Pick<KubeletAddressesOptions, 'confirm' | 'announce'> {
  readonly config: CloudCoreConfig['kubelet'];
  /** Address to listen on where the configuration has none. */
  readonly host: string;
  /** Address of this replica as API servers reach it. */
  readonly address: string;
  readonly client: ApiClient;
  readonly view: ClusterView;
  /** The node's present session. */
  readonly session: (node: string) => Tunnel | undefined;
  readonly credentials: () => Credentials;
  readonly log: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
}

/** The way of API servers to the kubelets of edges: the endpoint, and that Nodes say where it is. */
export class KubeletAccess {
  readonly #options: KubeletAccessOptions;
  readonly #endpoint: KubeletEndpoint;
  readonly #addresses: KubeletAddresses;

  constructor(options: KubeletAccessOptions) {
    const { config, host, confirm, announce, log, clock, view } = options;
    this.#options = options;
    this.#endpoint = new KubeletEndpoint({
      ...options,
      host: config.host ?? host,
      portRange: config.portRange,
      ...(config.clientCaFile !== undefined && { clientCaFile: config.clientCaFile }),
      maxStreams: config.maxStreams,
      maxStreamsPerNode: config.maxStreamsPerNode,
      headerMs: config.headerSeconds * 1000,
      idleMs: config.idleSeconds * 1000,
    });
    this.#addresses = new KubeletAddresses({
      ...{ view, confirm, announce, log, clock },
      kubeletOf: (node) => this.kubeletOf(node),
      onWrite: () => this.#endpoint.metrics.addresses.inc(),
    });
  }

  /** Where API servers reach the node's kubelet here; its port is opened if it is not. */
  async kubeletOf(node: string): Promise<NodeKubelet | undefined> {
    const port = await this.#endpoint.portOf(node);
    const { address, config } = this.#options;
    return port === undefined ? undefined : { address, port, addressTypes: config.addressTypes };
  }

  /** A session of the node is up. Answers what to call when it has ended. */
  opened(node: string, epoch: number): () => void {
    this.#endpoint.opened(node);
    const ended = this.#addresses.opened(node, epoch);
    return () => {
      ended();
      this.#endpoint.closed(node);
    };
  }

  /** Idempotent. */
  async start(): Promise<void> {
    await this.#endpoint.start();
    this.#addresses.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.#addresses.stop();
    await this.#endpoint.stop();
  }
}
