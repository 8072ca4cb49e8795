import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { UserInfo } from '@hawser/kube';

/** Who makes a request at the local API, by what this node has seen and checked. */
export interface ApiCaller {
  /** With its groups and what tokens say beside, as an API server has it. */
  readonly user: UserInfo;
  /** Set for a token of a service account. */
  readonly account?: {
    readonly namespace: string;
    readonly name: string;
    /** Of the account; empty: the token does not say. */
    readonly uid: string;
    /** The pod that the token is bound to, wherever it runs. */
    readonly pod?: { readonly name: string; readonly uid: string };
  };
  /** Whether it is this node itself, by its own certificate. */
  readonly isNode: boolean;
}

/** An answer of the API server as a whole. */
export interface CloudAnswer {
  /** HTTP status. */
  readonly code: number;
  /** By lower-case name; without those of one connection (RFC 9110, section 7.6.1). */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** A request without a body, for an answer as a whole. */
export interface CloudRead {
  /** Path with query. */
  readonly path: string;
  /** Sent as they are, such as `accept`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly caller: ApiCaller;
  /** Bytes of a body that are taken at most. */
  readonly limitBytes: number;
  readonly signal: AbortSignal;
}

/**
 * The API server in the cloud, through the tunnel. Requests reach it as the caller; a caller's own credentials
 * (`Authorization`, tokens in subprotocols of WebSockets) and `Impersonate-*` never leave the node.
 *
 * All methods throw a `StatusError` of kube for the local API to answer, as long as nothing was sent: 503 where there is no
 * cloud, 403 for a caller that the hub does not speak for, 504 where no answer came. An abort rethrows its reason.
 */
export interface CloudAccess {
  /** Whether a request would go anywhere now. */
  readonly available: boolean;
  /** Passes a request on, answers it, and resolves when the answer is over. A client that leaves ends it. */
  forward(request: IncomingMessage, response: ServerResponse, caller: ApiCaller): Promise<void>;
  /** Passes a request on that changes the protocol (exec, port-forward); the socket is then its own. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, caller: ApiCaller): Promise<void>;
  /** A GET whose answer is wanted as a whole. Rejects with 500 for an answer beyond `limitBytes`. */
  read(order: CloudRead): Promise<CloudAnswer>;
}
