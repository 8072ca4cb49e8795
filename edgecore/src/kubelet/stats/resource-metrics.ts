import type { PodUsage } from './pod-usage.ts';
import type { ProcUsage } from './proc-usage.ts';

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  readonly atMs?: number;
}

/** Use of the node and its pods, for whoever scrapes it. Source: kubelet, metrics/collectors/resource_metrics.go. */
export function resourceMetrics(node: ProcUsage, pods: readonly PodUsage[] | undefined): string {
  const containers = (pods ?? []).flatMap((pod) =>
    pod.containers.map(({ usage, ...container }) => ({
      ...container,
      ...usage,
      labels: { container: container.name, namespace: pod.namespace, pod: pod.name },
    })),
  );
  const ofPods = (pods ?? []).map((pod) => ({ ...pod, labels: { namespace: pod.namespace, pod: pod.name } }));
  const failed = [{ value: pods === undefined ? 1 : 0 }];
  const seconds = (nanos: number): number => nanos / 1e9;
  return [
    family(
      'container_cpu_usage_seconds_total',
      'counter',
      '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
      containers.map(({ labels, cpuNanos, atMs }) => ({ labels, value: seconds(cpuNanos), atMs })),
    ),
    family(
      'container_memory_working_set_bytes',
      'gauge',
      '[STABLE] Current working set of the container in bytes',
      containers.map(({ labels, memoryWorkingSetBytes, atMs }) => ({
        labels,
        value: memoryWorkingSetBytes,
        atMs,
      })),
    ),
    family(
      'container_start_time_seconds',
      'gauge',
      '[STABLE] Start time of the container since unix epoch in seconds',
      containers.flatMap(({ labels, startedAtMs }) =>
        startedAtMs === undefined ? [] : [{ labels, value: startedAtMs / 1000 }],
      ),
    ),
    family(
      'node_cpu_usage_seconds_total',
      'counter',
      '[STABLE] Cumulative cpu time consumed by the node in core-seconds',
      [{ value: seconds(node.cpuNanos), atMs: node.atMs }],
    ),
    family('node_memory_working_set_bytes', 'gauge', '[STABLE] Current working set of the node in bytes', [
      { value: node.memory.workingSetBytes, atMs: node.atMs },
    ]),
    family(
      'node_swap_usage_bytes',
      'gauge',
      '[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems',
      [{ value: node.swap.usedBytes, atMs: node.atMs }],
    ),
    family(
      'pod_cpu_usage_seconds_total',
      'counter',
      '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
      ofPods.map(({ labels, cpuNanos, atMs }) => ({ labels, value: seconds(cpuNanos), atMs })),
    ),
    family(
      'pod_memory_working_set_bytes',
      'gauge',
      '[STABLE] Current working set of the pod in bytes',
      ofPods.map(({ labels, memoryWorkingSetBytes, atMs }) => ({
        labels,
        value: memoryWorkingSetBytes,
        atMs,
      })),
    ),
    family(
      'resource_scrape_error',
      'gauge',
      '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
      failed,
    ),
    family(
      'scrape_error',
      'gauge',
      '[ALPHA] (Deprecated since 1.29.0) 1 if there was an error while getting container metrics, 0 otherwise',
      failed,
    ),
  ].join('');
}

/** One family of metrics, nothing where it has no samples. Source: Prometheus, text format 0.0.4. */
function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels = {}, value, atMs }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    const braced = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
    return `${name}${braced} ${value}${atMs === undefined ? '' : ` ${Math.round(atMs)}`}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
