/** What each code of this package means and what to do about it; docs/errors.md is made from this table. */
export const CLOUDCORE_ERRORS = {
  ERR_CLOUDCORE_AUTHORITY: {
    meaning:
      'The Secret hawser-system/hawser-authority cannot be used: a key or certificate in it is missing, unreadable, of a kind that is not accepted, or does not fit the other.',
    remedy:
      'Restore the Secret from a backup. It is never overwritten. Deleting it makes a new authority at the next start of the hub, and then every node has to join again.',
  },
  ERR_CLOUDCORE_AUTHORITY_DATES: {
    meaning: 'The authority of the cluster has reached its end, or its time has not begun.',
    remedy:
      'Look at the clock of the hub first. If it is right, delete the Secret hawser-system/hawser-authority and join the nodes again.',
  },
  ERR_CLOUDCORE_BAD_REQUEST: {
    meaning:
      'A request to join or renew is not one: its path, method, size or body is wrong; the message says what.',
    remedy: 'Compare the releases of `hawser` on the node and in the cloud.',
  },
  ERR_CLOUDCORE_CATCH_UP: {
    meaning:
      'The caches of the hub did not reach the state that the API server had when they were asked to, within the time for it.',
    remedy:
      'Nothing is removed from an edge meanwhile. Look for why watches lag: the log of the hub names the resource, and hawser_cache_silence_seconds shows it.',
  },
  ERR_CLOUDCORE_CLIENT_CERTIFICATE: {
    meaning:
      'A renewal was refused because of the certificate that the node showed; the message has the reason, with its code.',
    remedy: 'Join the node again with a new token (`hawser token create --node NAME --replace`).',
  },
  ERR_CLOUDCORE_CLOSED: {
    meaning: 'A part of the hub was used after it was stopped.',
    remedy: 'Nothing to do: it follows a shutdown.',
  },
  ERR_CLOUDCORE_CLUSTER: {
    meaning:
      'The identity of the cluster could not be read or written: the UID of the namespace kube-system, or the ConfigMap hawser-system/hawser-cluster.',
    remedy:
      'See that the API server answers and that the hub has the rights that `hawser init` gives it. If the ConfigMap was edited by hand, give it back its key `incarnation`.',
  },
  ERR_CLOUDCORE_CONFIG: {
    meaning:
      'An option of the command or of the configuration is missing, unknown or not valid, or the file cannot be read; the message names all problems with their paths.',
    remedy: 'Correct what the message names. docs/reference/cloudcore-config.md lists every option.',
  },
  ERR_CLOUDCORE_CSR: {
    meaning:
      'The certificate signing request asks for what a node may not have, or its signature does not hold; the message says which.',
    remedy:
      'A request has the subject `O=system:nodes, CN=system:node:NAME`, an Ed25519 or P-256 key, and nothing else. `hawser join` makes such a one.',
  },
  ERR_CLOUDCORE_EPOCH_CONFLICT: {
    meaning:
      'A node asked for a stream of its pool as its leader, in an epoch in which another one leads. The message names that one.',
    remedy:
      'Nothing to do: it goes by its membership, which says the same. Counted in hawser_pool_refusals_total.',
  },
  ERR_CLOUDCORE_FENCED: {
    meaning:
      'The hub has ended a stream of a pool: another one leads in a higher epoch, the time without the leader is over, the node is no member any more, or the resource is not shared any more; the message says which.',
    remedy: 'Nothing to do: what the node has stays, and it goes on from there.',
  },
  ERR_CLOUDCORE_FORBIDDEN: {
    meaning: 'A node asked for the objects of another node, or of a pool that it is not in.',
    remedy:
      'Nothing to do: it was refused, counted and logged. A node that goes on asking is not the software that it should be; `hawser node revoke` shuts it out.',
  },
  ERR_CLOUDCORE_HUB_NAME: {
    meaning: 'A name or address for the certificate of the hub is none, or there is no name at all.',
    remedy: 'Name the DNS names and IP addresses by which edges dial the hub, without scheme and port.',
  },
  ERR_CLOUDCORE_INTERNAL: {
    meaning: 'The hub failed at a request that it should have answered.',
    remedy: 'Its log has the cause. Please report it.',
  },
  ERR_CLOUDCORE_LISTEN: {
    meaning: 'The address for operations (/healthz, /readyz, /metrics) cannot be listened on.',
    remedy: 'Choose another operations.port, stop the program that has it, or correct operations.host.',
  },
  ERR_CLOUDCORE_NODE_EXISTS: {
    meaning: 'A node of this name has joined before, with another key, and its certificate still lives.',
    remedy:
      'Choose another name. If the machine takes the place of the former one, create a token with `--replace`: the certificates of the former one are then revoked.',
  },
  ERR_CLOUDCORE_NODE_NAME: {
    meaning: 'The name is none that a node can have.',
    remedy:
      'Names of nodes are DNS subdomains: lower-case letters, digits, "-" and ".", at most 253 characters.',
  },
  ERR_CLOUDCORE_NODE_RECORD: {
    meaning: 'The record of a node in hawser-system (ConfigMap node-…) cannot be read.',
    remedy:
      'Somebody has edited it: restore it from a backup. `hawser node revoke NAME` writes it anew, and the node joins with a new token.',
  },
  ERR_CLOUDCORE_NODE_REVOKED: {
    meaning: 'The certificates of the node were revoked.',
    remedy:
      'If it is to come back, create a new token and join it again. Tokens from before the revocation do not count.',
  },
  ERR_CLOUDCORE_NODE_UNKNOWN: {
    meaning: 'No node of this name has joined.',
    remedy: 'Look at the name: `hawser node list`.',
  },
  ERR_CLOUDCORE_NOT_LEADER: {
    meaning:
      'A node asked for a stream of its pool that only the leader has, or one that was granted a time without it. The message names the leader and the epoch.',
    remedy: 'Nothing to do: the node reads from the leader.',
  },
  ERR_CLOUDCORE_RESOURCE: {
    meaning:
      'A resource was configured for edge nodes that goes to them by rules of its own, such as pods or Secrets.',
    remedy: 'Remove it from `resources`: what pods need comes with them.',
  },
  ERR_CLOUDCORE_ROLLBACK: {
    meaning:
      'The API server has an older state than an edge was once given: it was restored from a backup, or its storage lost writes.',
    remedy:
      'Edges hold what they have, and obey nothing of the older state. See that the cluster is what you want it to be, then say `hawser accept-cluster`.',
  },
  ERR_CLOUDCORE_STAMP_KEY: {
    meaning: 'The key for stamps has another length than 32 bytes.',
    remedy: 'This is a bug of the hub: please report it.',
  },
  ERR_CLOUDCORE_TOKEN: {
    meaning: 'The join token is not known: mistyped, revoked, or expired long ago.',
    remedy: 'Create a new one: `hawser token create`.',
  },
  ERR_CLOUDCORE_TOKEN_BOUND: {
    meaning: 'The join token is for another node or pool.',
    remedy:
      'Join under the name that the token is for, or create another one. `hawser token list` shows what each is for.',
  },
  ERR_CLOUDCORE_TOKEN_CLUSTER: {
    meaning:
      'The join token was made for another authority: of another cluster, or of one that was replaced.',
    remedy: 'Create a token in the cluster that the hub serves.',
  },
  ERR_CLOUDCORE_TOKEN_EXPIRED: {
    meaning: 'The time of the join token is over.',
    remedy: 'Create a new one: `hawser token create`, with `--ttl` where a day is not enough.',
  },
  ERR_CLOUDCORE_TOKEN_OPTIONS: {
    meaning: 'A join token was ordered with settings that contradict each other or are out of range.',
    remedy: 'The message names the setting and its range.',
  },
  ERR_CLOUDCORE_TOKEN_USED: {
    meaning: 'The join token has been used as often as it may be.',
    remedy: 'Create a new one: `hawser token create`, with `--uses` for several nodes.',
  },
  ERR_CLOUDCORE_TOO_MANY_REQUESTS: {
    meaning:
      'Too many requests to join or renew failed from this address or for this node, or too many are under way.',
    remedy: 'Wait as long as the answer says. If it goes on, somebody is guessing: the log has the address.',
  },
  ERR_CLOUDCORE_UNAVAILABLE: {
    meaning: 'The hub cannot do this now: it is starting, or the API server does not answer.',
    remedy: 'Try again. If it goes on, look at the log of the hub and at the API server.',
  },
} as const;

/** The codes of {@link CloudCoreError}. */
export type CloudCoreErrorCode = keyof typeof CLOUDCORE_ERRORS;

/** Every failure of the hub that is neither an answer of the API server, nor of the tunnel, nor an abort. */
export class CloudCoreError extends Error {
  override readonly name = 'CloudCoreError';
  readonly code: CloudCoreErrorCode;
  /** What it is about: a node, a key, a path. */
  readonly about: string | undefined;

  constructor(code: CloudCoreErrorCode, message: string, options?: ErrorOptions & { about?: string }) {
    super(message, options);
    this.code = code;
    this.about = options?.about;
  }
}
