// docs/reference/metrics.md, from prom-client registries that the packages have filled.
import { silentLogger } from '@hawser/seams';
import { Registry } from 'prom-client';
import { documentedPackages, GENERATED, load, readSource, sourcesOf, table } from './sources.js';

/** What a figure is read from, where a metric is read when it is printed: nothing is printed here. */
const unread = () => 0;

/** Sources that make metrics, and how to have them made in a registry. Constructors only assign, so that little has to be given. */
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
  {
    file: 'cloudcore/src/cache/cache-metrics.ts',
    title: 'Hub: caches',
    make: ({ cacheMetrics }, registry) => cacheMetrics(registry, {}),
  },
  {
    file: 'cloudcore/src/sessions/sync-metrics.ts',
    title: 'Hub: delta sync',
    make: ({ syncMetrics }, registry) => syncMetrics(registry, {}),
  },
  {
    file: 'cloudcore/src/sessions/edge-hub.ts',
    title: 'Hub: sessions',
    make: ({ EdgeHub }, registry) => new EdgeHub({ registry }),
  },
  {
    file: 'cloudcore/src/sessions/report-requests.ts',
    title: 'Hub: requests to report again',
    make: ({ ReportRequests }, registry) => new ReportRequests({ registry, log: silentLogger }),
  },
  {
    file: 'cloudcore/src/sessions/lease-metrics.ts',
    title: 'Hub: Leases and epochs',
    make: ({ leaseMetrics }, registry) => leaseMetrics(registry, unread),
  },
  {
    file: 'cloudcore/src/upstream/upstream-metrics.ts',
    title: 'Hub: what edges report',
    make: ({ upstreamMetrics }, registry) => upstreamMetrics(registry, unread),
  },
  {
    file: 'cloudcore/src/devices/device-metrics.ts',
    title: 'Hub: devices',
    make: ({ deviceMetrics }, registry) => deviceMetrics(registry, () => []),
  },
  {
    file: 'cloudcore/src/tolerations/tolerations-controller.ts',
    title: 'Hub: tolerations',
    make: ({ TolerationsController }, registry) => new TolerationsController({ registry, log: silentLogger }),
  },
  {
    file: 'cloudcore/src/identity/identity-metrics.ts',
    title: 'Hub: identity',
    make: ({ IdentityMetrics }, registry) => new IdentityMetrics(registry),
  },
  {
    file: 'cloudcore/src/kubelet-endpoint/kubelet-metrics.ts',
    title: 'Hub: requests to nodes',
    make: ({ kubeletMetrics }, registry) => kubeletMetrics(registry, {}),
  },
  {
    file: 'cloudcore/src/api-access/access-metrics.ts',
    title: 'Hub: requests of programs at edges',
    make: ({ accessMetrics }, registry) => accessMetrics(registry, {}),
  },
  {
    file: 'cloudcore/src/pools/pool-metrics.ts',
    title: 'Hub: pools',
    make: ({ poolMetrics }, registry) => poolMetrics(registry, {}),
  },
  {
    file: 'edgecore/src/runtime/metered-runtime.ts',
    title: 'Edge: calls to the container runtime',
    make: ({ runtimeMetrics }, registry) => runtimeMetrics(registry),
  },
  {
    file: 'edgecore/src/pod-keeper-metrics.ts',
    title: 'Edge: pulls, rotated logs, collections',
    make: ({ podKeeperMetrics }, registry) =>
      podKeeperMetrics(registry, {
        rotations: unread,
        containers: unread,
        images: unread,
        imageBytes: unread,
      }),
  },
  {
    file: 'edgecore/src/event-bus/bus-metrics.ts',
    title: 'Edge: event bus',
    make: ({ busMetrics }, registry) => busMetrics(registry, unread),
  },
  {
    file: 'edgecore/src/admin/edge-metrics.ts',
    title: 'Edge',
    make: ({ registerEdgeMetrics }, registry) => registerEdgeMetrics(registry, unread),
  },
  {
    file: 'edgecore/src/pool/pool-metrics.ts',
    title: 'Edge: pool',
    make: ({ registerPoolMetrics }, registry) => registerPoolMetrics(registry, unread),
  },
  {
    file: 'edgecore/src/mappers/mapper-metrics.ts',
    title: 'Edge: mappers',
    make: ({ registerMapperMetrics }, registry) => registerMapperMetrics(registry, () => []),
  },
  {
    file: 'edgecore/src/twins/device-metrics.ts',
    title: 'Edge: devices',
    make: ({ registerDeviceMetrics }, registry) => registerDeviceMetrics(registry, unread),
  },
  {
    file: 'edgecore/src/dmi/dmi-metrics.ts',
    title: 'Edge: DMI',
    make: ({ registerDmiMetrics }, registry) => registerDmiMetrics(registry, unread),
  },
  {
    file: 'edgecore/src/local-api/local-api-metrics.ts',
    title: 'Edge: local API',
    make: ({ LocalApiMetrics }, registry) =>
      new LocalApiMetrics(registry, {
        watches: () => ({ local: 0, cloud: 0 }),
        remembered: () => ({ count: 0, bytes: 0 }),
      }),
  },
  {
    file: 'edgecore/src/dns/dns-counts.ts',
    title: 'Edge: DNS',
    make: ({ DnsCounts, dnsMetrics }, registry) => dnsMetrics(registry, new DnsCounts(), {}),
  },
  {
    file: 'mappers/sdk/src/metrics/mapper-metrics.ts',
    title: 'Mappers',
    make: ({ mapperMetrics }, registry) => mapperMetrics(registry, {}),
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
  // A controller has the metrics of its queue made, too: those have a section of their own.
  const isOwn = ({ name }) => title === 'Workqueues' || !name.startsWith('workqueue_');
  const rows = registry
    .getMetricsAsArray()
    .filter(isOwn)
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
metric has a label for a single node, connection or object. A hub prints them at \`/metrics\` of its operations port,
an edge on its admin socket, a mapper where \`--metrics-listen\` says.`;
  return `${[GENERATED, '# Metrics', intro, ...sections].join('\n\n')}\n`;
}
