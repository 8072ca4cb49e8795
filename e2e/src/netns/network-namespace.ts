import { E2eError } from '../errors.ts';
import { startNode, type NodeChild, type NodeChildOptions } from '../processes/node-child.ts';
import { runCommand } from '../processes/run-command.ts';
import { ipDifference, ipTraffic, type IpCounters, type LinkTraffic } from './interface-counters.ts';
import { claimName, removeNamespace } from './namespace-names.ts';

/** What an interface does to what it sends. */
export interface Shape {
  /** Bandwidth in bits per second (Ethernet headers count). Default: no limit. */
  readonly bitsPerSecond?: number;
  /** Most bytes that wait for bandwidth; more is dropped. Default 65536. */
  readonly queueLimitBytes?: number;
  /** One-way delay in milliseconds; needs the kernel's netem. Default 0. */
  readonly delayMs?: number;
}

/** What `ip -json -stats link` prints of an interface, as far as it is read here. */
interface LinkJson {
  readonly link_type: string;
  readonly stats64: { readonly rx: LinkTraffic; readonly tx: LinkTraffic };
}

/** Probabilities of nftables' number generator are counted in these. */
const LOSS_STEPS = 100_000;

/** Packets that tbf may send in one go: at least two, and a millisecond's worth at high rates. */
const LEAST_BURST_BYTES = 2 * 1514;

/**
 * A network namespace of this test's own: nothing in it is seen outside, and the machine's network is not seen in
 * it. It has a loopback interface that is up, with the MTU of a real network so that packets count as there.
 * Needs root.
 */
export class NetworkNamespace {
  readonly name: string;
  readonly #shaped = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Makes a namespace. `label` becomes part of its name. @throws E2eError ERR_E2E_COMMAND_FAILED */
  static async create(label: string): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace(claimName(label));
    try {
      await namespace.#create();
    } catch (error) {
      await namespace.close();
      throw error;
    }
    return namespace;
  }

  /** Runs a command inside. @returns its stdout @throws E2eError ERR_E2E_COMMAND_FAILED */
  exec(command: string, args: readonly string[] = [], stdin = ''): Promise<string> {
    return runCommand('ip', ['netns', 'exec', this.name, command, ...args], stdin);
  }

  /** Runs several `ip` commands inside, a line each. @throws E2eError ERR_E2E_COMMAND_FAILED */
  async configure(lines: readonly string[]): Promise<void> {
    await runCommand('ip', ['-netns', this.name, '-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Starts a Node.js process inside, see `startNode`. It is killed when the namespace is closed. */
  startNode(options: Omit<NodeChildOptions, 'under'>): Promise<NodeChild> {
    return startNode({ ...options, under: ['ip', 'netns', 'exec', this.name] });
  }

  /** What passed an interface at IP level since it exists. Packets that are dropped on arrival are counted. */
  async counters(device: string): Promise<IpCounters> {
    const output = await runCommand('ip', ['-netns', this.name, '-stats', '-json', 'link', 'show', device]);
    const [link] = JSON.parse(output) as [LinkJson];
    const type = link.link_type === 'loopback' ? 'loopback' : 'ethernet';
    return { sent: ipTraffic(link.stats64.tx, type), received: ipTraffic(link.stats64.rx, type) };
  }

  /**
   * What passes an interface at IP level while `work` is going on. What is still on the way at its end is counted
   * only if `work` waited for it.
   */
  async countBytes(device: string, work: () => Promise<void>): Promise<IpCounters> {
    const before = await this.counters(device);
    await work();
    return ipDifference(before, await this.counters(device));
  }

  /**
   * Drops packets that arrive by an interface, each with this probability (0…1, in steps of 1/100000), whatever
   * they carry. 0 ends it.
   * @throws E2eError ERR_E2E_BAD_OPTION
   */
  async setLoss(device: string, probability: number): Promise<void> {
    if (!(probability >= 0 && probability <= 1))
      throw new E2eError('ERR_E2E_BAD_OPTION', `a probability is in 0…1, not ${probability}`);
    const chain = `loss-${device}`;
    const steps = Math.round(probability * LOSS_STEPS);
    // The comparison with a number that none can reach is refused.
    const chosen = steps === LOSS_STEPS ? '' : `numgen random mod ${LOSS_STEPS} < ${steps}`;
    const rule = `add rule inet hawser ${chain} iifname "${device}" ${chosen} counter drop`;
    await this.exec(
      'nft',
      ['-f', '-'],
      `add table inet hawser
       add chain inet hawser ${chain} { type filter hook input priority 0; policy accept; }
       flush chain inet hawser ${chain}
       ${steps === 0 ? '' : rule}\n`,
    );
  }

  /** How many packets {@link setLoss} dropped since it was last called for this interface. */
  async lostPackets(device: string): Promise<number> {
    const output = await this.exec('nft', ['--json', 'list', 'chain', 'inet', 'hawser', `loss-${device}`]);
    const match = /"counter": \{"packets": (\d+)/.exec(output);
    return match === null ? 0 : Number(match[1]);
  }

  /**
   * Limits and delays what an interface sends. `{}` ends it.
   * @throws E2eError ERR_E2E_UNAVAILABLE for a delay when the kernel has no netem; ERR_E2E_COMMAND_FAILED
   */
  async shape(device: string, shape: Shape): Promise<void> {
    const { bitsPerSecond, queueLimitBytes = 64 * 1024, delayMs = 0 } = shape;
    if (this.#shaped.delete(device)) await this.exec('tc', ['qdisc', 'delete', 'dev', device, 'root']);
    if (delayMs > 0) await this.#addNetem(device, delayMs);
    if (bitsPerSecond === undefined) return;
    const burstBytes = Math.ceil(Math.max(LEAST_BURST_BYTES, bitsPerSecond / 8000));
    const place = delayMs > 0 ? ['parent', '1:1', 'handle', '10:'] : ['root'];
    const rate = ['rate', `${bitsPerSecond}bit`, 'burst', `${burstBytes}b`, 'limit', `${queueLimitBytes}b`];
    await this.exec('tc', ['qdisc', 'add', 'dev', device, ...place, 'tbf', ...rate]);
    this.#shaped.add(device);
  }

  /** Kills what runs inside, and removes it with its interfaces. May be called more than once. */
  close(): Promise<void> {
    this.#closing ??= removeNamespace(this.name);
    return this.#closing;
  }

  async #create(): Promise<void> {
    await runCommand('ip', ['netns', 'add', this.name]);
    // Without IPv6 an idle interface sends nothing by itself (no router solicitations, no multicast reports).
    const ipv6 = '/proc/sys/net/ipv6';
    await this.exec('sh', [
      '-c',
      `[ ! -d ${ipv6} ] || for all in all default; do echo 1 > ${ipv6}/conf/$all/disable_ipv6; done`,
    ]);
    await this.configure(['link set lo mtu 1500 gso_max_segs 1', 'link set lo up']);
  }

  async #addNetem(device: string, delayMs: number): Promise<void> {
    try {
      const netem = ['netem', 'delay', `${delayMs}ms`, 'limit', '100000'];
      await this.exec('tc', ['qdisc', 'add', 'dev', device, 'root', 'handle', '1:', ...netem]);
    } catch (error) {
      const message = 'this kernel has no netem, which a delay needs; use the fault proxy';
      throw new E2eError('ERR_E2E_UNAVAILABLE', message, { cause: error });
    }
    this.#shaped.add(device);
  }
}
