import { Counter, Histogram, type Registry } from '@hawser/seams/metrics';
import type { ContainerRuntime } from './container-runtime.ts';
import { wrappedRuntime } from './wrapped-runtime.ts';

/** Calls to a runtime, as Prometheus sees them. */
export interface RuntimeMetrics {
  /** How long a call took, by its name. */
  readonly seconds: Histogram<'call'>;
  readonly failures: Counter<'call'>;
}

/** From what a list costs to what a pull may take, seconds. */
const BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/** Registers them. */
export function runtimeMetrics(registry: Registry): RuntimeMetrics {
  const registers = [registry];
  const labelNames = ['call'] as const;
  return {
    seconds: new Histogram({
      name: 'hawser_edge_runtime_call_seconds',
      help: 'Time of calls to the container runtime, failed ones included.',
      buckets: BUCKETS,
      ...{ labelNames, registers },
    }),
    failures: new Counter({
      name: 'hawser_edge_runtime_call_failures_total',
      help: 'Calls to the container runtime that failed.',
      ...{ labelNames, registers },
    }),
  };
}

/** The same runtime, its calls measured: whatever runtime it is, all are told of in the same way. */
export function meteredRuntime(runtime: ContainerRuntime, metrics: RuntimeMetrics): ContainerRuntime {
  return wrappedRuntime(runtime, async (call, run) => {
    const done = metrics.seconds.startTimer({ call });
    try {
      return await run();
    } catch (error) {
      metrics.failures.inc({ call });
      throw error;
    } finally {
      done();
    }
  });
}
