import type { Clock } from '@hawser/seams';
import type { PoolRun } from './pool-run.ts';
import type { PoolStatus } from './pool-types.ts';

/** What a status is made from, beside the machine. */
export interface PoolStatusParts {
  readonly node: string;
  readonly clock: Clock;
  /** Bytes that a resource takes. */
  readonly bytesOf: (resource: string) => number;
  readonly problems: PoolStatus['problems'];
}

/** What `hawser pool status` shows. */
export function poolStatus(run: PoolRun, { node, clock, bytesOf, problems }: PoolStatusParts): PoolStatus {
  const { state, sinceMs, leader, provisional, epoch, cloudAgeMs } = run.view.standing();
  const { scopes } = run;
  return {
    ...{ pool: scopes.pool, node, state, leader, provisional, epoch, problems },
    since: new Date(sinceMs).toISOString(),
    ...(cloudAgeMs !== undefined && { ageSeconds: seconds(cloudAgeMs) }),
    members: membersOf(run, node, clock.monotonicMs()),
    resources: scopes.names().map((name) => ({
      name,
      version: scopes.view(name)?.version ?? '',
      objects: scopes.view(name)?.size ?? 0,
      bytes: bytesOf(name),
      ...sourceOf(run, name),
    })),
  };
}

function membersOf(run: PoolRun, node: string, nowMs: number): PoolStatus['members'] {
  const { state, version } = run.view.status();
  return (run.scopes.roster?.members ?? []).map(({ name, endpoint, eligible }) => {
    const member = { name, endpoint, eligible };
    if (name === node) return { ...member, state, version, heardSeconds: 0 };
    const known = run.table.state(name, nowMs);
    if (known === undefined) return member;
    return { ...member, state: known.state, version: known.version, heardSeconds: seconds(known.heardMs) };
  });
}

function sourceOf(run: PoolRun, name: string): Pick<PoolStatus['resources'][number], 'source' | 'synced'> {
  const { source, synced = false } = run.scopes.standing(name) ?? {};
  if (source !== undefined) return { source: source.kind, synced };
  return { source: run.scopes.view(name)?.ready === true ? 'snapshot' : 'none', synced };
}

function seconds(ms: number): number {
  return Math.max(0, Math.round(ms / 100) / 10);
}
