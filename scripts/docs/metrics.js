// docs/reference/metrics.md, from prom-client registries that the packages have filled.
import { Registry } from 'prom-client';
import { documentedPackages, GENERATED, load, readSource, sourcesOf, table } from './sources.js';

/** Sources that make metrics, and how to have them made in a registry. */
const MAKERS = [
  {
    file: 'proto/src/metrics.ts',
    title: 'Tunnel',
    make: ({ TunnelMetrics }, registry) => new TunnelMetrics(registry),
  },
  {
    file: 'kube/src/client/client-metrics.ts',
    title: 'Reflectors and informers',
    make: ({ reflectorMetrics }, registry) => reflectorMetrics(registry),
  },
  {
    file: 'kube/src/client/workqueue-metrics.ts',
    title: 'Workqueues',
    make: ({ workqueueMetrics }, registry) => workqueueMetrics(registry),
  },
  {
    file: 'kube/src/server/metrics.ts',
    title: 'Kubernetes REST server',
    make: ({ ServerMetrics }, registry) => new ServerMetrics(registry),
  },
];

/** Fails when a source makes metrics of which this generator does not know. */
function checkMakers() {
  const known = new Set(MAKERS.map(({ file }) => file));
  const unknown = documentedPackages()
    .flatMap(sourcesOf)
    .filter((file) => !known.has(file) && /new (?:Counter|Gauge|Histogram|Summary)\(/.test(readSource(file)));
  if (unknown.length > 0)
    throw new Error(`${unknown.join(', ')}: makes metrics; add it to MAKERS in scripts/docs/metrics.js`);
}

async function section({ file, title, make }) {
  const registry = new Registry();
  make(await load(file), registry);
  const rows = registry
    .getMetricsAsArray()
    .toSorted(({ name: a }, { name: b }) => (a < b ? -1 : 1))
    .map((metric) => [
      `\`${metric.name}\``,
      metric.constructor.name.toLowerCase(),
      (metric.labelNames ?? []).map((label) => `\`${label}\``).join(', '),
      metric.help,
    ]);
  if (rows.length === 0) throw new Error(`${file} made no metrics`);
  return `## ${title}\n\n${table(['name', 'type', 'labels', 'help'], rows)}`;
}

/** @returns {Promise<string>} the page */
export async function metricsPage() {
  checkMakers();
  const sections = await Promise.all(MAKERS.map(section));
  const intro = `Prometheus metrics, by the part that counts them. A part counts into the registry that it is given. No
metric has a label for a single node, connection or object.`;
  return `${[GENERATED, '# Metrics', intro, ...sections].join('\n\n')}\n`;
}
