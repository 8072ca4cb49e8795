import { Counter, Histogram, type Registry } from '@hawser/seams/metrics';
import type { ContainerRuntime } from './container-runtime.ts';
import type { ImageStore } from './image-store.ts';

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
  const metered =
    <Args extends readonly unknown[], T>(call: string, run: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      const done = metrics.seconds.startTimer({ call });
      try {
        return await run(...args);
      } catch (error) {
        metrics.failures.inc({ call });
        throw error;
      } finally {
        done();
      }
    };
  const { images } = runtime;
  const meteredImages: ImageStore = {
    list: metered('list-images', () => images.list()),
    status: metered('image-status', (image) => images.status(image)),
    pull: metered('pull-image', (...args) => images.pull(...args)),
    remove: metered('remove-image', (image) => images.remove(image)),
    fileSystems: metered('image-file-systems', () => images.fileSystems()),
  };
  return {
    get name() {
      return runtime.name;
    },
    get version() {
      return runtime.version;
    },
    get real() {
      return runtime.real;
    },
    images: meteredImages,
    hasRecursiveReadOnly: (handler) => runtime.hasRecursiveReadOnly?.(handler) ?? false,
    start: () => runtime.start(),
    stop: () => runtime.stop(),
    listen: (listener) => runtime.listen(listener),
    list: metered('list', () => runtime.list()),
    get: metered('get', (uid) => runtime.get(uid)),
    conditions: metered('conditions', () => runtime.conditions()),
    createSandbox: metered('create-sandbox', (...args) => runtime.createSandbox(...args)),
    stopSandbox: metered('stop-sandbox', (...args) => runtime.stopSandbox(...args)),
    removeSandbox: metered('remove-sandbox', (...args) => runtime.removeSandbox(...args)),
    createContainer: metered('create-container', (...args) => runtime.createContainer(...args)),
    startContainer: metered('start-container', (...args) => runtime.startContainer(...args)),
    stopContainer: metered('stop-container', (...args) => runtime.stopContainer(...args)),
    removeContainer: metered('remove-container', (...args) => runtime.removeContainer(...args)),
    exec: metered('exec', (...args) => runtime.exec(...args)),
    streamUrl: metered('stream-url', (...args) => runtime.streamUrl(...args)),
    reopenLog: metered('reopen-log', (...args) => runtime.reopenLog(...args)),
    usage: metered('usage', (...args) => runtime.usage(...args)),
  };
}
