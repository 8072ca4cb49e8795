import type * as whole from 'prom-client';
import CounterClass from 'prom-client/lib/counter.js';
import GaugeClass from 'prom-client/lib/gauge.js';
import HistogramClass from 'prom-client/lib/histogram.js';
import RegistryClass from 'prom-client/lib/registry.js';

// prom-client's own classes: whoever imports its index in the same process gets the same ones, and registries can
// be shared. What is left out is what costs memory: default metrics, push gateway, cluster, summaries (ADR 15).

/** A number that only grows. See prom-client. */
export const Counter: typeof whole.Counter = CounterClass;
export type Counter<Labels extends string = string> = whole.Counter<Labels>;

/** A number that goes up and down. See prom-client. */
export const Gauge: typeof whole.Gauge = GaugeClass;
export type Gauge<Labels extends string = string> = whole.Gauge<Labels>;

/** A distribution in buckets. See prom-client. */
export const Histogram: typeof whole.Histogram = HistogramClass;
export type Histogram<Labels extends string = string> = whole.Histogram<Labels>;

/** Holds metrics, and prints them in the Prometheus text format (`metrics()`). See prom-client. */
export const Registry: typeof whole.Registry = RegistryClass;
export type Registry = whole.Registry;
