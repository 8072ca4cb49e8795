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
  ERR_EDGECORE_CONFIG: {
    meaning:
      'The configuration cannot be read, or has values that are not valid; the message names all of them.',
    remedy: 'Correct them. The reference page of the configuration, and `--help`, list every option.',
  },
  ERR_EDGECORE_OTHER_CLUSTER: {
    meaning:
      'The hub belongs to another cluster, or to another life of the cluster, than the one that this node has accepted. Nothing is taken from it, nothing is reported to it.',
    remedy:
      'If the cluster was replaced or restored on purpose, say `hawser accept-cluster` on the node. Otherwise find out why the hub’s address leads there.',
  },
  ERR_EDGECORE_REQUEST_REFUSED: {
    meaning:
      'The hub refused what the edge asked it for (a token, a new certificate); the message has its reason.',
    remedy: 'Look at the log of the hub for the node. What the edge has already stays in use.',
  },
  ERR_EDGECORE_NO_SESSION: {
    meaning: 'Something that needs the hub was asked for while there is no session.',
    remedy: 'Nothing to do: it is asked for again when the session is back.',
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
