/** What to do about a peer that says what no release of ours says. */
const BROKEN_PEER =
  'Compare the releases on both sides (`hawser version`). If they fit, the peer is broken or hostile: the log names the node, and `hawser node revoke NAME` shuts it out.';

/** What each code means and what to do about it; docs/errors.md is made from this table. */
export const SYNC_ERRORS = {
  ERR_SYNC_BAD_ACK: {
    meaning: 'The peer acknowledged a message that was not sent, or that it had acknowledged before.',
    remedy: BROKEN_PEER,
  },
  ERR_SYNC_BAD_CONTENT: {
    meaning: 'An object cannot be brought into its normal form: no name, no JSON, or nested too deeply.',
    remedy: 'Look at the object that the message names. What the API server accepted can be brought into it.',
  },
  ERR_SYNC_BAD_DELTA: {
    meaning:
      'Instructions that should make a new content from an old one are malformed, or not meant for it.',
    remedy:
      'Nothing to do: the edge asks for the whole content. If it goes on, compare the releases on both sides.',
  },
  ERR_SYNC_BAD_HASH: {
    meaning: 'A content’s hash has another length than 16 bytes.',
    remedy: BROKEN_PEER,
  },
  ERR_SYNC_BAD_INVENTORY: {
    meaning: 'The list of what an edge has cannot be read: malformed, truncated, or a key twice.',
    remedy: BROKEN_PEER,
  },
  ERR_SYNC_BAD_KEY: {
    meaning: 'A key is not of the form resource/namespace/name, or too long.',
    remedy: BROKEN_PEER,
  },
  ERR_SYNC_BAD_MESSAGE: {
    meaning:
      'A message about a scope is malformed, or out of place: nothing asked for it, or it contradicts what came before.',
    remedy: BROKEN_PEER,
  },
  ERR_SYNC_BAD_PACK: {
    meaning: 'Packed bytes cannot be unpacked: of an unknown kind, malformed, truncated, or not JSON.',
    remedy: BROKEN_PEER,
  },
  ERR_SYNC_BAD_SEQUENCE: {
    meaning: 'Changes of a scope came out of order, or for a scope that was not subscribed to.',
    remedy: BROKEN_PEER,
  },
  ERR_SYNC_BUSY: {
    meaning: 'More contents wait to be encoded than the hub keeps in line.',
    remedy: 'It is tried again by itself. If it goes on, the hub has too little CPU for what changes.',
  },
  ERR_SYNC_FORGED: {
    meaning:
      'What a pool’s scope was given is not what the hub has signed: a stamp without a good signature, or contents that no signed state has. Nothing of it is shown to anybody.',
    remedy:
      'Look at the node that it came from, which the message or its log line names: it alters data of the pool. If all members say so of all nodes, compare the clusters and lives that they have accepted (`hawser status`).',
  },
  ERR_SYNC_LIMIT: {
    meaning:
      'A bound was reached: changes under way, objects in a scope, requests that wait for an answer, or what an outbox may keep. The message names it.',
    remedy:
      'If a peer exceeded it, compare the releases on both sides. If it is this side’s own bound, look for what fills it: a hub that does not answer, or more objects than one node should have.',
  },
  ERR_SYNC_OTHER_LIFE: {
    meaning:
      'A member of a pool has accepted another life of the cluster than the one that wants to read from it, or has states of the life before: none of the two would take what the other one has for signed.',
    remedy:
      'It ends by itself once both have heard of the new life. If it goes on, compare the clusters and lives that the nodes have accepted (`hawser status`).',
  },
  ERR_SYNC_OLD_STATE: {
    meaning:
      'A pool’s scope was given a signed state that is older than the one it has. It keeps what it has.',
    remedy:
      'Nothing to do if it happens once: whoever gave it lagged behind. If it goes on, the node that gives it replays old states.',
  },
  ERR_SYNC_REFUSED: {
    meaning:
      'The hub answered a request with a status other than success; status and message are those of the Kubernetes API.',
    remedy:
      'Follow the status: 403 means that this node may not ask for it, 404 that the object is not there, 429 and 5xx that it may be tried again.',
  },
  ERR_SYNC_SESSION_ENDED: {
    meaning: 'There is no session with a hub, or it ended before the answer came.',
    remedy: 'The edge reconnects by itself; ask again then.',
  },
  ERR_SYNC_TIMEOUT: {
    meaning: 'The hub did not answer a request in time.',
    remedy: 'Ask again. If it goes on, look at the hub’s log and at its API server.',
  },
  ERR_SYNC_TOO_LARGE: {
    meaning:
      'Something would be larger, once unpacked, than is taken from a peer. The message has the limit.',
    remedy:
      'No object of an API server is this large, so the peer is broken or hostile: the log names the node, and `hawser node revoke NAME` shuts it out.',
  },
  ERR_SYNC_WRONG_HASH: {
    meaning: 'A content that came whole is not what its hash says.',
    remedy: 'The bytes were altered on the way, or the peer is hostile. The session begins anew.',
  },
} as const;

/** A stable code, see docs/errors.md. */
export type SyncErrorCode = keyof typeof SYNC_ERRORS;

/** Every failure of delta sync that is not an abort. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly code: SyncErrorCode;

  constructor(code: SyncErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
