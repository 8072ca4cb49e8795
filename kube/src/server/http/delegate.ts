import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { UserInfo } from '../auth/user.ts';
import type { RequestInfo } from './request-info.ts';
import type { Responder } from './responder.ts';

/** A request whose sender is known, and of which it was not asked yet whether he may. */
export interface DelegatedRequest {
  readonly request: IncomingMessage;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  /** Who sent it. */
  readonly self: UserInfo;
  /** As whom it is made: another one than `self` where it impersonates somebody, which `self` may. */
  readonly user: UserInfo;
  /** Aborted when the client leaves or the server stops. */
  readonly signal: AbortSignal;
  /**
   * Asks the server's authorizer.
   * @throws StatusError Forbidden
   */
  authorize(): Promise<void>;
}

/**
 * Takes requests away from a server that answers only a part of an API itself: it is asked when it is known who makes a
 * request, before it is asked whether he may. What it does not take the server authorizes and answers.
 */
export interface RequestDelegate {
  /**
   * Whether it took the request; the answer is then over.
   * @throws StatusError for the server to answer, as long as nothing has been sent.
   */
  take(request: DelegatedRequest, respond: Responder): Promise<boolean>;
  /** The same for a request that changes the protocol; if it is taken the socket is no more the server's. */
  takeUpgrade(request: DelegatedRequest, socket: Duplex, head: Buffer): Promise<boolean>;
}
