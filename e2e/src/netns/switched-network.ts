import { E2eError } from '../errors.ts';
import type { NodeChild, NodeChildOptions } from '../processes/node-child.ts';
import { runCommand } from '../processes/run-command.ts';
import type { IpCounters } from './interface-counters.ts';
import { removeStaleNamespaces } from './namespace-names.ts';
import { NetworkNamespace } from './network-namespace.ts';

/** A network that a station is plugged into: the LAN of a site, or the way to the cloud. */
export type SwitchedNet = 'lan' | 'cloud';

/** From the range for tests of network devices (RFC 2544 appendix C.2.2), which is routed nowhere: third number by net. */
const THIRD = { lan: 10, cloud: 20 } as const;
const NETS: readonly SwitchedNet[] = ['lan', 'cloud'];
/** The bridge of the LAN's other half, after a split. */
const OTHER_LAN = 'lan-other';
/** The station that stands for the cloud: on the net `cloud` only. */
const CLOUD_HOST = 1;
const FIRST_HOST = 11;

/**
 * Namespaces that are plugged into two switches: the stations `0 … n-1` into a LAN and into the way to the cloud, `cloud` into
 * the latter. Each plug can be pulled (what is sent is lost, silently), and the LAN split in two. Needs root.
 */
export class SwitchedNetwork {
  readonly cloud: Station;
  readonly stations: readonly Station[];
  readonly #switch: NetworkNamespace;

  private constructor(core: NetworkNamespace, cloud: Station, stations: readonly Station[]) {
    this.#switch = core;
    this.cloud = cloud;
    this.stations = stations;
  }

  /** @throws E2eError ERR_E2E_COMMAND_FAILED; see `netnsAvailable` for whether it will work */
  static async create(count: number): Promise<SwitchedNetwork> {
    await removeStaleNamespaces();
    const made: NetworkNamespace[] = [];
    try {
      const core = await NetworkNamespace.create('switch');
      made.push(core);
      const bridges = [...NETS, OTHER_LAN];
      await core.configure(
        bridges.flatMap((name) => [`link add br-${name} type bridge`, `link set br-${name} up`]),
      );
      const stations: Station[] = [];
      for (let index = -1; index < count; index++) {
        const namespace = await NetworkNamespace.create(index < 0 ? 'cloud' : `edge${index}`);
        made.push(namespace);
        const station = new Station(core, namespace, index < 0 ? CLOUD_HOST : FIRST_HOST + index);
        for (const net of index < 0 ? (['cloud'] as const) : NETS) await station.plugIn(net);
        stations.push(station);
      }
      const [cloud, ...edges] = stations;
      if (cloud === undefined) throw new TypeError('no station');
      return new SwitchedNetwork(core, cloud, edges);
    } catch (error) {
      await Promise.allSettled(made.map((namespace) => namespace.close()));
      throw error;
    }
  }

  /** The station with this number. */
  station(index: number): Station {
    const station = this.stations[index];
    if (station === undefined) throw new E2eError('ERR_E2E_BAD_OPTION', `there is no station ${index}`);
    return station;
  }

  /** Where the process of an edge runs: `…-<n>` in station n. */
  edgeOf(node: string): Station {
    return this.station(Number(/(\d+)$/.exec(node)?.[1] ?? NaN));
  }

  /** Splits the LAN: these stations on the one side, the others on the other. None: it is whole. */
  async split(apart: readonly number[]): Promise<void> {
    await this.#switch.configure(
      this.stations.map(
        (station, index) =>
          `link set ${station.port('lan')} master br-${apart.includes(index) ? OTHER_LAN : 'lan'}`,
      ),
    );
  }

  /** Kills what runs inside and removes all. May be called more than once. */
  async close(): Promise<void> {
    const all = [...this.stations, this.cloud].map(({ namespace }) => namespace);
    await Promise.allSettled([...all, this.#switch].map((namespace) => namespace.close()));
  }
}

/** One namespace of a {@link SwitchedNetwork}. */
export class Station {
  readonly namespace: NetworkNamespace;
  /** Its address on the way to the cloud. */
  readonly address: string;
  /** Its address on the LAN. */
  readonly lanAddress: string;
  readonly #switch: NetworkNamespace;
  readonly #host: number;

  constructor(core: NetworkNamespace, namespace: NetworkNamespace, host: number) {
    this.#switch = core;
    this.namespace = namespace;
    this.#host = host;
    this.address = addressOf('cloud', host);
    this.lanAddress = addressOf('lan', host);
  }

  /** Name of its plug at the switch. */
  port(net: SwitchedNet): string {
    return `${net}${this.#host}`;
  }

  /** Connects it to a switch. Called once for each net. */
  async plugIn(net: SwitchedNet): Promise<void> {
    const device = `${net}0`;
    const peer = ['type', 'veth', 'peer', 'name', this.port(net), 'netns', this.#switch.name];
    await runCommand('ip', ['link', 'add', device, 'netns', this.namespace.name, ...peer]);
    await this.#switch.configure([
      `link set ${this.port(net)} master br-${net}`,
      `link set ${this.port(net)} up`,
    ]);
    await this.namespace.configure([
      `address add ${addressOf(net, this.#host)}/24 dev ${device}`,
      `link set ${device} mtu 1500 gso_max_segs 1 up`,
    ]);
  }

  /** Pulls a plug, or puts it in again. What is sent meanwhile is lost, and nobody is told. */
  async setPlugged(net: SwitchedNet, plugged: boolean): Promise<void> {
    // Out of the bridge, and not down: a station would see that it has no carrier any more.
    const place = plugged ? `master br-${net}` : 'nomaster';
    await this.#switch.configure([`link set ${this.port(net)} ${place}`]);
  }

  /** Starts a Node.js process in it. */
  startNode(options: Omit<NodeChildOptions, 'under'>): Promise<NodeChild> {
    return this.namespace.startNode(options);
  }

  /** What it has sent and received on a net so far, at IP level. */
  counters(net: SwitchedNet): Promise<IpCounters> {
    return this.namespace.counters(`${net}0`);
  }
}

function addressOf(net: SwitchedNet, host: number): string {
  return `198.18.${THIRD[net]}.${host}`;
}
