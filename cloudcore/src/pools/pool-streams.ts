import type { PoolMetrics, StreamMode } from './pool-metrics.ts';

/** A stream of a pool that is open. */
export interface PoolStream {
  readonly node: string;
  readonly pool: string;
  readonly resource: string;
  readonly mode: StreamMode;
  /** 0, but for the leader's. */
  readonly epoch: number;
  /** Closes it, and says why: `SessionError`, `ERR_CLOUDCORE_FENCED`. */
  readonly end: (message: string) => void;
}

/** Why streams are ended, as metrics count it. */
export type FenceCause = 'leader' | 'member' | 'resource' | 'grant' | 'pool';

/** The streams of pools that this replica has open. */
export class PoolStreams {
  readonly #metrics: PoolMetrics;
  readonly #byPool = new Map<string, Set<PoolStream>>();

  constructor(metrics: PoolMetrics) {
    this.#metrics = metrics;
  }

  *all(): Generator<PoolStream> {
    for (const streams of this.#byPool.values()) yield* streams;
  }

  /** Streams of one pool. */
  of(pool: string): readonly PoolStream[] {
    return [...(this.#byPool.get(pool) ?? [])];
  }

  /** Answers what to call when it is closed. */
  add(stream: PoolStream): () => void {
    const streams = this.#byPool.get(stream.pool) ?? new Set();
    this.#byPool.set(stream.pool, streams.add(stream));
    return () => this.#remove(stream);
  }

  /** Ends those streams of a pool that fit. */
  fence(pool: string, cause: FenceCause, message: string, fits: (stream: PoolStream) => boolean): void {
    for (const stream of this.of(pool)) {
      if (!fits(stream)) continue;
      this.#remove(stream);
      this.#metrics.fenced.inc({ cause });
      stream.end(message);
    }
  }

  #remove(stream: PoolStream): void {
    const streams = this.#byPool.get(stream.pool);
    streams?.delete(stream);
    if (streams?.size === 0) this.#byPool.delete(stream.pool);
  }
}
