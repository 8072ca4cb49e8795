import { Counter, Gauge, type Registry } from 'prom-client';

/** What the metrics of a cache are read from, at each scrape. */
export interface CacheFigures {
  readonly resources: () => Iterable<{
    readonly resource: string;
    readonly objects: number;
    readonly bytes: number;
    /** Since the API server last said anything about the resource. */
    readonly silenceSeconds: number | undefined;
  }>;
  /** Edge nodes. */
  readonly nodes: () => number;
  /** Scopes that somebody listens to. */
  readonly views: () => number;
  /** Fetches that wait or are under way. */
  readonly fetchesPending: () => number;
}

/** Counters that the cache itself moves. */
export interface CacheMetrics {
  /** Objects, or pods of a node, asked for by name; `outcome`: `ok`, `error`. */
  readonly fetches: Counter<'resource' | 'outcome'>;
  /** Objects that could not be brought into normal form. */
  readonly unreadable: Counter<'resource'>;
}

/** Registers the metrics of a cache: `hawser_cache_*`. */
export function cacheMetrics(registry: Registry, figures: CacheFigures): CacheMetrics {
  const registers = [registry];
  const byResource = (
    name: string,
    help: string,
    read: (
      of: ReturnType<CacheFigures['resources']> extends Iterable<infer F> ? F : never,
    ) => number | undefined,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames: ['resource'],
      registers,
      collect() {
        this.reset();
        for (const figure of figures.resources()) {
          const value = read(figure);
          if (value !== undefined) this.set({ resource: figure.resource }, value);
        }
      },
    });
  };
  byResource('hawser_cache_objects', 'Objects kept for edge nodes.', ({ objects }) => objects);
  byResource(
    'hawser_cache_bytes',
    'Bytes of their contents, as they are kept: packed.',
    ({ bytes }) => bytes,
  );
  byResource(
    'hawser_cache_silence_seconds',
    'Time since the API server last said anything about the resource.',
    ({ silenceSeconds }) => silenceSeconds,
  );
  const single = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  single('hawser_cache_edge_nodes', 'Edge nodes.', figures.nodes);
  single('hawser_cache_views', 'Scopes that a session listens to.', figures.views);
  single('hawser_cache_fetches_pending', 'Fetches that wait or are under way.', figures.fetchesPending);
  return {
    fetches: new Counter({
      name: 'hawser_cache_fetches_total',
      help: 'Objects, and pods of a node, asked for by name.',
      labelNames: ['resource', 'outcome'],
      registers,
    }),
    unreadable: new Counter({
      name: 'hawser_cache_unreadable_total',
      help: 'Objects that could not be brought into normal form.',
      labelNames: ['resource'],
      registers,
    }),
  };
}
