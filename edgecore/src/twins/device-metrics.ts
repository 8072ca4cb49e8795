import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';
import type { BusCounters } from './bus-messages.ts';
import type { TwinCounters, TwinManager } from './twin-manager.ts';
import type { UploadCounters } from './upload-topics.ts';

/** What metrics of devices are read from. What is undefined is not there yet. */
export interface DeviceReadings {
  readonly counters: TwinCounters;
  readonly amounts: ReturnType<TwinManager['amounts']>;
  /** Devices with problems. */
  readonly invalid: number;
  readonly topics: readonly BusCounters[] | undefined;
  readonly uploads: UploadCounters | undefined;
}

type Reading = number | Readonly<Record<string, number>>;

interface Described {
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly label?: string;
  readonly read: (readings: DeviceReadings) => Reading;
}

const METRICS: Readonly<Record<string, Described>> = {
  hawser_edge_devices: {
    help: 'Devices of the node, and those of them whose Device or model has problems.',
    kind: 'gauge',
    label: 'state',
    read: ({ amounts, invalid }) => ({ all: amounts.devices, invalid }),
  },
  hawser_edge_twins: { help: 'Properties of devices.', kind: 'gauge', read: ({ amounts }) => amounts.twins },
  hawser_edge_device_settings_waiting: {
    help: 'Values set at the edge that the cloud has not decided on.',
    kind: 'gauge',
    read: ({ amounts }) => amounts.settings,
  },
  hawser_edge_device_reports_due: {
    help: 'Devices with something to say whose turn has not come.',
    kind: 'gauge',
    read: ({ amounts }) => amounts.due,
  },
  hawser_edge_device_snapshots: {
    help: 'Twins on the disk, because the cloud has not taken them.',
    kind: 'gauge',
    read: ({ amounts }) => amounts.snapshots,
  },
  hawser_edge_device_values_total: {
    help: 'Values that mappers reported.',
    kind: 'counter',
    label: 'outcome',
    read: ({ counters }) => ({
      taken: counters.values - counters.refusedValues,
      refused: counters.refusedValues,
    }),
  },
  hawser_edge_device_reports_total: {
    help: 'Reports of devices: sent, taken by the cloud, asked for again by it; changes without a report of their own; reports that waited for their turn.',
    kind: 'counter',
    label: 'outcome',
    read: ({ counters }) => ({
      sent: counters.reportsSent,
      taken: counters.reportsTaken,
      retried: counters.reportsRetried,
      coalesced: counters.coalesced,
      paced: counters.paced,
    }),
  },
  hawser_edge_device_settings_total: {
    help: 'Values set at the edge, and those that the cloud has overridden.',
    kind: 'counter',
    label: 'outcome',
    read: ({ counters }) => ({ made: counters.settingsMade, superseded: counters.settingsSuperseded }),
  },
  hawser_edge_device_snapshot_writes_total: {
    help: 'Twins written to the disk and removed from it, writes that it refused, values for which there was no room.',
    kind: 'counter',
    label: 'outcome',
    read: ({ counters: { written, removed, failedWrites, leftOut } }) => ({
      ...{ written, removed },
      failed: failedWrites,
      left_out: leftOut,
    }),
  },
  hawser_edge_device_messages_total: {
    help: 'Messages of the bus about devices: received; not readable; not the sender’s to say; not taken by the bus.',
    kind: 'counter',
    label: 'outcome',
    read: ({ topics = [] }) => {
      const sum = { received: 0, malformed: 0, forbidden: 0, unpublished: 0 };
      for (const counters of topics)
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counters[name];
      return sum;
    },
  },
  hawser_edge_uploads_total: {
    help: 'Messages for the cloud from programs at the edge: taken, and dropped as too large or too many.',
    kind: 'counter',
    label: 'outcome',
    read: ({ uploads }) => ({
      taken: uploads?.taken ?? 0,
      too_large: uploads?.tooLarge ?? 0,
      too_many: uploads?.tooMany ?? 0,
    }),
  },
};

/**
 * Puts the metrics of devices into a registry; they are read when it is printed.
 * @param read what is so now
 */
export function registerDeviceMetrics(registry: Registry, read: () => DeviceReadings): void {
  for (const [name, { help, kind, label, read: valueOf }] of Object.entries(METRICS)) {
    const labelNames = label === undefined ? [] : [label];
    const common = { name, help, labelNames, registers: [registry] };
    if (kind === 'gauge') {
      const gauge: Gauge = new Gauge({
        ...common,
        collect: () => set(label, valueOf(read()), (labels, value) => gauge.set(labels, value)),
      });
    } else {
      const counter: Counter = new Counter({
        ...common,
        collect: () => {
          counter.reset();
          set(label, valueOf(read()), (labels, value) => counter.inc(labels, value));
        },
      });
    }
  }
}

function set(
  label: string | undefined,
  reading: Reading,
  put: (labels: Record<string, string>, value: number) => void,
): void {
  if (typeof reading === 'number') put({}, reading);
  else for (const [value, number] of Object.entries(reading)) put({ [label ?? '']: value }, number);
}
