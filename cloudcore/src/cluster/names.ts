/** Where Hawser keeps what it needs in a cluster. */
export const HAWSER_NAMESPACE = 'hawser-system';

/** Prefix of Hawser's labels and annotations. */
const PREFIX = 'hawser.dev';

/** Labels, by use. */
export const LABELS = {
  /** On a Node: it is an edge node of Hawser. Value: empty. */
  edge: `${PREFIX}/edge`,
  /** On a Node: the pool it belongs to, a NodePool. */
  nodePool: 'apps.openyurt.io/nodepool',
  /** On a Node: the pool it belongs to, as joins of the first releases wrote it; counts where {@link LABELS.nodePool} is not there. */
  pool: `${PREFIX}/pool`,
  /** On a Node, as kubectl shows it under ROLES. Value: empty. */
  edgeRole: 'node-role.kubernetes.io/edge',
  /** On a DeviceStatus: the node that its device is at, where its name fits a label. */
  node: `${PREFIX}/node`,
  /** On a ConfigMap in {@link HAWSER_NAMESPACE}: the protocol that its schemas are of. */
  mapperSchema: `${PREFIX}/mapper-schema`,
  /** On what Hawser keeps in its namespace: `authority`, `join-token`, `node-identity`, `pool`. */
  kind: `${PREFIX}/kind`,
} as const;

/** Annotations, by use. */
export const ANNOTATIONS = {
  /** On a node's Lease: the replica that holds its session. */
  replica: `${PREFIX}/replica`,
  /** On a node's Lease: the epoch of its session. */
  sessionEpoch: `${PREFIX}/session-epoch`,
  /** On a Node or NodePool: `unbounded` (default) or `keep`. */
  tolerations: `${PREFIX}/tolerations`,
  /** On the Lease of a pool: the epoch of its leadership. */
  poolEpoch: `${PREFIX}/pool-epoch`,
  /** On the Lease of a pool: `<node> claim` or `<node> handover`: it wants to lead, and another replica has the leader. */
  poolClaim: `${PREFIX}/pool-claim`,
  /** On a Node: `address:port` at which peers of its pool reach it. */
  poolEndpoint: `${PREFIX}/pool-endpoint`,
  /** On a Node: which of its labels, annotations and taints are there by its NodePool, JSON. */
  poolAttributes: `${PREFIX}/pool-attributes`,
  /** On a Device: which settings of its edge were decided last. */
  edgeSettings: `${PREFIX}/edge-settings`,
} as const;

/** Names of single objects in {@link HAWSER_NAMESPACE}. */
export const OBJECTS = {
  /** Secret of the authority: `tls.crt`, `tls.key`. */
  authority: 'hawser-authority',
  /** ConfigMap with the cluster's incarnation. */
  cluster: 'hawser-cluster',
} as const;

/** Namespace of the leases of nodes. */
export const NODE_LEASE_NAMESPACE = 'kube-node-lease';
