import { Counter, Gauge, type Registry } from 'prom-client';

/** What is asked when the metrics are read. */
export interface AccessMetricsSources {
  /** Requests under way. */
  readonly open: () => number;
  /** Tokens that are kept. */
  readonly tokens: () => number;
}

/** Metrics of requests of programs at edges to the API server. */
export interface AccessMetrics {
  /** Requests answered, by method and the status of the answer; `0`: the edge left before there was one. */
  readonly requests: Counter<'method' | 'code'>;
  /** Requests that were not passed on, by why. */
  readonly refused: Counter<'reason'>;
  /** Bytes over tunnels, `to-edge` and `from-edge`. */
  readonly bytes: Counter<'direction'>;
  /** Tokens that were asked for, `ok` and `failed`. */
  readonly tokenRequests: Counter<'result'>;
}

/** Makes the metrics `hawser_api_access_*`. */
export function accessMetrics(registry: Registry, { open, tokens }: AccessMetricsSources): AccessMetrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `hawser_api_access_${name}_total`, help, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name: `hawser_api_access_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('open_requests', 'Requests of programs at edges that are under way, watches among them.', open);
  gauge('tokens', 'Tokens of service accounts that are kept for such requests.', tokens);
  return {
    requests: counter('requests', 'Requests of programs at edges, by method and the status of the answer.', [
      'method',
      'code',
    ]),
    refused: counter('refused', 'Such requests that were not passed on, by why.', ['reason']),
    bytes: counter('bytes', 'Bytes of such requests over tunnels, by direction.', ['direction']),
    tokenRequests: counter(
      'token_requests',
      'Tokens of service accounts that were asked for, by what came.',
      ['result'],
    ),
  };
}
