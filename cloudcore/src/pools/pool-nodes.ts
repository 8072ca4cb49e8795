import {
  Controller,
  FailureLimiter,
  isPlainObject,
  ResourceClient,
  RESOURCES,
  type ApiClient,
  type WorkqueueMetrics,
} from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import { texts } from '../cache/json-reader.ts';
import { ANNOTATIONS } from '../cluster/names.ts';
import { hasCode } from '../upstream/conflict-retry.ts';
import { poolLabel } from '../upstream/node-labels.ts';
import type { MemberStates } from './member-states.ts';
import { attributePatch, givenTo, type Attributes } from './node-attributes.ts';
import type { PoolTable } from './pool-table.ts';

/** Settings of {@link PoolNodes}. */
export interface PoolNodesOptions {
  readonly client: ApiClient;
  readonly table: Pick<PoolTable, 'facts' | 'pool' | 'decided'>;
  readonly members: MemberStates;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queueMetrics?: WorkqueueMetrics;
}

const RETRY = { baseMs: 500, capMs: 300_000 };
const WORKERS = 4;

/**
 * Writes into Nodes what pools are about: where peers reach the node, as it has said, so that other replicas know it; and
 * labels, annotations and taints of its NodePool. Nothing is read where what the cache has says that it is so already.
 */
export class PoolNodes {
  readonly #options: PoolNodesOptions;
  readonly #nodes: ResourceClient;
  readonly #queue: Controller;

  constructor(options: PoolNodesOptions) {
    this.#options = options;
    this.#nodes = new ResourceClient(options.client, RESOURCES.nodes);
    const { clock, log, queueMetrics } = options;
    this.#queue = new Controller({
      name: 'pool-nodes',
      workers: WORKERS,
      reconcile: (node, signal) => this.#reconcile(node, signal),
      rateLimiter: new FailureLimiter(RETRY),
      onError: (err, node) =>
        log[hasCode(err, 409) ? 'debug' : 'warn']({ node, err }, 'a Node was not given what its pool says'),
      ...(queueMetrics && { metrics: queueMetrics }),
      clock,
    });
  }

  /** A node, its pool, or what it has said may be another. */
  look(node: string): void {
    this.#queue.enqueue(node);
  }

  /** Idempotent. */
  start(): void {
    this.#queue.start();
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<void> {
    const { table, members } = this.#options;
    const facts = table.facts(name);
    if (facts === undefined || !table.decided) return;
    const wanted = this.#wanted(facts.labels);
    const report = members.report(name);
    // One that stops comes back at the same place, mostly.
    const said = report?.resign === true ? undefined : report?.endpoint;
    const isEndpointNew = said !== undefined && said !== (facts.annotations[ANNOTATIONS.poolEndpoint] ?? '');
    const isPlain = wanted === undefined && facts.annotations[ANNOTATIONS.poolAttributes] === undefined;
    // Taints are not in the cache: those that were noted are as they were noted.
    const known = { ...facts, taints: givenTo(facts.annotations).taints };
    const mayDiffer = !isPlain && attributePatch(known, wanted) !== undefined;
    if (!isEndpointNew && !mayDiffer) return;
    try {
      await this.#write(name, isEndpointNew ? said : undefined, signal);
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
    }
  }

  async #write(name: string, endpoint: string | undefined, signal: AbortSignal): Promise<void> {
    const call = { signal, retries: 0 };
    const node = await this.#nodes.get('', name, call);
    const labels = texts(node.metadata.labels);
    const spec = isPlainObject(node['spec']) ? node['spec'] : {};
    const taints: readonly unknown[] = Array.isArray(spec['taints']) ? spec['taints'] : [];
    const annotations = texts(node.metadata.annotations);
    const patch = attributePatch({ labels, annotations, taints }, this.#wanted(labels));
    if (patch === undefined && endpoint === undefined) return;
    const { resourceVersion } = node.metadata;
    const body = {
      ...patch,
      metadata: {
        ...patch?.metadata,
        resourceVersion,
        annotations: {
          ...patch?.metadata.annotations,
          ...(endpoint !== undefined && { [ANNOTATIONS.poolEndpoint]: endpoint === '' ? null : endpoint }),
        },
      },
    };
    await this.#nodes.patch('', name, 'merge', body, call);
  }

  /** What the pool of a node with these labels gives; undefined: nothing. */
  #wanted(labels: Readonly<Record<string, string>>): Attributes | undefined {
    const pool = this.#options.table.pool(poolLabel(labels) ?? '');
    if (pool === undefined) return undefined;
    const isEmpty =
      pool.taints.length === 0 &&
      [pool.labels, pool.annotations].every((fields) => Object.keys(fields).length === 0);
    return isEmpty ? undefined : pool;
  }
}
