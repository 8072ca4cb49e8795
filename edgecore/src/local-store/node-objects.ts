import { poolResourceName, type ReplicaStore } from '@hawser/sync';
import type { GroupResource, ObjectKey } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import { DiskObjects } from './disk-objects.ts';
import { NodeItself, type NodeStatusSource } from './node-itself.ts';
import { NodePods, type PodSource, type PodStatusSource } from './node-pods.ts';
import { firstOwnVersion } from './own-versions.ts';
import type { ResourceState } from './resource-state.ts';

export { isNodeVersion } from './own-versions.ts';

/** What a {@link NodeObjects} needs. */
export interface NodeObjectsOptions {
  readonly node: string;
  /** `node/<name>`. */
  readonly scope: string;
  readonly replica: ReplicaStore;
  readonly pods: PodSource;
  readonly statuses: PodStatusSource;
  readonly reporter: NodeStatusSource;
  /** Time that does not go back over a restart, milliseconds since the epoch: versions begin there. */
  readonly wallMs: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the hub makes up: no resources of an API server. */
const MADE_UP = '.hawser.dev';

/**
 * What is of this node: its pods and its Node, with the status that it reports, and single objects that they need, from
 * its disk. Versions are this node's own: above those of an API server, and above those of before a restart.
 */
export class NodeObjects {
  readonly node: string;
  readonly #options: NodeObjectsOptions;
  readonly #disk: DiskObjects;
  #pods: NodePods | undefined;
  #itself: NodeItself | undefined;
  #ended = false;

  constructor(options: NodeObjectsOptions) {
    const { replica, scope, clock, log } = options;
    this.node = options.node;
    this.#options = options;
    this.#disk = new DiskObjects({
      ...{ replica, scope, clock, log },
      shows: (resource) => resource !== 'pods' && resource !== 'nodes' && !resource.endsWith(MADE_UP),
      firstVersion: () => this.firstVersion(),
    });
  }

  /** Idempotent. */
  start(): void {
    this.#disk.start();
  }

  /** Ends all watches. Idempotent. */
  stop(): void {
    this.#ended = true;
    this.#disk.stop();
    this.#pods?.close();
    this.#itself?.close();
  }

  /** Whether the node has this object. */
  has(key: ObjectKey): boolean {
    const { namespace, name } = key;
    const { replica, scope } = this.#options;
    switch (poolResourceName(key)) {
      case 'pods':
        return this.#podsState().get(namespace, name) !== undefined;
      case 'nodes':
        return namespace === '' && name === this.node && replica.entries(scope).has(`nodes//${name}`);
      default:
        return this.#disk.has(key);
    }
  }

  /** Reads an object from the disk, so that it can be asked for. Rejects where the disk does not give it. */
  async load(key: ObjectKey): Promise<void> {
    const resource = poolResourceName(key);
    if (resource === 'nodes') await this.#node().loaded;
    else if (resource !== 'pods') await this.#disk.load(key);
  }

  /** undefined: the node has none of it. */
  state(resource: GroupResource): ResourceState | undefined {
    if (this.#ended) return undefined;
    switch (poolResourceName(resource)) {
      case 'pods':
        return this.#podsState();
      case 'nodes':
        return this.#node().state;
      default:
        return this.#disk.state(resource);
    }
  }

  /** Somebody is about to watch a resource. */
  hold(resource: GroupResource): void {
    this.#disk.hold(resource);
  }

  /** States that were asked for, for metrics. */
  states(): readonly ResourceState[] {
    return [this.#pods?.state, this.#itself?.state, ...this.#disk.states()].filter(
      (state) => state !== undefined,
    );
  }

  /** The version that something of this node's own begins with now. */
  firstVersion(): number {
    return firstOwnVersion(this.#options.wallMs());
  }

  #podsState(): ResourceState {
    const { pods, statuses, clock } = this.#options;
    this.#pods ??= new NodePods({ pods, statuses, clock, version: this.firstVersion() });
    return this.#pods.state;
  }

  #node(): NodeItself {
    const { node, replica, scope, reporter, clock, log } = this.#options;
    this.#itself ??= new NodeItself({
      ...{ node, replica, scope, reporter, clock, log },
      version: this.firstVersion(),
    });
    return this.#itself;
  }
}
