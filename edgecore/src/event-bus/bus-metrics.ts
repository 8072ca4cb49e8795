import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';
import type { BusCounters } from './bus-counters.ts';
import type { BusStatus, RunningBus } from './running-bus.ts';

/** What the counters are called. */
const COUNTERS: Readonly<
  Record<string, { readonly help: string; readonly read: (counters: BusCounters) => number }>
> = {
  hawser_edge_bus_connected_total: {
    help: 'Clients that have connected to the embedded broker.',
    read: ({ connected }) => connected,
  },
  hawser_edge_bus_received_total: {
    help: 'Messages that came over the event bus.',
    read: ({ received }) => received,
  },
  hawser_edge_bus_sent_total: {
    help: 'Messages that the edge core has sent over the event bus.',
    read: ({ sent }) => sent,
  },
  hawser_edge_bus_throttled_total: {
    help: 'Times that a client was not read from for a moment, since it publishes more than it may.',
    read: ({ throttled }) => throttled,
  },
  hawser_edge_bus_sessions_forgotten_total: {
    help: 'Lasting sessions that were forgotten: there were too many, or their client was away for too long.',
    read: ({ forgotten }) => forgotten,
  },
  hawser_edge_bus_disk_errors_total: {
    help: 'Failures to read or write the lasting sessions of the embedded broker.',
    read: ({ diskErrors }) => diskErrors,
  },
};

/** The same by a label. */
const LABELLED: Readonly<
  Record<
    string,
    {
      readonly help: string;
      readonly label: string;
      readonly read: (counters: BusCounters) => ReadonlyMap<string, number>;
    }
  >
> = {
  hawser_edge_bus_refused_total: {
    help: 'What the embedded broker has refused, by reason.',
    label: 'reason',
    read: ({ refused }) => refused,
  },
  hawser_edge_bus_dropped_total: {
    help: 'Messages that found no room, by where: session, retained, outgoing (of an external broker), bridge.',
    label: 'where',
    read: ({ dropped }) => dropped,
  },
};

const GAUGES: Readonly<
  Record<string, { readonly help: string; readonly read: (status: BusStatus) => number }>
> = {
  hawser_edge_bus_clients: { help: 'Clients of the embedded broker.', read: ({ clients }) => clients },
  hawser_edge_bus_sessions: {
    help: 'Lasting sessions of the embedded broker.',
    read: ({ sessions }) => sessions,
  },
  hawser_edge_bus_queued: {
    help: 'Messages of QoS 1 and 2 that wait for clients, or for an external broker.',
    read: ({ queued }) => queued,
  },
  hawser_edge_bus_queued_bytes: { help: 'Bytes of those.', read: ({ queuedBytes }) => queuedBytes },
  hawser_edge_bus_retained: {
    help: 'Messages that the embedded broker keeps for those who subscribe later.',
    read: ({ retained }) => retained,
  },
  hawser_edge_bus_external_up: {
    help: 'Whether the external broker is there; 1 where there is none.',
    read: ({ connected }) => Number(connected),
  },
};

/**
 * Metrics of the event bus, read when they are printed.
 * @param bus the running one; undefined: there is none
 */
export function busMetrics(
  registry: Registry,
  bus: () => Pick<RunningBus, 'counters' | 'status'> | undefined,
): void {
  const registers = [registry];
  for (const [name, { help, read }] of Object.entries(GAUGES)) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const running = bus();
        if (running !== undefined) this.set(read(running.status()));
      },
    });
  }
  for (const [name, { help, read }] of Object.entries(COUNTERS)) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        const running = bus();
        this.reset();
        if (running !== undefined) this.inc(read(running.counters));
      },
    });
  }
  for (const [name, { help, label, read }] of Object.entries(LABELLED)) {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        const running = bus();
        this.reset();
        if (running === undefined) return;
        for (const [value, count] of read(running.counters)) this.inc({ [label]: value }, count);
      },
    });
  }
}
