import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KubeObject } from '../../meta/object.ts';
import type { UserInfo } from '../auth/user.ts';
import type { RequestContext } from './request-context.ts';

/** A request that asks for another protocol on its connection (WebSocket, SPDY): exec, attach, portforward. */
export interface UpgradeContext {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the request's head already. */
  readonly head: Buffer;
  readonly user: UserInfo;
  readonly query: URLSearchParams;
}

/**
 * Leads `pods/log`, `exec`, `attach`, `portforward` and `proxy` to where the pod runs. The request has been
 * authenticated and authorized, and the object exists.
 */
export interface ConnectHandler {
  /**
   * Answers a plain request (log, proxy).
   * @throws StatusError for the server to answer, as long as nothing has been sent.
   */
  request(context: RequestContext, object: KubeObject, subresource: string): Promise<void>;
  /**
   * Takes over an upgraded connection, and answers on it.
   * @throws StatusError for the server to answer, as long as nothing has been sent.
   */
  upgrade(context: UpgradeContext, object: KubeObject, subresource: string): Promise<void>;
}
