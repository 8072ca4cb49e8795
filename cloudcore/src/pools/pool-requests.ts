import type { UpstreamAnswers, UpstreamBodies } from '@hawser/sync';
import { SOLO_PREFIX } from '@hawser/sync';
import { Refusal } from '../upstream/outcome.ts';
import type { DirectGrants } from './direct-grants.ts';
import type { ElectionKeeper } from './elections.ts';
import type { MemberStates } from './member-states.ts';
import type { PoolEvents } from './pool-events.ts';
import type { PoolIntake } from './pool-intake.ts';
import type { PoolMetrics } from './pool-metrics.ts';
import type { PoolTable } from './pool-table.ts';

/** What a {@link PoolRequests} works with. */
export interface PoolRequestsOptions {
  readonly table: Pick<PoolTable, 'poolOf' | 'pool' | 'members'>;
  readonly members: MemberStates;
  readonly elections: ElectionKeeper;
  readonly grants: DirectGrants;
  readonly events: PoolEvents;
  readonly metrics: PoolMetrics;
  /** Whether it is known who is in which pool. */
  readonly isReady: () => boolean;
  /** A member has said something new of itself. */
  readonly onReport: (pool: string, node: string) => void;
  /** Aborts when the hub stops. */
  readonly stopping: AbortSignal;
}

/** `address:port`, an IPv6 address in brackets. */
const ENDPOINT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):\d{1,5}$/;
/** When to say it again, milliseconds. */
const NOT_YET_MS = 1_000;
/** What members report of where a leader gave them what the hub has not signed. */
const STATE_REFUSED: ReadonlySet<string> = new Set(['PoolStateRefused', 'ERR_SYNC_FORGED']);

/** Answers what members of pools say and ask for, each only about the pool that it is in. */
export class PoolRequests implements PoolIntake {
  readonly #options: PoolRequestsOptions;

  constructor(options: PoolRequestsOptions) {
    this.#options = options;
  }

  report(node: string, body: UpstreamBodies['pool-report']): void {
    const { members, elections, onReport } = this.#options;
    if (body.pool === SOLO_PREFIX + node) return; // nobody has to know
    this.#check(node, body.pool);
    if (body.endpoint !== '' && !ENDPOINT.test(body.endpoint))
      throw new Refusal(400, 'malformed', 'endpoint: not address:port');
    members.reported(node, body);
    elections.reported(body.pool, body.epoch);
    onReport(body.pool, node);
  }

  async claim(node: string, body: UpstreamBodies['pool-claim']): Promise<UpstreamAnswers['pool-claim']> {
    const { elections, metrics, stopping } = this.#options;
    this.#check(node, body.pool);
    try {
      const answer = await elections.claim(node, body, stopping);
      metrics.claims.inc({ outcome: 'granted' });
      return answer;
    } catch (error) {
      metrics.claims.inc({ outcome: 'refused' });
      throw error;
    }
  }

  direct(node: string, { pool }: UpstreamBodies['pool-direct']): UpstreamAnswers['pool-direct'] {
    const { table, grants, metrics, events } = this.#options;
    this.#check(node, pool);
    const isLed = table.pool(pool)?.elects === true;
    try {
      const answer = grants.grant(pool, node, isLed ? table.members(pool).length : Infinity);
      metrics.direct.inc({ outcome: 'granted' });
      if (isLed)
        events.tell(pool, 'DirectGranted', `${node} reads from the cloud for a while: it reaches no leader`);
      return answer;
    } catch (error) {
      metrics.direct.inc({ outcome: 'refused' });
      throw error;
    }
  }

  edgeReported(node: string, { code, message }: UpstreamBodies['report']): void {
    const { table, events, metrics } = this.#options;
    const pool = table.poolOf(node);
    if (!STATE_REFUSED.has(code) || pool === undefined || pool === '') return;
    metrics.statesRefused.inc();
    events.tell(pool, 'PoolStateRefused', `${node}: ${message}`);
  }

  #check(node: string, pool: string): void {
    const { table, isReady } = this.#options;
    const member = table.poolOf(node);
    if (!isReady() || member === undefined)
      throw new Refusal(503, 'state', 'it is not known yet who is in which pool', NOT_YET_MS);
    if (member === pool) return;
    throw new Refusal(403, 'not-yours', `${node} is no member of the pool ${pool}`);
  }
}
