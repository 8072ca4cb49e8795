import {
  Controller,
  FailureLimiter,
  formatTime,
  jsonEqual,
  ResourceClient,
  type ApiClient,
  type ApiResource,
  type JsonObject,
  type WorkqueueMetrics,
} from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import { text } from '../cache/json-reader.ts';
import { conditionsOf, settleTransition, type Condition } from '../upstream/conditions.ts';
import { hasCode } from '../upstream/conflict-retry.ts';
import type { NodePool } from './node-pool.ts';
import type { Leadership } from './pool-lease.ts';

/** What the status of a pool is made of. */
export interface PoolFacts {
  readonly pool: NodePool;
  readonly nodes: readonly { readonly name: string; readonly isReady: boolean }[];
  readonly leadership: Leadership;
  /** `address:port` of the leader; empty: not known. */
  readonly endpoint: string;
  /** Whether the leader has said that all its replicas are complete; undefined: nothing is known of it here. */
  readonly isComplete: boolean | undefined;
}

/** Settings of {@link PoolStatusWriter}. */
export interface PoolStatusOptions {
  readonly client: ApiClient;
  readonly resource: () => ApiResource | undefined;
  /** undefined: there is nothing to write, or it is another replica's to. */
  readonly facts: (pool: string) => PoolFacts | undefined;
  /** Time between two writes of one pool, milliseconds. */
  readonly paceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queueMetrics?: WorkqueueMetrics;
}

const LEADER_READY = 'LeaderReady';
/** What changes together is written together, milliseconds. */
const SETTLE_MS = 250;
const RETRY = { baseMs: 500, capMs: 60_000 };
const MAX_NODES = 1_000;

/** Writes the status of NodePools: what differs, and not more often than every few seconds. */
export class PoolStatusWriter {
  readonly #options: PoolStatusOptions;
  readonly #queue: Controller;
  readonly #writtenMs = new Map<string, number>();

  constructor(options: PoolStatusOptions) {
    this.#options = options;
    const { clock, log, queueMetrics } = options;
    this.#queue = new Controller({
      name: 'pool-status',
      workers: 2,
      reconcile: (pool, signal) => this.#reconcile(pool, signal),
      rateLimiter: new FailureLimiter(RETRY),
      onError: (err, pool) =>
        log[hasCode(err, 409) ? 'debug' : 'warn']({ pool, err }, 'the status of a NodePool was not written'),
      ...(queueMetrics && { metrics: queueMetrics }),
      clock,
    });
  }

  /** What a status is made of may be another. */
  look(pool: string): void {
    const sinceMs = this.#options.clock.monotonicMs() - (this.#writtenMs.get(pool) ?? -Infinity);
    this.#queue.enqueueAfter(pool, Math.max(SETTLE_MS, this.#options.paceMs - sinceMs));
  }

  /** The pool is gone. */
  forget(pool: string): void {
    this.#writtenMs.delete(pool);
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
    const { client, facts, resource, clock } = this.#options;
    const known = facts(name);
    const served = resource();
    if (known === undefined || served === undefined) return;
    const before = known.pool.status;
    const status = statusOf(known, before, clock.wallMs());
    if (Object.entries(status).every(([field, value]) => jsonEqual(before[field], value))) return;
    this.#writtenMs.set(name, clock.monotonicMs());
    try {
      const call = { signal, subresource: 'status', retries: 0 };
      await new ResourceClient(client, served).patch('', name, 'merge', { status }, call);
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
    }
  }
}

/** The fields of a NodePool's status that are the hub's to say. */
export function statusOf(facts: PoolFacts, before: JsonObject, nowMs: number): JsonObject {
  const { nodes, leadership, endpoint } = facts;
  const { leader, sinceMs } = leadership;
  const ready = nodes.filter(({ isReady }) => isReady).length;
  const present = conditionsOf(before);
  const known = present.find(({ type }) => type === LEADER_READY);
  const condition = settleTransition(known, conditionOf(facts, known), nowMs, formatTime(nowMs));
  return {
    readyNodeNum: ready,
    unreadyNodeNum: nodes.length - ready,
    nodes: nodes.slice(0, MAX_NODES).map(({ name }) => name),
    leaderEndpoints: leader === '' ? [] : [{ nodeName: leader, address: hostOf(endpoint) }],
    leaderNum: leader === '' ? 0 : 1,
    ...(leader !== '' && sinceMs > 0 && { leaderLastElectedTime: formatTime(sinceMs) }),
    conditions:
      known === undefined
        ? [...present, condition]
        : present.map((each) => (each === known ? condition : each)),
  };
}

function conditionOf({ pool, leadership, isComplete }: PoolFacts, before: Condition | undefined): Condition {
  const { leader, epoch } = leadership;
  const say = (status: string, reason: string, message: string): Condition => ({
    ...{ type: LEADER_READY, status, reason, message },
  });
  if (!pool.elects)
    return say('False', 'NoElection', 'no member of this pool is to lead; each reads from the cloud');
  if (leader === '') return say('False', 'NoLeader', 'no member that may lead is connected');
  const about = `${leader} leads in epoch ${epoch}`;
  if (isComplete === true) return say('True', 'LeaderComplete', `${about}, and has all that the pool shares`);
  if (isComplete === false)
    return say('False', 'LeaderIncomplete', `${about}, and has not all that the pool shares yet`);
  // Its session is elsewhere or gone: what was said last stays while it leads.
  return before !== undefined && text(before['message']).startsWith(`${about},`)
    ? say(before.status, text(before['reason']), text(before['message']))
    : say('Unknown', 'LeaderSilent', `${about}, and has not said yet how it is`);
}

/** OpenYurt's field is an address without a port. */
function hostOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
