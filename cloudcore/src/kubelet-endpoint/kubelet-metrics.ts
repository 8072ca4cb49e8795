import { Counter, Gauge, type Registry } from 'prom-client';

/** What is asked when the metrics are read. */
export interface KubeletMetricsSources {
  /** Nodes that have a port here. */
  readonly ports: () => number;
  /** Requests that are passed on now. */
  readonly open: () => number;
}

/** Metrics of requests to nodes, as API servers make them for kubectl logs, exec and top. */
export interface KubeletMetrics {
  /** Requests answered, by what they want and the status of the answer. */
  readonly requests: Counter<'action' | 'code'>;
  /** Requests that were not passed on, by why. */
  readonly refused: Counter<'reason'>;
  /** Bytes over tunnels, `to-edge` and `from-edge`. */
  readonly bytes: Counter<'direction'>;
  /** Logs whose tunnel was lost, by what became of them: `resumed`, `gap`, `ended`. */
  readonly resumes: Counter<'result'>;
  /** Nodes whose address and port were written, because they were others. */
  readonly addresses: Counter;
}

/** Makes the metrics `hawser_kubelet_*`. */
export function kubeletMetrics(registry: Registry, { ports, open }: KubeletMetricsSources): KubeletMetrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `hawser_kubelet_${name}_total`, help, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name: `hawser_kubelet_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('ports', 'Nodes that have a port here.', ports);
  gauge('open_requests', 'Requests to nodes that are under way: logs that are followed, shells.', open);
  return {
    requests: counter('requests', 'Requests to nodes, by what they want and the status of the answer.', [
      'action',
      'code',
    ]),
    refused: counter('refused', 'Requests to nodes that were not passed on, by why.', ['reason']),
    bytes: counter('bytes', 'Bytes of such requests over tunnels, by direction.', ['direction']),
    resumes: counter('log_resumes', 'Logs whose tunnel was lost, by what became of them.', ['result']),
    addresses: counter('addresses_written', 'Nodes whose address and port were written.', []),
  };
}
