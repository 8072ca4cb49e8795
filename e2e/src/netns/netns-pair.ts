import { E2eError } from '../errors.ts';
import type { NodeChild, NodeChildOptions } from '../processes/node-child.ts';
import { runCommand } from '../processes/run-command.ts';
import type { IpCounters } from './interface-counters.ts';
import { removeStaleNamespaces } from './namespace-names.ts';
import { NetworkNamespace, type Shape } from './network-namespace.ts';

/** The interface at either end of the line between two namespaces. */
const DEVICE = 'wire0';

/** From the range for tests of network devices (RFC 2544 appendix C.2.2), which is routed nowhere. */
const ADDRESSES = { edge: '198.18.0.1', cloud: '198.18.0.2' } as const;
const MACS = { edge: '02:00:00:00:00:01', cloud: '02:00:00:00:00:02' } as const;
const PREFIX_LENGTH = 30;

/** Settings of {@link createNetnsPair}. */
export interface NetnsPairOptions {
  /** TCP's congestion control on both sides, such as `cubic`. Default: the kernel's own. */
  readonly congestionControl?: string;
}

/**
 * Makes two namespaces, edge and cloud, joined by a line that nothing else uses. Packets are at most 1500 bytes,
 * one by one (no segmentation offload), so that loss and counters are as on a real line. Namespaces that a crashed
 * run left behind are removed first.
 * @throws E2eError ERR_E2E_COMMAND_FAILED; see {@link netnsAvailable} for whether it will work
 */
export async function createNetnsPair(options: NetnsPairOptions = {}): Promise<NetnsPair> {
  await removeStaleNamespaces();
  const edge = new NetnsSide(await NetworkNamespace.create('edge'), ADDRESSES.edge);
  const pair = await NetworkNamespace.create('cloud').then(
    (namespace) => new NetnsPair(edge, new NetnsSide(namespace, ADDRESSES.cloud)),
    async (error: unknown) => {
      await edge.namespace.close();
      throw error;
    },
  );
  try {
    await pair.join(options);
  } catch (error) {
    await pair.close();
    throw error;
  }
  return pair;
}

/** One end of a {@link NetnsPair}. */
export class NetnsSide {
  readonly namespace: NetworkNamespace;
  /** The address by which the other side reaches it. */
  readonly address: string;

  constructor(namespace: NetworkNamespace, address: string) {
    this.namespace = namespace;
    this.address = address;
  }

  /** Starts a Node.js process on this side. */
  startNode(options: Omit<NodeChildOptions, 'under'>): Promise<NodeChild> {
    return this.namespace.startNode(options);
  }

  /** Drops packets that arrive here, each with this probability (0…1); 1 makes a black hole. 0 ends it. */
  setLoss(probability: number): Promise<void> {
    return this.namespace.setLoss(DEVICE, probability);
  }

  /** How many packets were lost on arrival here since the last {@link setLoss}. */
  lostPackets(): Promise<number> {
    return this.namespace.lostPackets(DEVICE);
  }

  /** Limits what this side sends. `{}` ends it. */
  shape(shape: Shape): Promise<void> {
    return this.namespace.shape(DEVICE, shape);
  }

  /** What passed between the sides so far, at IP level, seen from this one. */
  counters(): Promise<IpCounters> {
    return this.namespace.counters(DEVICE);
  }

  /** What passes between the sides while `work` is going on, at IP level, seen from this one. */
  countBytes(work: () => Promise<void>): Promise<IpCounters> {
    return this.namespace.countBytes(DEVICE, work);
  }
}

/** Two namespaces with a line in between; made by {@link createNetnsPair}. */
export class NetnsPair {
  readonly edge: NetnsSide;
  readonly cloud: NetnsSide;

  constructor(edge: NetnsSide, cloud: NetnsSide) {
    this.edge = edge;
    this.cloud = cloud;
  }

  /** Where the process of an edge runs: all of them on the one side. */
  edgeOf(): NetnsSide {
    return this.edge;
  }

  /** Lays the line. Called by {@link createNetnsPair}. */
  async join(options: NetnsPairOptions): Promise<void> {
    const names = [this.edge, this.cloud].map((side) => side.namespace.name);
    const [edge, cloud] = names as [string, string];
    const peer = ['type', 'veth', 'peer', 'name', DEVICE, 'netns', cloud];
    await runCommand('ip', ['link', 'add', DEVICE, 'netns', edge, ...peer]);
    await Promise.all([this.#configure('edge', 'cloud', options), this.#configure('cloud', 'edge', options)]);
  }

  /** Kills what runs on both sides and removes all. May be called more than once. */
  async close(): Promise<void> {
    const results = await Promise.allSettled([this.edge.namespace.close(), this.cloud.namespace.close()]);
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as Error] : [],
    );
    if (failures.length > 0)
      throw new E2eError('ERR_E2E_COMMAND_FAILED', failures.map(({ message }) => message).join('; '));
  }

  async #configure(own: 'edge' | 'cloud', other: 'edge' | 'cloud', options: NetnsPairOptions): Promise<void> {
    // By the route: the setting of a whole namespace is refused for what the machine does not allow to all users.
    const congestion = options.congestionControl === undefined ? '' : `congctl ${options.congestionControl}`;
    await this[own].namespace.configure([
      `link set ${DEVICE} address ${MACS[own]} mtu 1500 gso_max_segs 1`,
      `address add ${ADDRESSES[own]}/${PREFIX_LENGTH} dev ${DEVICE} noprefixroute`,
      `link set ${DEVICE} up`,
      `route add ${ADDRESSES[other]} dev ${DEVICE} ${congestion}`,
      // Known from the start, so that no ARP is counted.
      `neighbour add ${ADDRESSES[other]} lladdr ${MACS[other]} dev ${DEVICE} nud permanent`,
    ]);
  }
}
