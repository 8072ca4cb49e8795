import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credentials, PeerIdentity } from '@hawser/proto';

/** Who the hub is, who may join, and who is out. */
export interface IdentityService {
  /** The hub's own certificate, renewed in time; signed by the authority, for the names that edges dial. */
  credentials(): Credentials;
  /** Key for stamps: 32 bytes derived (HKDF) from the authority's private key. */
  stampKey(): Uint8Array;
  /** Whether a certificate was revoked, from the watched records. */
  isRevoked(identity: PeerIdentity): boolean;
  /** Calls with the name of each node that is revoked from now on. Answers how to stop listening. */
  onRevoked(listener: (node: string) => void): () => void;
  /** Serves `GET /v1/authority`, `POST /v1/join` and `POST /v1/renew` on the tunnel's port. */
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** Signs a new certificate for a node whose session proves who it is. Errors: StatusError. */
  renew(peer: PeerIdentity, csrPem: string): Promise<{ certificate: string; authorities: string }>;
  start(): Promise<void>;
  stop(): Promise<void>;
}
