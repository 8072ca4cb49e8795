import { Gauge, type Registry } from '@hawser/seams/metrics';
import type { EdgeStatus } from './admin-types.ts';

/** A gauge's value, or one for each value of its label. */
type Reading = number | Readonly<Record<string, number>>;

/** A metric that is read from the status when somebody asks. */
interface Described {
  readonly help: string;
  readonly label?: string;
  readonly read: (status: EdgeStatus) => Reading;
}

/** What an edge tells of itself to Prometheus, beside the metrics of the tunnel. */
const METRICS: Readonly<Record<string, Described>> = {
  hawser_edge_session_up: {
    help: 'Whether there is a session with a hub, whose cluster is accepted.',
    read: ({ session }) => Number(session.state === 'up'),
  },
  hawser_edge_cluster_held: {
    help: 'Whether a hub speaks for a cluster that this node has not accepted: `hawser accept-cluster`.',
    read: ({ session }) => Number(session.state === 'held'),
  },
  hawser_edge_session_epoch: {
    help: 'The highest epoch of a session.',
    read: ({ session }) => session.epoch,
  },
  hawser_edge_round_trip_seconds: {
    help: 'Smoothed round-trip time to the hub; 0 while it is not known.',
    read: ({ session }) => (session.current?.roundTripMs ?? 0) / 1000,
  },
  hawser_edge_ready: {
    help: 'Whether the node reports itself as ready.',
    read: ({ node }) => Number(node.ready),
  },
  hawser_edge_pods: {
    help: 'Pods, by what is done about them.',
    label: 'phase',
    read: ({ node }) => node.pods,
  },
  hawser_edge_objects: {
    help: 'Objects in the replica, by scope.',
    label: 'scope',
    read: ({ scopes }) => Object.fromEntries(scopes.map(({ scope, objects }) => [kindOf(scope), objects])),
  },
  hawser_edge_scope_synced: {
    help: 'Whether the hub has said, in this session, that everything is there.',
    label: 'scope',
    read: ({ scopes }) =>
      Object.fromEntries(scopes.map(({ scope, synced }) => [kindOf(scope), Number(synced)])),
  },
  hawser_edge_held_removals: {
    help: 'Removals that are held back until the hub confirms them.',
    label: 'scope',
    read: ({ scopes }) => Object.fromEntries(scopes.map(({ scope, held }) => [kindOf(scope), held])),
  },
  hawser_edge_outbox_waiting: {
    help: 'Messages that the cloud has not taken yet.',
    read: ({ outbox }) => outbox.waiting,
  },
  hawser_edge_outbox_messages: {
    help: 'Messages since the start, by what became of them.',
    label: 'outcome',
    read: ({ outbox }) => outbox.counters,
  },
  hawser_edge_tokens: {
    help: 'Service account tokens of pods: there, missing, expired.',
    label: 'state',
    read: ({ tokens }) => ({ ...tokens }),
  },
  hawser_edge_store_healthy: {
    help: 'Whether the store takes writes and has lost nothing since the start.',
    read: ({ store }) => Number(store.healthy),
  },
  hawser_edge_store_bytes: { help: 'Size of the database on disk.', read: ({ store }) => store.sizeBytes },
  hawser_edge_certificate_expiry_seconds: {
    help: 'End of the certificate of the node, seconds since the epoch; 0 where there is none.',
    read: ({ certificate }) => (certificate === undefined ? 0 : Date.parse(certificate.expires) / 1000),
  },
  hawser_edge_problems: {
    help: 'Things that `hawser status` calls problems.',
    read: ({ problems }) => problems.length,
  },
  hawser_edge_resident_memory_bytes: {
    help: 'Resident memory of the process.',
    read: (status) => status.process.rssBytes,
  },
};

/**
 * Puts the metrics of the edge into a registry; they are read from the status when the registry is printed.
 * @param read the status now
 */
export function registerEdgeMetrics(registry: Registry, read: () => EdgeStatus): void {
  for (const [name, { help, label, read: valueOf }] of Object.entries(METRICS)) {
    const labelNames = label === undefined ? [] : [label];
    const gauge: Gauge = new Gauge({
      ...{ name, help, labelNames, registers: [registry] },
      collect: () => set(gauge, label, valueOf(read())),
    });
  }
}

function set(gauge: Gauge, label: string | undefined, reading: Reading): void {
  gauge.reset();
  if (typeof reading === 'number') gauge.set(reading);
  else for (const [value, number] of Object.entries(reading)) gauge.set({ [label ?? '']: value }, number);
}

/** No label has the name of a single node: `node/edge-1` counts as `node`. */
function kindOf(scope: string): string {
  return scope.split('/', 1)[0] ?? scope;
}
