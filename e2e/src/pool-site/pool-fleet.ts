import path from 'node:path';
import { delay } from '@hawser/seams';
import type { ClusterSite } from '../cluster-site/cluster-site.ts';
import { ask } from '../cluster-site/ipc-calls.ts';
import { E2eError } from '../errors.ts';
import type { NodeChild, NodeChildOptions } from '../processes/node-child.ts';
import type { FleetArrival, FleetSettings, FleetState } from './fleet-types.ts';
import { POOL } from './pool-cluster.ts';

/** Where a fleet runs, and how large it is. */
export interface PoolFleetOptions {
  readonly members: number;
  readonly heartbeatMs?: number;
  /** Whether members serve a local API. Default false. */
  readonly localApi?: boolean;
  /** Starts its process: in a namespace, where bytes are counted. */
  readonly startNode: (options: NodeChildOptions) => Promise<NodeChild>;
}

const LOOK_EVERY_MS = 100;
const START_LIMIT_MS = 5 * 60_000;
/** Folders of fleets that were made. */
let folders = 0;

/** Many members of the one pool in one process. */
export class PoolFleet {
  readonly members: number;
  /** Their names. */
  readonly nodes: readonly string[];
  readonly #child: NodeChild;

  private constructor({ prefix, count }: FleetSettings, child: NodeChild) {
    this.members = count;
    this.nodes = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    this.#child = child;
  }

  /** Members that have joined, not started. */
  static async joined(site: ClusterSite, options: PoolFleetOptions): Promise<PoolFleet> {
    const { members, heartbeatMs = 10_000, localApi = false, startNode } = options;
    const settings: FleetSettings = {
      hub: site.address(),
      token: await site.token({ pool: POOL, uses: members }),
      dir: path.join(site.dir, `fleet${folders++}`),
      prefix: `fleet-${folders}-`,
      ...{ count: members, heartbeatMs, localApi },
    };
    const child = await startNode({
      script: new URL('fleet-process.js', import.meta.url),
      args: [JSON.stringify(settings)],
      readyTimeoutMs: START_LIMIT_MS,
    });
    return new PoolFleet(settings, child);
  }

  async start(): Promise<void> {
    await ask(this.#child, 'start', undefined, START_LIMIT_MS);
  }

  async stop(): Promise<void> {
    await ask(this.#child, 'stop', undefined, START_LIMIT_MS);
  }

  /** Wipes the disks of all members, which do not run: what is left is their identity. */
  async forget(): Promise<void> {
    await ask(this.#child, 'forget', undefined, START_LIMIT_MS);
  }

  state(): Promise<FleetState> {
    return ask<FleetState>(this.#child, 'state', undefined, 30_000);
  }

  /** Waits until it is as it should be. @throws E2eError ERR_E2E_CHILD_TIMEOUT, with how it is */
  async until(is: (state: FleetState) => boolean, deadlineMs = 120_000): Promise<FleetState> {
    const lateMs = performance.now() + deadlineMs;
    for (;;) {
      const state = await this.state();
      if (is(state)) return state;
      if (performance.now() > lateMs) {
        const end = this.#child.stderr.slice(-2000);
        throw new E2eError('ERR_E2E_CHILD_TIMEOUT', `the fleet is still ${JSON.stringify(state)} ${end}`);
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Waits until all have everything, by one leader. */
  untilLed(deadlineMs?: number): Promise<FleetState> {
    return this.until(
      ({ synced, leaders, versions }) =>
        synced === this.members && leaders.length === 1 && leaders[0] !== '' && versions.length === 1,
      deadlineMs,
    );
  }

  /** Begins a watch on the local API of each. */
  async watch(token: string): Promise<void> {
    await ask(this.#child, 'watch', token, START_LIMIT_MS);
  }

  /** When the last member has shown this version to its reader. */
  async arrival(version: string, deadlineMs = 20_000): Promise<number> {
    const isThat = (message: unknown): boolean => (message as Partial<FleetArrival>).version === version;
    return ((await this.#child.message(isThat, deadlineMs)) as FleetArrival).atMs;
  }

  async close(): Promise<void> {
    await this.#child.kill();
  }
}
