import { parsePoolScope, SOLO_PREFIX } from '@hawser/sync';
import type { PoolOffer, PoolRefusal, PoolRequest } from './pool-access.ts';
import type { Leadership } from './pool-lease.ts';
import type { PoolMetrics, StreamMode } from './pool-metrics.ts';
import type { PoolScope } from './pool-scope.ts';
import type { PoolStreams } from './pool-streams.ts';

/** What admission looks at. */
export interface PoolAdmissionOptions {
  /** The pool of a node; `''`: none; undefined: not known. */
  readonly poolOf: (node: string) => string | undefined;
  readonly leadership: (pool: string) => Leadership;
  /** The Lease of a pool is read anew. */
  readonly refresh: (pool: string) => Promise<void>;
  readonly allowsDirect: (pool: string, node: string) => boolean;
  /** The scope of a resource that a pool shares; undefined: it does not. */
  readonly scopeOf: (pool: string, resource: string) => PoolScope | undefined;
  /** A solo node begins or ends to want a resource. */
  readonly wantSolo: (node: string, resource: string) => () => void;
  readonly streams: PoolStreams;
  readonly metrics: PoolMetrics;
  readonly confirmMs: number;
}

interface Asked extends PoolRequest {
  readonly node: string;
  readonly pool: string;
  readonly resource: string;
}

/** Who may have which stream of a pool: docs/pool.md, "The streams, enforced in the cloud". */
export class PoolAdmission {
  readonly #options: PoolAdmissionOptions;

  constructor(options: PoolAdmissionOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async offer(node: string, request: PoolRequest): Promise<PoolOffer | PoolRefusal> {
    const offered = await this.#decide(node, request);
    if ('code' in offered) this.#options.metrics.refusals.inc({ code: offered.code });
    return offered;
  }

  async #decide(node: string, request: PoolRequest): Promise<PoolOffer | PoolRefusal> {
    const parts = parsePoolScope(request.name);
    const member = this.#options.poolOf(node);
    if (parts === undefined) return forbidden(node, request);
    const asked: Asked = { ...request, ...parts, node };
    const isSolo = parts.pool === SOLO_PREFIX + node && member === '';
    if (!isSolo && parts.pool !== member) return forbidden(node, request);
    if (this.#options.scopeOf(asked.pool, asked.resource) === undefined) return forbidden(node, request);
    if (isSolo) return this.#offer(asked, 'solo');
    if (asked.direct) return this.#ofDirect(asked);
    // Another replica may have appointed this node just now.
    if (asked.epoch > this.#options.leadership(asked.pool).epoch) await this.#options.refresh(asked.pool);
    return this.#ofLeader(asked);
  }

  #ofDirect(asked: Asked): PoolOffer | PoolRefusal {
    const { node, pool } = asked;
    if (this.#options.allowsDirect(pool, node)) return this.#offer(asked, 'direct');
    return notLeader(`${node} has no grant to read ${pool} without its leader`);
  }

  #ofLeader(asked: Asked): PoolOffer | PoolRefusal {
    const { node, pool, epoch } = asked;
    const now = this.#options.leadership(pool);
    if (now.leader === node && now.epoch === epoch) return this.#offer(asked, 'leader');
    const leads = now.leader === '' ? 'nobody leads' : `${now.leader} leads`;
    const message = `${leads} ${pool}, in epoch ${now.epoch}; ${node} asked in epoch ${epoch}`;
    if (now.epoch === epoch && now.leader !== '') return { code: 'ERR_CLOUDCORE_EPOCH_CONFLICT', message };
    return notLeader(message);
  }

  #offer(asked: Asked, mode: StreamMode): PoolOffer | PoolRefusal {
    const { node, pool, resource } = asked;
    const { scopeOf, wantSolo, streams, metrics, confirmMs } = this.#options;
    const view = scopeOf(pool, resource);
    if (view === undefined) return forbidden(node, asked);
    const epoch = mode === 'leader' ? asked.epoch : 0;
    return {
      view,
      confirmAfterMs: confirmMs,
      opened: (end) => {
        const unwant = mode === 'solo' ? wantSolo(node, resource) : undefined;
        const remove = streams.add({ ...{ node, pool, resource, mode, epoch }, end });
        return () => {
          remove();
          unwant?.();
        };
      },
      sent: (bytes) => metrics.streamBytes.inc({ resource, mode }, bytes),
    };
  }
}

function notLeader(message: string): PoolRefusal {
  return { code: 'ERR_CLOUDCORE_NOT_LEADER', message };
}

function forbidden(node: string, { name }: PoolRequest): PoolRefusal {
  return { code: 'ERR_CLOUDCORE_FORBIDDEN', message: `${node} may not have pool/${name.slice(0, 253)}` };
}
