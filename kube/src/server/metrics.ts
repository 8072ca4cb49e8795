import { Counter, Gauge, Histogram, type Registry as MetricsRegistry } from 'prom-client';
import type { ResourceDefinition } from './registry/definition.ts';
import type { WatchEnd } from './watch/watch-session.ts';

/** What is counted of one request. */
export interface RequestRecord {
  readonly verb: string;
  /** '' for what is no resource. */
  readonly resource: string;
  readonly code: number;
  readonly seconds: number;
}

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Metrics of a server; without a registry nothing is counted. */
export class ServerMetrics {
  readonly #requests: Counter | undefined;
  readonly #durations: Histogram | undefined;
  readonly #watches: Gauge | undefined;
  readonly #ended: Counter | undefined;

  constructor(registry: MetricsRegistry | undefined) {
    if (registry === undefined) return;
    const registers = [registry];
    this.#requests = new Counter({
      name: 'hawser_kube_server_requests_total',
      help: 'Requests answered, by verb, resource and HTTP status code.',
      labelNames: ['verb', 'resource', 'code'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'hawser_kube_server_request_duration_seconds',
      help: 'Time to the end of an answer, watches and streams excepted.',
      labelNames: ['verb'],
      buckets: BUCKETS,
      registers,
    });
    this.#watches = new Gauge({
      name: 'hawser_kube_server_watches',
      help: 'Watches that run, by resource.',
      labelNames: ['resource'],
      registers,
    });
    this.#ended = new Counter({
      name: 'hawser_kube_server_watches_ended_total',
      help: 'Watches that ended, by reason; "slow" fell too far behind.',
      labelNames: ['resource', 'reason'],
      registers,
    });
  }

  /** Counts an answered request. */
  request({ verb, resource, code, seconds }: RequestRecord): void {
    this.#requests?.inc({ verb, resource, code: String(code) });
    if (verb !== 'watch' && verb !== 'connect') this.#durations?.observe({ verb }, seconds);
  }

  /** Counts a watch that begins. */
  watchStarted({ resource }: ResourceDefinition): void {
    this.#watches?.inc({ resource });
  }

  /** Counts a watch that is over. */
  watchEnded({ resource }: ResourceDefinition, reason: WatchEnd): void {
    this.#watches?.dec({ resource });
    this.#ended?.inc({ resource, reason });
  }
}
