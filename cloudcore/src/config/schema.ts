import { hostname } from 'node:os';
import { TUNNEL_LIMITS, type TunnelLimits } from '@hawser/proto';
import { z } from 'zod';

const port = z.int().min(0).max(65_535);
const host = z.string().min(1);
const ADDRESS = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9A-Fa-f:.]+$/;

/**
 * The configuration of cloudcore, as YAML has it. The reference page is made from this: each option has its default,
 * its unit and its meaning here.
 */
export const configSchema = z.strictObject({
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Kubeconfig file of the cluster. Default: KUBECONFIG, then ~/.kube/config, then the pod's service account.",
    ),
  context: z.string().min(1).optional().describe('Context of the kubeconfig. Default: its current one.'),
  replica: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/i,
      'must be a name of up to 63 letters, digits, dots and dashes',
    )
    .default(() => hostname())
    .describe("Name of this replica, in logs and on leases. Default: the machine's name."),
  listen: z
    .strictObject({
      host: host.default('::').describe('Address that edges reach. Default: all.'),
      websocketPort: port.default(10_000).describe('TCP port of WebSocket tunnels, of joins and renewals.'),
      quicPort: port
        .nullable()
        .default(null)
        .describe('UDP port of QUIC tunnels, by convention 10001; null: none.'),
      webTransportPort: port
        .nullable()
        .default(null)
        .describe('TCP port of WebTransport tunnels (experimental), by convention 10003; null: none.'),
    })
    .prefault({})
    .describe('Where edges connect.'),
  advertise: z
    .array(z.string().regex(ADDRESS, 'must be a name or an IP address'))
    .default([])
    .describe(
      "Names and addresses under which edges dial this hub; they go into its certificate. Default: what `hawser init` was told, and the machine's name.",
    ),
  operations: z
    .strictObject({
      host: host.default('127.0.0.1').describe('Address of /livez, /readyz and /metrics; `::` is all.'),
      port: port.default(10_002).describe('Port of them; 0: any free one.'),
    })
    .prefault({})
    .describe('For probes and Prometheus. It offers counts only: no names, no contents.'),
  drain: z
    .strictObject({
      notReadySeconds: z
        .number()
        .min(0)
        .max(600)
        .default(0)
        .describe(
          'How long it serves on with /readyz at 503, so that load balancers find another replica for edges that come, seconds.',
        ),
      sessionsSeconds: z
        .number()
        .min(0)
        .max(3600)
        .default(0)
        .describe(
          'Over which time sessions are then ended, one by one, seconds. 0: all at once, each edge with a time of its own to come back (up to 5 s).',
        ),
    })
    .prefault({})
    .describe(
      'What it does when it is told to stop and other replicas go on. A second signal stops it at once.',
    ),
  heartbeatSeconds: z
    .number()
    .min(2)
    .max(300)
    .default(10)
    .describe('Seconds between heartbeats that this hub would like; the shorter wish of both sides counts.'),
  tolerations: z
    .enum(['unbounded', 'keep'])
    .default('unbounded')
    .describe(
      'What becomes of the default tolerations (300 s) of pods on edge nodes: `unbounded` lets pods stay on a node that is away; `keep` leaves them as they are. The annotation hawser.dev/tolerations on a Node overrides it.',
    ),
  massRemovalDelaySeconds: z
    .number()
    .min(1)
    .max(86_400)
    .default(30)
    .describe(
      'When more than half of what a node has is to go within a minute, the edge holds it back; after this time, seconds, the hub looks again, and confirms what is still to go.',
    ),
  certificateDays: z
    .number()
    .min(1 / 24)
    .max(3650)
    .default(365)
    .describe("Lifetime of nodes' certificates, days. Nodes renew between 70 and 90 % of it."),
  renewalGraceDays: z
    .number()
    .min(0)
    .max(365)
    .default(30)
    .describe('How long after its certificate expired a node may still come for a new one, days.'),
  resources: z
    .array(
      z.strictObject({
        group: z.string().default('').describe("API group; '' is the core group."),
        version: z.string().min(1).describe('API version.'),
        resource: z.string().min(1).describe('Plural name.'),
        kind: z.string().min(1).describe('Kind.'),
        namespaced: z.boolean().default(true).describe('Whether its objects live in namespaces.'),
        nodeSelector: z
          .string()
          .default('')
          .describe('Label selector of the nodes that get them. Default: every edge node.'),
      }),
    )
    .default([])
    .describe('Further resources that edge nodes get, beside those that their pods need.'),
  pools: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether nodes of a NodePool share streams, and what the local API of a node serves travels at all.',
        ),
      resources: z
        .array(
          z.strictObject({
            group: z.string().default('').describe("API group; '' is the core group."),
            version: z.string().min(1).describe('API version.'),
            resource: z.string().min(1).describe('Plural name.'),
          }),
        )
        .max(32)
        .default([
          { group: '', version: 'v1', resource: 'endpoints' },
          { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' },
          { group: '', version: 'v1', resource: 'services' },
        ])
        .describe(
          'What pools share whose NodePool has no `poolScopeMetadata`, and what the local API of a node without a pool serves. RBAC objects and what tokens are checked with are shared in any case; Secrets never are. The hub needs the right to list and watch them.',
        ),
      heartbeatSeconds: z
        .number()
        .min(0.2)
        .max(60)
        .default(5)
        .describe(
          'Seconds between two signs of life in the LAN of a pool. All other times of pools grow and shrink with it: docs/pool.md, "Times".',
        ),
    })
    .prefault({})
    .describe('Pools of nodes that reach each other on a LAN: docs/pool.md.'),
  kubelet: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether kubectl logs, exec, attach, port-forward and top reach edge nodes through this hub.',
        ),
      host: host.optional().describe('Address to listen on. Default: listen.host.'),
      portRange: z
        .strictObject({
          first: z.int().min(1).max(65_535).default(12_000).describe('First port.'),
          last: z.int().min(1).max(65_535).default(29_999).describe('Last port.'),
        })
        .prefault({})
        .refine(({ first, last }) => first <= last, 'first must not be above last')
        .describe(
          'TCP ports, one for each node that has a session here. Default: below the ports of Services of type NodePort (30000) and those that Linux gives to outgoing connections (32768).',
        ),
      advertise: z
        .string()
        .regex(ADDRESS, 'must be a name or an IP address')
        .optional()
        .describe(
          "Address of this replica as API servers and metrics-server reach it; it goes into the Nodes of its edges. Default: the first of `advertise`, or the machine's name.",
        ),
      addressTypes: z
        .array(z.enum(['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']))
        .min(1)
        .default(['Hostname'])
        .describe(
          'Types of the addresses of a Node that are set to it. The first one that the API server looks for (--kubelet-preferred-address-types) has to be among them: Hostname by default, InternalIP with kubeadm, where an address of the edge itself stays behind it.',
        ),
      clientCaFile: z
        .string()
        .min(1)
        .optional()
        .describe(
          'Authorities of client certificates, PEM. Default: client-ca-file in the ConfigMap kube-system/extension-apiserver-authentication, which API servers write.',
        ),
      maxStreams: z.int().positive().default(1024).describe('Requests under way, all nodes together.'),
      maxStreamsPerNode: z
        .int()
        .positive()
        .max(100)
        .default(64)
        .describe('Requests under way, of one node; the tunnel has 128 streams.'),
      headerSeconds: z
        .number()
        .positive()
        .default(30)
        .describe(
          'How long a client may take for the head of its request, and a node to begin its answer, seconds.',
        ),
      idleSeconds: z
        .number()
        .positive()
        .default(14_400)
        .describe('After how long without a byte a shell or a forwarded port ends, seconds. Not for logs.'),
    })
    .prefault({})
    .describe("A kubelet's HTTPS for each connected node, over its tunnel."),
  apiAccess: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Whether programs at edges reach the API server through their node and this hub, as the service account of their pod.',
        ),
      maxRequests: z
        .int()
        .positive()
        .default(2048)
        .describe('Requests under way, watches among them, all nodes together.'),
      maxRequestsPerNode: z
        .int()
        .positive()
        .max(120)
        .default(100)
        .describe('Requests under way, watches among them, of one node; the tunnel has 128 streams.'),
      headerSeconds: z
        .number()
        .positive()
        .default(70)
        .describe(
          'How long the API server may take to begin its answer, seconds; by itself it gives up after 60.',
        ),
      idleSeconds: z
        .number()
        .positive()
        .default(14_400)
        .describe('After how long without a byte an answer, a watch or a shell ends, seconds.'),
    })
    .prefault({})
    .describe(
      'Requests of programs at edges to the API server. Programs get the rights of their own service account, and nothing of the hub.',
    ),
  writes: z
    .strictObject({
      perNodePerSecond: z.number().positive().default(20).describe('Writes of one node, averaged, 1/s.'),
      perNodeBurst: z.int().positive().default(100).describe('Writes of one node at once.'),
      perSecond: z.number().positive().default(300).describe('Writes of all nodes together, averaged, 1/s.'),
      burst: z.int().positive().default(1000).describe('Writes of all nodes together, at once.'),
      devices: z
        .strictObject({
          perNodePerSecond: z
            .number()
            .positive()
            .default(20)
            .describe('Reports of the devices of one node, averaged, 1/s.'),
          perNodeBurst: z
            .int()
            .positive()
            .default(40)
            .describe('Reports of the devices of one node at once.'),
          perSecond: z
            .number()
            .positive()
            .default(200)
            .describe('Reports of all devices together, averaged, 1/s; nodes take turns.'),
          burst: z.int().positive().default(400).describe('Reports of all devices together, at once.'),
        })
        .prefault({})
        .describe(
          'What is reported of devices has limits of its own. A report that is sent back is replaced by a newer one at the edge. Each is a write of the Device and one of its DeviceStatus.',
        ),
    })
    .prefault({})
    .describe('Limits of writes to the API server on behalf of edges.'),
  uploads: z
    .strictObject({
      url: z
        .union([z.literal(''), z.url({ protocol: /^https?$/ })])
        .default('')
        .describe(
          'Where what programs at edges publish for the cloud is posted, http or https. Default: nowhere; it is refused.',
        ),
      caFile: z
        .string()
        .min(1)
        .optional()
        .describe('Authorities of the receiver, PEM. Default: those that Node trusts.'),
      certFile: z
        .string()
        .min(1)
        .optional()
        .describe('Client certificate for the receiver, PEM; with keyFile. Default: none.'),
      keyFile: z.string().min(1).optional().describe('Key of certFile, PEM.'),
      timeoutSeconds: z.number().positive().max(300).default(10).describe('For one upload, seconds.'),
      maxInFlight: z.int().positive().max(1024).default(16).describe('Uploads under way.'),
    })
    .prefault({})
    .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
      message: 'certFile and keyFile go together',
    })
    .describe('Uploads of edges: topics $hw/events/upload/# and SYS/dis/upload_records.'),
  limits: z
    .partialRecord(z.enum(Object.keys(TUNNEL_LIMITS) as (keyof TunnelLimits)[]), z.int().positive())
    .default({})
    .describe(
      'Limits of the tunnel by name, in place of their defaults: docs/reference/tunnel-limits.md. More than 4096 edges behind one address need a larger maxConnectionsPerAddress.',
    ),
  logLevel: z
    .enum(['error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('error: an operator must act; warn: degraded and healing; info: lifecycle; debug.'),
});

/** The configuration of cloudcore, checked, with every default in place. */
export type CloudCoreConfig = z.infer<typeof configSchema>;
/** The configuration as users write it. */
export type CloudCoreConfigInput = z.input<typeof configSchema>;
