import { Counter, Gauge, type Registry } from 'prom-client';

/** Counters of reflectors and informers; label `resource` names the informer. */
export interface ReflectorMetrics {
  /** Complete lists. */
  readonly lists: Counter<'resource' | 'how'>;
  /** Watches that the server accepted. */
  readonly watches: Counter<'resource'>;
  /** Events received, by type. */
  readonly events: Counter<'resource' | 'type'>;
  /** Lists that had to follow the first, by cause. */
  readonly relists: Counter<'resource' | 'cause'>;
  /** Failures, by the phase in which they came. */
  readonly errors: Counter<'resource' | 'phase'>;
  /** Objects held. */
  readonly objects: Gauge<'resource'>;
}

/**
 * The reflector metrics of a registry, made at the first call:
 * `hawser_reflector_{lists,watches,events,relists,errors}_total`, `hawser_reflector_objects`.
 */
export function reflectorMetrics(registry: Registry): ReflectorMetrics {
  let metrics = ofRegistry.get(registry);
  if (metrics === undefined) {
    metrics = create(registry);
    ofRegistry.set(registry, metrics);
  }
  return metrics;
}

const ofRegistry = new WeakMap<Registry, ReflectorMetrics>();

function create(registry: Registry): ReflectorMetrics {
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `hawser_reflector_${name}_total`, help, labelNames, registers: [registry] });
  return {
    lists: counter('lists', 'Complete lists, paged or streamed.', ['resource', 'how']),
    watches: counter('watches', 'Watches that the server accepted.', ['resource']),
    events: counter('events', 'Watch events received.', ['resource', 'type']),
    relists: counter('relists', 'Lists after the first, by cause.', ['resource', 'cause']),
    errors: counter('errors', 'Failures, by phase.', ['resource', 'phase']),
    objects: new Gauge({
      name: 'hawser_reflector_objects',
      help: 'Objects held.',
      labelNames: ['resource'],
      registers: [registry],
    }),
  };
}
