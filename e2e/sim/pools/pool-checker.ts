import { MODEL_LIFE, type ModelCloud, type ModelStream } from '@hawser/edgecore/testing/pools';
import type { SimPoolNode } from './pool-node.ts';

/** Members of a pool that may read from the cloud by themselves at a time. */
const DIRECT_PART = 0.1;

/** Looks at what one pool has open in the cloud, and at who leads in which epoch: at every moment. */
export class PoolChecker {
  readonly #cloud: ModelCloud;
  readonly #nodes: readonly SimPoolNode[];
  readonly #fail: (what: string) => void;
  /** Who was seen to lead by the word of the cloud, by life and epoch. */
  readonly #leaders = new Map<string, string>();
  #life = '';
  #epoch = 0;
  #streamEpoch = 0;
  /** The most streams of one resource at a time, direct members too. */
  readonly most = { leading: 0, direct: 0 };

  constructor(cloud: ModelCloud, nodes: readonly SimPoolNode[], fail: (what: string) => void) {
    this.#cloud = cloud;
    this.#nodes = nodes;
    this.#fail = fail;
    const add = cloud.streams.add.bind(cloud.streams);
    cloud.streams.add = (stream) => {
      add(stream);
      this.#onStream(stream);
      return cloud.streams;
    };
  }

  /** At any moment. */
  check(): void {
    const { epoch, resources } = this.#cloud;
    if (resources.incarnation !== this.#life) {
      this.#life = resources.incarnation;
      this.#streamEpoch = 0;
    } else if (epoch < this.#epoch) this.#fail(`the epoch went from ${this.#epoch} back to ${epoch}`);
    this.#epoch = epoch;
    for (const node of this.#nodes) {
      node.check();
      if (node.member.leads) this.#checkLeader(node);
    }
  }

  #checkLeader({ name, member }: SimPoolNode): void {
    const { epoch = 0, provisional = true } = member.member.run?.view.status() ?? {};
    if (provisional) return;
    const named = `${this.#life} ${epoch}`;
    const other = this.#leaders.get(named);
    // A restored Lease says again what it said once.
    if (other !== undefined && other !== name && this.#life === MODEL_LIFE.incarnation)
      this.#fail(`${name} and ${other} were both appointed in epoch ${epoch}`);
    this.#leaders.set(named, name);
  }

  #onStream({ node, resource, epoch, direct }: ModelStream): void {
    const { streams, resources } = this.#cloud;
    // A node without a pool has its own.
    if (this.#nodes.some(({ name, inPool }) => name === node && !inPool)) return;
    const same = [...streams].filter((stream) => stream.resource === resource && !stream.direct);
    this.most.leading = Math.max(this.most.leading, same.length);
    if (same.length > 1)
      this.#fail(
        `${same.map((stream) => stream.node).join(' and ')} have ${resource} from the cloud at once`,
      );
    const directs = new Set([...streams].flatMap((stream) => (stream.direct ? [stream.node] : [])));
    this.most.direct = Math.max(this.most.direct, directs.size);
    const members = this.#nodes.filter(({ inPool }) => inPool).length;
    if (directs.size > Math.max(1, Math.floor(members * DIRECT_PART)))
      this.#fail(`${[...directs].join(' and ')} go without a leader at once, of ${members}`);
    if (direct || resources.incarnation !== this.#life) return;
    if (epoch < this.#streamEpoch)
      this.#fail(`${node} was given ${resource} in epoch ${epoch}, after ${this.#streamEpoch}`);
    this.#streamEpoch = Math.max(this.#streamEpoch, epoch);
  }
}
