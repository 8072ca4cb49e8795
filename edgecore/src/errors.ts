/** What each code of this package means and what to do about it; docs/errors.md is made from this table. */
export const EDGECORE_ERRORS = {
  ERR_EDGECORE_ADMIN: {
    meaning: 'The admin socket could not be opened, or answered with an error.',
    remedy:
      'At the start: see whose folder the socket is in, and whether another edgecore runs here. From `hawser`: the message says what was refused; 404 and 400 name what was asked for.',
  },
  ERR_EDGECORE_ADMIN_UNREACHABLE: {
    meaning: 'Nobody listens on the admin socket, or this user may not open it.',
    remedy: 'See that edgecore runs (`systemctl status edgecore`), and that you are root or its user.',
  },
  ERR_EDGECORE_ALREADY_JOINED: {
    meaning: 'This machine has joined before, as another node or another cluster.',
    remedy:
      'Say `hawser reset` first if it is to leave there, or join with `--rejoin`, which replaces its identity.',
  },
  ERR_EDGECORE_AUTHORITY: {
    meaning:
      'The authority that answered at the address of the hub is not the one that the join token names. Nothing secret was sent.',
    remedy:
      'Compare address and token: they are of different clusters, or somebody is between this machine and the hub.',
  },
  ERR_EDGECORE_BUS_BROKER: {
    meaning:
      'The external broker of the event bus cannot be reached, or ended the connection. It is tried again.',
    remedy:
      'See that it runs, and that `eventBus.url` is its address; for `mqtts://` that its certificate has that name and is of the authority in `eventBus.caFile`.',
  },
  ERR_EDGECORE_BUS_DENIED: {
    meaning:
      'The external broker of the event bus does not accept this node’s user, password or certificate.',
    remedy:
      'Compare `eventBus.user`, `eventBus.passwordFile`, `eventBus.certFile` with what the broker knows. It is tried again by itself.',
  },
  ERR_EDGECORE_BUS_FILE: {
    meaning: 'A file that the configuration of the event bus names cannot be read.',
    remedy: 'See that it is there, and that the user of edgecore may read it. It is tried again by itself.',
  },
  ERR_EDGECORE_BUS_LISTEN: {
    meaning: 'The embedded broker of the event bus cannot listen on `eventBus.listen`.',
    remedy:
      'See whether another broker has that address (`ss -ltnp | grep 1883`): stop it, use it with `eventBus.mode: external`, or give ours another port.',
  },
  ERR_EDGECORE_BUS_OFF: {
    meaning: 'There is no event bus: `eventBus.mode` is `off`.',
    remedy: 'Set it to `auto` where this node is to have devices or mappers.',
  },
  ERR_EDGECORE_BUS_TOPIC: {
    meaning: 'A topic or filter is none of MQTT, or has more than 32 levels or 1,024 bytes.',
    remedy: 'Correct what the message names.',
  },
  ERR_EDGECORE_BUS_URL: {
    meaning: 'An external broker is to be used, and it is not said where it is.',
    remedy: 'Set `eventBus.url`, or `eventBus.mode` to `embedded`.',
  },
  ERR_EDGECORE_CGROUP: {
    meaning:
      'The cgroup of a pod that has ended cannot be removed, because something in it does not end. It is tried again.',
    remedy:
      'Look at the message and at the processes of the cgroup (`cgroup.procs`): one that hangs in the kernel, often on a disk or network file system, cannot be killed.',
  },
  ERR_EDGECORE_CONFIG: {
    meaning:
      'The configuration cannot be read, or has values that are not valid; the message names all of them.',
    remedy: 'Correct them. The reference page of the configuration, and `--help`, list every option.',
  },
  ERR_EDGECORE_CONTAINER_LOG: {
    meaning: 'The log of a container is not there, or cannot be read.',
    remedy:
      'A container that has not been started yet has none, and those of containers that were removed are gone. A symbolic link below `/var/log/pods` is not followed. Otherwise see the reason in the message.',
  },
  ERR_EDGECORE_DEVICE_READ: {
    meaning: 'A device was to be read now, and was not: its mapper does not answer, or says why it cannot.',
    remedy:
      'The message is that of the mapper. See that it runs (`hawser mappers`), and that the device answers (`hawser device`).',
  },
  ERR_EDGECORE_DNS_LISTEN: {
    meaning:
      'The DNS server for names of the cluster cannot listen where `dns.listen` says. Pods that use it find no names.',
    remedy:
      'It is tried again by itself. The message has the reason: another DNS server has the port (`ss -lunp`), or no interface of this machine has the address.',
  },
  ERR_EDGECORE_DNS_UPSTREAM: {
    meaning:
      'None of the servers that are asked for names outside of the cluster answers. Names of the cluster go on.',
    remedy:
      'See that the network is there, and that the servers of `dns.upstream`, or else of the resolv.conf of the host, are the right ones: `dig @SERVER . NS`.',
  },
  ERR_EDGECORE_DMI: {
    meaning:
      'The socket for KubeEdge’s mappers (`dmi.socket`) cannot be opened, or a protocol is served by a mapper there and by one on the event bus.',
    remedy:
      'See that the folder of the socket can be written, and that no KubeEdge edgecore runs here. Of two mappers of one protocol take one away: its definition, or the program. It is tried again by itself.',
  },
  ERR_EDGECORE_HUB_ANSWER: {
    meaning:
      'The hub answered something that this release does not understand, or a certificate that does not fit.',
    remedy: 'Compare the releases on both sides, and see that the address is that of a hub.',
  },
  ERR_EDGECORE_HUB_UNREACHABLE: {
    meaning: 'The hub did not answer, or the connection to it broke.',
    remedy:
      'Check address and port, that the hub runs, and the firewalls in between (10000/tcp). Joining again goes on where it stopped.',
  },
  ERR_EDGECORE_IDENTITY: {
    meaning:
      'The identity of this node cannot be used: its file is damaged, or key and certificate in it do not fit each other.',
    remedy:
      'Restore node.pem in the folder pki from a backup, or join again: `hawser join … --rejoin` with a token that was created with `--replace`.',
  },
  ERR_EDGECORE_IDENTITY_MISSING: {
    meaning: 'This machine has not joined a cluster.',
    remedy: 'Create a token in the cloud (`hawser token create`) and say `hawser join` here.',
  },
  ERR_EDGECORE_INTERNAL: {
    meaning: 'Something failed that has no code of its own; it shows in `hawser status`.',
    remedy: 'It is a bug, please report it with the message and the log of edgecore.',
  },
  ERR_EDGECORE_LOCAL_API: {
    meaning:
      'The local API does not work: its certificate cannot be kept, or what answers cannot be started.',
    remedy:
      'The message says what is missing. See that `<data.dir>/pki` can be written. The next connection tries again.',
  },
  ERR_EDGECORE_LOCAL_API_ADDRESS: {
    meaning:
      'The link-local address of the local API (`localApi.address`) cannot be made: the local API is on loopback only, and pods are not told of it.',
    remedy:
      'Give edgecore the right to administer the network (`CAP_NET_ADMIN`) and the program `ip`, make the address yourself, or set `localApi.address` to nothing. It is tried again by itself.',
  },
  ERR_EDGECORE_LOCAL_API_LISTEN: {
    meaning: 'The local API cannot listen on its port.',
    remedy:
      'See which program has the port (`ss -ltnp | grep 10260`), stop it, or set `localApi.port`. It is tried again by itself.',
  },
  ERR_EDGECORE_OTHER_CLUSTER: {
    meaning:
      'The hub belongs to another cluster, or to another life of the cluster, than the one that this node has accepted. Nothing is taken from it, nothing is reported to it.',
    remedy:
      'If the cluster was replaced or restored on purpose, say `hawser accept-cluster` on the node. Otherwise find out why the hub’s address leads there.',
  },
  ERR_EDGECORE_PKI_DIR: {
    meaning: 'The folder of keys and certificates, or a file in it, cannot be read or written.',
    remedy: 'See whose it is, and whether the disk is full or read-only; the message has the reason.',
  },
  ERR_EDGECORE_POOL_LISTEN: {
    meaning:
      'The port for peers of the pool (`pool.listen`) cannot be opened. This node does not lead its pool meanwhile; it follows as ever.',
    remedy:
      'See whether another program has that address (`ss -ltnp`), and that the address is one of this machine. It is tried again by itself.',
  },
  ERR_EDGECORE_REFUSED: {
    meaning:
      'The hub refuses to let the node join, or to renew its certificate; the message has its code and reason.',
    remedy: 'Look up the code of the hub (ERR_CLOUDCORE_…) on this page.',
  },
  ERR_EDGECORE_RUNTIME: {
    meaning: 'The container runtime refused something, or failed; the message is its own.',
    remedy:
      'It is tried again. If it goes on, look at the log of the runtime (`journalctl -u containerd`) at the time of the message.',
  },
  ERR_EDGECORE_RUNTIME_OPTIONS: {
    meaning:
      '`pods.runtimeOptions` are not what the configured runtime takes; the message names each of them.',
    remedy:
      'Correct them: docs/runtimes.md has those of `process`; those of a package are in its own documentation.',
  },
  ERR_EDGECORE_RUNTIME_PROVIDER: {
    meaning:
      'The package or module of `pods.runtime` cannot be loaded, is no provider of a runtime, or is made for another version of the API of providers.',
    remedy:
      'Take the release of it that goes with this edge core. Its default export has to be {apiVersion, create}: see docs/runtimes.md.',
  },
  ERR_EDGECORE_RUNTIME_PROVIDER_MISSING: {
    meaning: 'There is no package or module of the name that `pods.runtime` has.',
    remedy:
      'Install the package where the edge core is installed, or give the absolute path of the module. The own runtimes are `cri`, `process` and `null`.',
  },
  ERR_EDGECORE_RUNTIME_PROVIDER_UNSAFE: {
    meaning:
      'The module of `pods.runtime`, or a folder above it, can be written by somebody else: its code would run as the edge core.',
    remedy:
      'Put it below folders that belong to root (or to the user of the edge core) and that nobody else can write to: `chown -R root:`, `chmod -R go-w`.',
  },
  ERR_EDGECORE_RUNTIME_TIMEOUT: {
    meaning: 'The container runtime, or a command inside of a container, did not finish in time.',
    remedy:
      'For a probe: give it a longer timeoutSeconds, or make its command quicker. Otherwise see how busy the machine and its disk are.',
  },
  ERR_EDGECORE_RUNTIME_UNREACHABLE: {
    meaning:
      'The container runtime does not answer on its socket. What runs goes on; nothing new is started.',
    remedy:
      'See that it runs (`systemctl status containerd`) and that `pods.runtimeEndpoint` is its socket. It is used again as soon as it is back.',
  },
  ERR_EDGECORE_TOKEN: {
    meaning: 'The text is no join token.',
    remedy:
      'A token is 64 hexadecimal digits, a point and a secret, as `hawser token create` prints it. Copy all of it.',
  },
  ERR_EDGE_STORE_BUSY: {
    meaning: 'More writes wait for the disk than may; this one was not taken.',
    remedy: 'Nothing to do: it is tried again. If it goes on, the disk is too slow or does not answer.',
  },
  ERR_EDGE_STORE_CLOSED: {
    meaning: 'The edge store was used after it was closed.',
    remedy: 'Nothing to do while edgecore stops; otherwise it is a bug, please report it.',
  },
  ERR_EDGE_STORE_DAMAGED: {
    meaning:
      'Something on the disk of the edge is not what was written. It is not used; the hub sends it again. A database that cannot be used any more was set aside as edge.db.damaged-….',
    remedy:
      'If it happens again, replace the disk. What was set aside may be removed when nobody wants to look at it.',
  },
  ERR_EDGE_STORE_DATA_DIR: {
    meaning: 'The data folder of the edge cannot be used.',
    remedy: 'See whose it is and whether it can be written; the message has the reason.',
  },
  ERR_EDGE_STORE_FAILED: {
    meaning:
      'The disk failed while the edge store wrote. What it holds of the last write is uncertain, so no more is written; reading goes on.',
    remedy: 'Look at the kernel log, then restart edgecore. Replace the disk if it happens again.',
  },
  ERR_EDGE_STORE_FULL: {
    meaning: 'The disk is full, or the edge store has reached its limit. Nothing of the write was done.',
    remedy: 'Free disk space or raise the limit; it goes on by itself.',
  },
  ERR_EDGE_STORE_IN_USE: {
    meaning: 'Another edgecore uses the data folder.',
    remedy: 'Stop it, or give each edgecore a folder of its own.',
  },
  ERR_EDGE_STORE_KEY: {
    meaning: 'The key of what the edge keeps encrypted cannot be read or made.',
    remedy:
      'See the rights of store.key, or the credential hawser-store-key of the systemd unit. Without the old key secrets are lost, and sent again by the hub.',
  },
  ERR_EDGE_STORE_READ_ONLY: {
    meaning: 'The file system of the data folder is read-only. What is there is served, nothing is written.',
    remedy:
      'The kernel does this when a disk fails: look at its log, then repair or replace the disk. Mounted for writing again, restart edgecore.',
  },
  ERR_EDGE_STORE_TOO_NEW: {
    meaning: 'The edge store was written by a newer release.',
    remedy:
      'Run the newer release again. To go back all the same, move edge.db away: the hub sends the objects again, what was not yet reported to it is lost.',
  },
  ERR_EDGE_STORE_VALUE: {
    meaning: 'The edge store was given something that it cannot keep: too large, or not what its hash says.',
    remedy: 'It is a bug, please report it with the message.',
  },
  ERR_EDGECORE_REMOVALS_HELD: {
    meaning:
      'More than half of what this node has was to be removed within a minute. The removals wait until the hub has looked again.',
    remedy:
      'Nothing to do if it was meant: the hub confirms it after 30 s. If it was not, put the objects back in the cloud before that.',
  },
  ERR_EDGECORE_TOKEN_EXPIRED: {
    meaning:
      'Service account tokens of pods have expired, because the cloud could not be asked for new ones in time.',
    remedy: 'Nothing to do: they are renewed first when the hub is back. Until then pods use the old ones.',
  },
} as const;

/** The codes of {@link EdgeCoreError}. */
export type EdgeCoreErrorCode = keyof typeof EDGECORE_ERRORS;

/** Every failure of the edge core that is neither of the tunnel, nor of sync, nor an abort. */
export class EdgeCoreError extends Error {
  override readonly name = 'EdgeCoreError';
  readonly code: EdgeCoreErrorCode;
  /** What it is about: a path, a key, a scope. */
  readonly about: string | undefined;

  constructor(code: EdgeCoreErrorCode, message: string, options?: ErrorOptions & { about?: string }) {
    super(message, options);
    this.code = code;
    this.about = options?.about;
  }
}
