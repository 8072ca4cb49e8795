import type { UpstreamAnswers, UpstreamBodies } from '@hawser/sync';

/** What members of pools say and ask for. All of it is checked against the pool that the node is in. */
export interface PoolIntake {
  /** How a member is. @throws Refusal 403 not-yours: the node is not in this pool */
  report(node: string, body: UpstreamBodies['pool-report']): void;
  /** A member wants to lead. @throws Refusal 403 not-yours; 409 state: the leader is there; 503 */
  claim(node: string, body: UpstreamBodies['pool-claim']): Promise<UpstreamAnswers['pool-claim']>;
  /** A member wants to go without its leader. @throws Refusal 403 not-yours; 429 overloaded, with `retryAfterMs` */
  direct(node: string, body: UpstreamBodies['pool-direct']): UpstreamAnswers['pool-direct'];
  /** A node says something of itself, which may be about its pool. */
  edgeReported(node: string, body: UpstreamBodies['report']): void;
}
