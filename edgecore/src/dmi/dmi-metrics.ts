import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';
import type { DmiCounters } from './dmi-counters.ts';
import type { DmiMappers } from './dmi-mappers.ts';

/** What metrics of DMI are read from. */
export interface DmiReadings {
  readonly counters: DmiCounters;
  readonly amounts: ReturnType<DmiMappers['amounts']>;
}

/**
 * Puts the metrics of DMI into a registry; they are read when it is printed.
 * @param read what is so now
 */
export function registerDmiMetrics(registry: Registry, read: () => DmiReadings): void {
  const registers = [registry];
  const mappers: Gauge = new Gauge({
    name: 'hawser_edge_dmi_mappers',
    help: 'Mappers that have registered over DMI, those of them that are silent, and those whose protocol a mapper on the event bus serves.',
    labelNames: ['state'],
    registers,
    collect: () => {
      for (const [state, value] of Object.entries(read().amounts)) mappers.set({ state }, value);
    },
  });
  counter(
    'hawser_edge_dmi_calls_total',
    'Calls of DMI mappers: taken, refused, not readable, too many, of a protocol that another mapper serves.',
    () => read().counters.calls,
  );
  counter(
    'hawser_edge_dmi_orders_total',
    'Calls to DMI mappers: done, refused by the mapper, not answered.',
    () => read().counters.orders,
  );

  function counter(name: string, help: string, of: () => Readonly<Record<string, number>>): void {
    const made: Counter = new Counter({
      ...{ name, help, labelNames: ['outcome'], registers },
      collect: () => {
        made.reset();
        for (const [outcome, value] of Object.entries(of())) made.inc({ outcome }, value);
      },
    });
  }
}
