import type { IncomingMessage } from 'node:http';
import type { UserInfo } from '../auth/user.ts';
import type { ObjectStore } from '../../store/store.ts';
import type { Representation } from './negotiation.ts';
import type { RequestInfo } from './request-info.ts';
import type { Responder } from './responder.ts';

/** One request that has been authenticated and authorized. */
export interface RequestContext {
  readonly request: IncomingMessage;
  readonly respond: Responder;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  /** What it reads: get, list and watch. */
  readonly store: ObjectStore;
  readonly representation: Representation;
  /** Aborted when the client leaves or the server stops. */
  readonly signal: AbortSignal;
  /** RFC 3339, whole seconds: the time of the request. */
  readonly now: string;
  /** Reads the body, once. */
  body(): Promise<Buffer>;
}
