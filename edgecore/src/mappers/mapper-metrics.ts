import { Counter, Gauge, type Registry } from '@hawser/seams/metrics';
import type { MapperState } from './mapper-supervisor.ts';

/** Metrics of the mappers of a node, read when they are printed. */
export function registerMapperMetrics(registry: Registry, states: () => readonly MapperState[]): void {
  const registers = [registry];
  const running = new Gauge({
    name: 'hawser_edge_mapper_running',
    help: 'Whether a mapper that edgecore runs is running.',
    labelNames: ['mapper'],
    registers,
    collect() {
      running.reset();
      for (const { name, mode, state } of states())
        if (mode === 'run') running.set({ mapper: name }, Number(state === 'running'));
    },
  });
  const restarts = new Counter({
    name: 'hawser_edge_mapper_restarts_total',
    help: 'Times that edgecore has started a mapper again.',
    labelNames: ['mapper'],
    registers,
    collect() {
      restarts.reset();
      for (const { name, restarts: count } of states())
        if (count !== undefined) restarts.inc({ mapper: name }, count);
    },
  });
  const heartbeat = new Gauge({
    name: 'hawser_edge_mapper_heartbeat_timestamp_seconds',
    help: 'When a mapper last gave a sign of life, seconds since the epoch.',
    labelNames: ['mapper'],
    registers,
    collect() {
      heartbeat.reset();
      for (const { name, lastHeartbeatMs } of states())
        if (lastHeartbeatMs !== undefined) heartbeat.set({ mapper: name }, lastHeartbeatMs / 1000);
    },
  });
}
