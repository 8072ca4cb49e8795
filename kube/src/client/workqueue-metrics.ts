import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Metrics of all workqueues of a registry, under the names that Kubernetes dashboards know; label `name`. */
export interface WorkqueueMetrics {
  readonly depth: Gauge<'name'>;
  readonly adds: Counter<'name'>;
  readonly retries: Counter<'name'>;
  /** Seconds from add to the start of work. */
  readonly queueDuration: Histogram<'name'>;
  /** Seconds of work. */
  readonly workDuration: Histogram<'name'>;
}

const ofRegistry = new WeakMap<Registry, WorkqueueMetrics>();
/** 10 µs to 1000 s. */
const BUCKETS = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** The workqueue metrics of a registry, made at the first call. Source: k8s.io/component-base metrics workqueue. */
export function workqueueMetrics(registry: Registry): WorkqueueMetrics {
  let metrics = ofRegistry.get(registry);
  if (metrics === undefined) {
    metrics = create(registry);
    ofRegistry.set(registry, metrics);
  }
  return metrics;
}

function create(registry: Registry): WorkqueueMetrics {
  const common = { labelNames: ['name'] as const, registers: [registry] };
  return {
    depth: new Gauge({ name: 'workqueue_depth', help: 'Keys that wait for a worker.', ...common }),
    adds: new Counter({ name: 'workqueue_adds_total', help: 'Keys added, duplicates left out.', ...common }),
    retries: new Counter({ name: 'workqueue_retries_total', help: 'Rate-limited adds.', ...common }),
    queueDuration: new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'Time that keys waited for a worker.',
      buckets: BUCKETS,
      ...common,
    }),
    workDuration: new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'Time that work on a key took.',
      buckets: BUCKETS,
      ...common,
    }),
  };
}
