/** What keeps the local API from being well, with a code of docs/errors.md. */
export interface LocalApiProblem {
  readonly code:
    'ERR_EDGECORE_LOCAL_API' | 'ERR_EDGECORE_LOCAL_API_LISTEN' | 'ERR_EDGECORE_LOCAL_API_ADDRESS';
  readonly message: string;
}

/** `GET /v1/local-api`: where programs of this machine find the Kubernetes API of the edge. */
export interface LocalApiStatus {
  /** `closed`: no port is open; `listening`: nobody has asked yet; `loaded`: somebody has. */
  readonly state: 'closed' | 'listening' | 'loaded';
  /** Where it listens, the loopback address first. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** What clients are to trust, PEM; empty: none. */
  readonly certificate: string;
  /** What pods without an annotation are given. */
  readonly pods: 'local' | 'cluster';
  readonly problems: readonly LocalApiProblem[];
}
