import { Counter, Gauge, type Registry } from 'prom-client';

/** How a stream of a pool came to be: of the leader, by a grant, or of a node without a pool. */
export type StreamMode = 'leader' | 'direct' | 'solo';

/** What the metrics of pools are read from, at each scrape. */
export interface PoolFigures {
  readonly pools: () => number;
  readonly members: () => number;
  /** Pools in which a member leads. */
  readonly led: () => number;
  readonly grants: () => number;
  readonly streams: () => Iterable<{ readonly resource: string; readonly mode: StreamMode }>;
  readonly resources: () => Iterable<{
    readonly resource: string;
    readonly objects: number;
    readonly bytes: number;
  }>;
}

/** Counters of pools. */
export interface PoolMetrics {
  readonly streamBytes: Counter<'resource' | 'mode'>;
  readonly fenced: Counter<'cause'>;
  readonly elections: Counter<'cause'>;
  readonly claims: Counter<'outcome'>;
  readonly direct: Counter<'outcome'>;
  readonly refusals: Counter<'code'>;
  readonly statesRefused: Counter;
}

/** Registers the metrics of pools at the hub: `hawser_pool_*`. */
export function poolMetrics(registry: Registry, figures: PoolFigures): PoolMetrics {
  const registers = [registry];
  const single = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  };
  single('hawser_pool_pools', 'NodePools.', figures.pools);
  single('hawser_pool_members', 'Edge nodes in them.', figures.members);
  single('hawser_pool_led', 'NodePools in which a member leads.', figures.led);
  single('hawser_pool_grants', 'Members that may go without their leader now.', figures.grants);
  new Gauge({
    name: 'hawser_pool_streams',
    help: 'Streams of pools that are open, by how they came to be: leader, direct, solo.',
    labelNames: ['resource', 'mode'],
    registers,
    collect() {
      this.reset();
      for (const { resource, mode } of figures.streams()) this.inc({ resource, mode });
    },
  });
  const byResource = (name: string, help: string, of: 'objects' | 'bytes'): void => {
    new Gauge({
      ...{ name, help, labelNames: ['resource'], registers },
      collect() {
        this.reset();
        for (const figure of figures.resources()) this.set({ resource: figure.resource }, figure[of]);
      },
    });
  };
  byResource('hawser_pool_objects', 'Objects kept for pools.', 'objects');
  byResource('hawser_pool_object_bytes', 'Bytes of their contents, as they are kept: packed.', 'bytes');
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  return {
    streamBytes: counter('hawser_pool_stream_bytes_total', 'Bytes said on streams of pools.', [
      'resource',
      'mode',
    ]),
    fenced: counter(
      'hawser_pool_fenced_total',
      'Streams of pools that the hub has ended: leader, member, resource, grant, pool.',
      ['cause'],
    ),
    elections: counter('hawser_pool_elections_total', 'Leaders appointed or taken away, by cause.', [
      'cause',
    ]),
    claims: counter('hawser_pool_claims_total', 'Members that wanted to lead: granted, refused.', [
      'outcome',
    ]),
    direct: counter(
      'hawser_pool_direct_total',
      'Members that wanted to go without their leader: granted, refused.',
      ['outcome'],
    ),
    refusals: counter('hawser_pool_refusals_total', 'Subscriptions to scopes of pools that were refused.', [
      'code',
    ]),
    statesRefused: counter(
      'hawser_pool_states_refused_total',
      'Members that say that their leader gave them what the hub has not signed.',
      [],
    ),
  };
}
