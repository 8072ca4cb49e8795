import { Counter, Gauge, type Registry } from 'prom-client';

/** Metrics of the hub's look at devices. */
export interface DeviceMetrics {
  /** Conditions `Valid` that were written. */
  readonly written: Counter<'kind' | 'status'>;
}

/**
 * Makes the metrics `hawser_devices` and `hawser_device_conditions_written_total`.
 * @param counts devices by the status of their condition, `none` where they have none; asked when it is read
 */
export function deviceMetrics(
  registry: Registry,
  counts: () => Iterable<readonly [string, number]>,
): DeviceMetrics {
  const registers = [registry];
  new Gauge({
    name: 'hawser_devices',
    help: 'Devices of the cluster by the status of their condition Valid; none: it was not written yet.',
    labelNames: ['valid'],
    registers,
    collect() {
      for (const [valid, count] of counts()) this.set({ valid }, count);
    },
  });
  return {
    written: new Counter({
      name: 'hawser_device_conditions_written_total',
      help: 'Conditions Valid that were written, by kind of the object and what they say.',
      labelNames: ['kind', 'status'],
      registers,
    }),
  };
}
