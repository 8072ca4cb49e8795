import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';
import type { Mapper } from '../mapper.ts';
import type { MapperStats } from './mapper-stats.ts';

/** What metrics are made from. */
export type Measured = Pick<
  Mapper,
  'stats' | 'devices' | 'refused' | 'connections' | 'receivers' | 'busConnected' | 'readingsDropped'
>;

const COUNTERS: readonly (readonly [keyof MapperStats, name: string, help: string])[] = [
  ['polls', 'polls_total', 'Readings of devices that were answered.'],
  ['pollFailures', 'poll_failures_total', 'Readings that were not answered.'],
  ['lateCycles', 'late_cycles_total', 'Cycles that went by without a reading: the connection was busy.'],
  ['propertyErrors', 'property_errors_total', 'Properties not read though their device answered.'],
  ['writes', 'writes_total', 'Writes of desired values, repetitions included.'],
  ['writeFailures', 'write_failures_total', 'Writes that failed.'],
  ['commands', 'commands_total', 'Commands that came over the bus.'],
  ['messages', 'messages_total', 'Messages that the event bus has acknowledged.'],
  ['messagesLost', 'messages_lost_total', 'Messages not acknowledged; what they said is said again.'],
  ['messagesBad', 'messages_bad_total', 'Messages of the bus that could not be understood.'],
  ['coalesced', 'values_coalesced_total', 'Values replaced by newer ones before they were said.'],
  ['dropped', 'dropped_total', 'Devices and settings beyond the limit.'],
  ['opened', 'connections_opened_total', 'Connections to devices that were opened.'],
  ['openFailures', 'connection_failures_total', 'Connections to devices that could not be opened.'],
  ['lost', 'connections_lost_total', 'Connections to devices that broke.'],
];

/** Registers the metrics of a mapper: they are read from it when they are printed. */
export function mapperMetrics(registry: Registry, mapper: Measured): void {
  const registers = [registry];
  for (const [key, name, help] of COUNTERS) {
    new Counter({
      name: `hawser_mapper_${name}`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(mapper.stats[key]);
      },
    });
  }
  new Counter({
    name: 'hawser_mapper_poll_seconds_total',
    help: 'Time that answered readings took, together.',
    registers,
    collect() {
      this.reset();
      this.inc(mapper.stats.pollMs / 1000);
    },
  });
  new Gauge({
    name: 'hawser_mapper_bus_connected',
    help: '1 while the event bus is connected.',
    registers,
    collect() {
      this.set(mapper.busConnected ? 1 : 0);
    },
  });
  byLabel(registry, 'hawser_mapper_devices', 'Devices that are served, by state.', 'state', () =>
    countBy(mapper.devices().map(({ state }) => state)),
  );
  byLabel(registry, 'hawser_mapper_connections', 'Connections to devices, by state.', 'state', () =>
    Object.entries(mapper.connections()),
  );
  new Gauge({
    name: 'hawser_mapper_devices_refused',
    help: 'Devices whose configuration is not valid.',
    registers,
    collect() {
      this.set(mapper.refused().size);
    },
  });
  registerPush(registry, mapper);
}

function registerPush(registry: Registry, mapper: Measured): void {
  const registers = [registry];
  const sum = (key: 'sent' | 'waiting'): number =>
    mapper.receivers().reduce((total, receiver) => total + receiver[key], 0);
  new Gauge({
    name: 'hawser_mapper_push_waiting',
    help: 'Readings that wait for receivers beside the twin.',
    registers,
    collect() {
      this.set(sum('waiting'));
    },
  });
  new Gauge({
    name: 'hawser_mapper_push_sent',
    help: 'Readings that the present receivers beside the twin took.',
    registers,
    collect() {
      this.set(sum('sent'));
    },
  });
  new Counter({
    name: 'hawser_mapper_push_dropped_total',
    help: 'Readings that a receiver did not take, or there was no place for.',
    registers,
    collect() {
      this.reset();
      this.inc(mapper.readingsDropped);
    },
  });
}

function byLabel(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => readonly (readonly [string, number])[],
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of read()) this.set({ [label]: value }, count);
    },
  });
}

function countBy(values: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts];
}
