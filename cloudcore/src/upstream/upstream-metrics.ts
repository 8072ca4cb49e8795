import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { GateCounts } from './write-gate.ts';

/** Metrics of what edges report. Kinds are those that the hub knows, and `unknown`. */
export interface UpstreamMetrics {
  /** Messages answered, by the status of the answer: `0`, `403`, … */
  readonly messages: Counter<'kind' | 'status'>;
  /** Messages not taken, by why. */
  readonly refused: Counter<'kind' | 'reason'>;
  /** Writes to the API server; verb `none`: there was no difference. */
  readonly writes: Counter<'kind' | 'verb'>;
  /** Writes done again because somebody else wrote in between. */
  readonly conflicts: Counter<'kind'>;
  /** Desired values that edges have set, by what became of them: `written`, `same`, `superseded`, `unknown`. */
  readonly settings: Counter<'outcome'>;
  /** Bytes of uploads that were handed on. */
  readonly uploadedBytes: Counter;
  /** What edges said of themselves. */
  readonly reports: Counter<'type'>;
  /** Seconds from arrival to answer. */
  readonly duration: Histogram<'kind'>;
}

const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 30];

/** Makes the metrics `hawser_upstream_*`. `counts` is asked when they are read. */
export function upstreamMetrics(registry: Registry, counts: () => GateCounts): UpstreamMetrics {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `hawser_upstream_${name}_total`, help, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name: `hawser_upstream_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('waiting', 'Messages that wait for their turn.', () => counts().waiting);
  gauge('in_flight', 'Messages that are worked on.', () => counts().inFlight);
  gauge('superseded', 'Messages that a newer one made unnecessary.', () => counts().superseded);
  return {
    messages: counter('messages', 'Messages of edges, by the status of the answer.', ['kind', 'status']),
    refused: counter('refused', 'Messages that were not taken, by why.', ['kind', 'reason']),
    writes: counter('writes', 'Writes to the API server.', ['kind', 'verb']),
    conflicts: counter('conflicts', 'Writes done again after a conflict.', ['kind']),
    settings: counter('settings', 'Desired values that were set at edges, by what became of them.', [
      'outcome',
    ]),
    uploadedBytes: counter('uploaded_bytes', 'Bytes of uploads of edges that were handed on.', []),
    reports: counter('reports', 'What edges said of themselves.', ['type']),
    duration: new Histogram({
      name: 'hawser_upstream_duration_seconds',
      help: 'Seconds from arrival to answer.',
      labelNames: ['kind'],
      buckets: BUCKETS,
      registers,
    }),
  };
}
