import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';
import type { PoolMember } from './pool-member.ts';
import type { PoolState } from './pool-types.ts';

/** What of a member is read. */
type Read = Pick<PoolMember, 'run' | 'counters' | 'bytes' | 'overlay'>;

const STATES: readonly PoolState[] = ['LIVE', 'GRACE', 'DIRECT', 'STALE'];

/** Metrics of this node as a member of a pool, read when they are printed. */
export function registerPoolMetrics(registry: Registry, member: () => Read): void {
  gauges(registry, member);
  counters(registry, member);
}

function gauges(registry: Registry, member: () => Read): void {
  const registers = [registry];
  const state = new Gauge({
    name: 'hawser_pool_state',
    help: 'Whether the member is in this state: LIVE, GRACE, DIRECT or STALE. All 0: the node is in no pool.',
    labelNames: ['state'],
    registers,
    collect() {
      const { run } = member();
      const now = run?.view.idle === false ? run.view.standing().state : undefined;
      for (const each of STATES) state.set({ state: each }, Number(each === now));
    },
  });
  const single = (name: string, help: string, read: (of: Read) => number): void => {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read(member())) });
  };
  single('hawser_pool_leading', 'Whether this node leads its pool.', ({ run }) =>
    Number(run?.view.leads ?? false),
  );
  single(
    'hawser_pool_provisional',
    'Whether the leader was chosen by the pool itself, without the cloud.',
    ({ run }) => Number(run?.view.standing().provisional ?? false),
  );
  single(
    'hawser_pool_epoch',
    'Epoch of the pool’s leadership.',
    ({ run }) => run?.view.standing().epoch ?? 0,
  );
  single('hawser_pool_cloud', 'Whether the cloud is heard, by this node or by its leader.', ({ run }) =>
    Number(run?.view.cloud ?? false),
  );
  single(
    'hawser_pool_age_seconds',
    'Seconds since the cloud was heard, by this node or by its leader; -1: never.',
    ({ run }) => {
      const ageMs = run?.view.standing().cloudAgeMs;
      return ageMs === undefined ? -1 : ageMs / 1000;
    },
  );
  single('hawser_pool_followers', 'Sessions that other members have with this one.', ({ run }) =>
    run === undefined ? 0 : run.services.size,
  );
  single('hawser_pool_published_scopes', 'Scopes that followers read from this node.', ({ run }) =>
    run === undefined ? 0 : run.services.scopes,
  );
  single('hawser_pool_replica_bytes', 'Bytes of the replicas of the pool.', ({ bytes }) => bytes);
  single(
    'hawser_pool_overlay_entries',
    'Pods whose address is taken from the word of their node.',
    (of) => of.overlay().size,
  );
  const streams = new Gauge({
    name: 'hawser_pool_streams',
    help: 'Resources of the pool that are followed now, by where they come from: cloud or leader.',
    labelNames: ['source'],
    registers,
    collect() {
      const scopes = member().run?.scopes;
      for (const source of ['cloud', 'leader'] as const)
        streams.set({ source }, scopes?.source?.kind === source ? scopes.followed : 0);
    },
  });
}

function counters(registry: Registry, member: () => Read): void {
  const registers = [registry];
  const labelled = (
    name: string,
    help: string,
    label: string,
    read: (of: Read) => Readonly<Record<string, number>>,
  ): void => {
    const counter: Counter = new Counter({
      ...{ name, help, registers },
      labelNames: [label],
      collect: () => {
        counter.reset();
        for (const [value, count] of Object.entries(read(member()))) counter.inc({ [label]: value }, count);
      },
    });
  };
  const single = (name: string, help: string, read: (of: Read) => number): void => {
    const counter: Counter = new Counter({
      ...{ name, help, registers },
      collect: () => {
        counter.reset();
        counter.inc(read(member()));
      },
    });
  };
  labelled(
    'hawser_pool_takeovers_total',
    'Times that this node began to lead, by whose word: appointed (the hub’s) or provisional (the pool’s).',
    'by',
    (of) => of.counters.takeovers,
  );
  single(
    'hawser_pool_refusals_total',
    'Times that what a leader gave was refused.',
    (of) => of.counters.refusals,
  );
  single(
    'hawser_pool_directs_total',
    'Times that this node went without a leader.',
    (of) => of.counters.directs,
  );
  labelled(
    'hawser_pool_received_bytes_total',
    'Bytes of contents that became visible, by where they came from: cloud, leader or snapshot.',
    'source',
    (of) => of.counters.receivedBytes,
  );
  labelled(
    'hawser_pool_lan_bytes_total',
    'Bytes of changes that travelled on the LAN, by direction.',
    'direction',
    (of) => of.counters.lanBytes,
  );
  single('hawser_pool_snapshots_total', 'Snapshots written.', (of) => of.counters.snapshots.written);
  single(
    'hawser_pool_snapshot_bytes_total',
    'Bytes of snapshots written.',
    (of) => of.counters.snapshots.bytes,
  );
  single(
    'hawser_pool_snapshot_failures_total',
    'Snapshots that the disk did not take.',
    (of) => of.counters.snapshots.failed,
  );
}
