import { Counter, Gauge, type Registry } from 'prom-client';

/** Metrics of the Leases of connected nodes. */
export interface LeaseMetrics {
  /** Renewals by what became of them: `renewed`, `fenced`, `failed`. */
  readonly renewals: Counter<'result'>;
  /** Renewals that somebody else had written before, and that were done again. */
  readonly conflicts: Counter;
  /** Epochs given: out of the `lease`, or out of `memory` while the API server was away. */
  readonly epochs: Counter<'from'>;
}

/** Makes the metrics `hawser_lease_*`; `held` is asked when they are read. */
export function leaseMetrics(registry: Registry, held: () => number): LeaseMetrics {
  const registers = [registry];
  new Gauge({
    name: 'hawser_lease_held',
    help: 'Nodes whose Lease this replica renews.',
    registers,
    collect() {
      this.set(held());
    },
  });
  return {
    renewals: new Counter({
      name: 'hawser_lease_renewals_total',
      help: 'Renewals, by result.',
      labelNames: ['result'],
      registers,
    }),
    conflicts: new Counter({
      name: 'hawser_lease_conflicts_total',
      help: 'Renewals done again because somebody else had written.',
      registers,
    }),
    epochs: new Counter({
      name: 'hawser_lease_epochs_total',
      help: 'Epochs given, by where they come from.',
      labelNames: ['from'],
      registers,
    }),
  };
}
