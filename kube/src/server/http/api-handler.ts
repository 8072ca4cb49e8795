import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@hawser/seams';
import { FieldSelector } from '../../meta/field-selector.ts';
import { asStatusError } from '../../status/as-status-error.ts';
import {
  badRequest,
  forbidden,
  forbiddenPath,
  noSuchResource,
  notFound,
  serviceUnavailable,
} from '../../status/status-errors.ts';
import { StatusError } from '../../status/status.ts';
import type { ObjectStore } from '../../store/store.ts';
import { refusal, type AuthorizationAttributes, type Authorizer } from '../auth/authorizer.ts';
import type { UserInfo } from '../auth/user.ts';
import { readBody } from '../body/read-body.ts';
import { apiTime } from '../draft.ts';
import type { ServerMetrics } from '../metrics.ts';
import { subresourceOf, type Registry } from '../registry/registry.ts';
import { keyOf } from '../rest/object-writer.ts';
import { authenticate, type AuthenticationSettings } from './authentication.ts';
import type { ConnectHandler } from './connect.ts';
import { impersonated } from './impersonation.ts';
import { negotiate } from './negotiation.ts';
import type { RequestContext } from './request-context.ts';
import { requestInfo, type RequestInfo } from './request-info.ts';
import type { ResourceHandler } from './resource-handler.ts';
import { Responder } from './responder.ts';

/** Answers paths that are no resources: discovery, health, OpenAPI. */
export interface PathHandler {
  /** Returns false if the path is not its own. */
  handle(context: PathContext): Promise<boolean>;
}

/** A request for something that is no resource. */
export interface PathContext {
  readonly request: IncomingMessage;
  readonly respond: Responder;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
}

/** What answering needs. */
export interface ApiHandlerDependencies {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly authentication: AuthenticationSettings;
  readonly authorizer: Authorizer;
  readonly resources: ResourceHandler;
  readonly paths: readonly PathHandler[];
  readonly connect: ConnectHandler | undefined;
  readonly metrics: ServerMetrics;
  readonly bodyLimitBytes: number;
  /** Told of errors that are ours. */
  readonly onError: ((error: Error, request: string) => void) | undefined;
}

/** From a request on a connection to its answer: who, may he, what. */
export class ApiHandler {
  readonly #dependencies: ApiHandlerDependencies;
  readonly #stopping = new AbortController();

  constructor(dependencies: ApiHandlerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Aborts what waits; answers go on. */
  stop(): void {
    this.#stopping.abort(serviceUnavailable('the server is stopping'));
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, metrics } = this.#dependencies;
    const startMs = clock.monotonicMs();
    const respond = new Responder(request, response);
    const leaving = new AbortController();
    const onClose = (): void => leaving.abort(badRequest('the client left'));
    response.once('close', onClose);
    let info: RequestInfo | undefined;
    try {
      const { path, query } = splitUrl(request.url ?? '/');
      info = requestInfo(request.method ?? 'GET', path, query);
      const user = await this.#admitted(request, info, query);
      if (info.isResource) await this.#resource(request, respond, { info, query, user }, leaving.signal);
      else await this.#path(request, respond, path, query);
    } catch (error) {
      await this.#fail(request, respond, error);
    } finally {
      response.removeListener('close', onClose);
      const { verb = '', resource = '' } = info ?? {};
      const seconds = (clock.monotonicMs() - startMs) / 1000;
      metrics.request({
        verb,
        resource: this.#known(info) ? resource : '',
        code: response.statusCode,
        seconds,
      });
    }
  }

  /** Answers a request to change the protocol; never rejects. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Without a listener an error of the socket would end the process.
    socket.on('error', () => socket.destroy());
    try {
      const { path, query } = splitUrl(request.url ?? '/');
      const info = requestInfo(request.method ?? 'GET', path, query);
      const user = await this.#admitted(request, info, query);
      const { connect, registry, store } = this.#dependencies;
      const definition = registry.find(info.group, info.version, info.resource);
      const subresource = definition === undefined ? undefined : subresourceOf(definition, info.subresource);
      if (definition === undefined || subresource?.behaviour.type !== 'connect') throw noSuchResource();
      if (connect === undefined) throw badRequest(`${subresource.name} is not available on this server`);
      await this.#mayBegin(info, query, user);
      const entry = store.get(keyOf(definition, definition.namespaced ? info.namespace : '', info.name));
      if (entry === undefined) throw notFound(definition, info.name);
      await connect.upgrade({ request, socket, head, user, query }, entry.object, subresource.name);
    } catch (error) {
      const { status } = asStatusError(error);
      const body = JSON.stringify(status);
      socket.end(
        `HTTP/1.1 ${status.code} ${status.reason ?? ''}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
      this.#report(request, error);
    }
  }

  /** Authenticates, impersonates and authorizes. */
  async #admitted(request: IncomingMessage, info: RequestInfo, query: URLSearchParams): Promise<UserInfo> {
    const { authentication, authorizer } = this.#dependencies;
    const self = await authenticate(request, authentication);
    const user = await impersonated(request.headersDistinct, self, authorizer);
    await this.#authorize(info, query, user);
    return user;
  }

  /** @throws StatusError Forbidden */
  async #authorize(info: RequestInfo, query: URLSearchParams, user: UserInfo): Promise<void> {
    const attributes = attributesOf(info, query, user);
    const { decision, reason } = await this.#dependencies.authorizer.authorize(attributes);
    if (decision === 'allow') return;
    const why = refusal(attributes, reason);
    throw info.isResource
      ? forbidden({ group: info.group, resource: info.resource }, attributes.name, why)
      : forbiddenPath(why);
  }

  /**
   * A WebSocket is a GET, and a shell in it no reading: who may `get` pods/exec must be allowed to `create` it, too.
   * Source: KEP-4006, AuthorizePodWebsocketUpgradeCreatePermission (on by default since 1.35).
   */
  async #mayBegin(info: RequestInfo, query: URLSearchParams, user: UserInfo): Promise<void> {
    if (info.verb === 'create' || info.resource !== 'pods' || info.subresource === 'proxy') return;
    await this.#authorize({ ...info, verb: 'create' }, query, user);
  }

  async #resource(
    request: IncomingMessage,
    respond: Responder,
    about: Pick<RequestContext, 'info' | 'query' | 'user'>,
    leaving: AbortSignal,
  ): Promise<void> {
    const { registry, clock, resources, bodyLimitBytes } = this.#dependencies;
    if (registry.group(about.info.group) === undefined) {
      await respond.text(404, '404 page not found\n');
      return;
    }
    const userAgent = request.headers['user-agent'];
    const representation = negotiate(request.headers.accept, {
      pretty: about.query.get('pretty'),
      userAgent,
    });
    let body: Promise<Buffer> | undefined;
    await resources.handle({
      ...about,
      request,
      respond,
      representation,
      signal: AbortSignal.any([leaving, this.#stopping.signal]),
      now: apiTime(clock.wallMs()),
      body: () => (body ??= readBody(request, bodyLimitBytes)),
    });
  }

  async #path(
    request: IncomingMessage,
    respond: Responder,
    path: string,
    query: URLSearchParams,
  ): Promise<void> {
    const context = { request, respond, path, query, accept: request.headers.accept };
    for (const handler of this.#dependencies.paths) if (await handler.handle(context)) return;
    await respond.text(404, '404 page not found\n');
  }

  async #fail(request: IncomingMessage, respond: Responder, error: unknown): Promise<void> {
    const response = respond.raw;
    if (response.headersSent) {
      response.destroy();
      this.#report(request, error);
      return;
    }
    // What was not read of the body would be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    this.#report(request, error);
    try {
      await respond.status(asStatusError(error).status);
    } catch (failure) {
      response.destroy();
      this.#report(request, failure);
    }
  }

  #report(request: IncomingMessage, error: unknown): void {
    if (error instanceof StatusError && error.status.code < 500) return;
    if (request.socket.destroyed) return; // nobody waits for this answer any more
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#dependencies.onError?.(cause, `${request.method ?? ''} ${request.url ?? ''}`);
  }

  /** Metrics get no label that a client made up. */
  #known(info: RequestInfo | undefined): boolean {
    return (
      info !== undefined &&
      this.#dependencies.registry.find(info.group, info.version, info.resource) !== undefined
    );
  }
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?');
  return at === -1
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

function attributesOf(info: RequestInfo, query: URLSearchParams, user: UserInfo): AuthorizationAttributes {
  const { isResource, verb, namespace, group, version, resource, subresource, selectedName, path } = info;
  const attributes = { user, isResource, verb, namespace, group, version, resource, subresource, path };
  const selector = query.get('fieldSelector');
  const fieldSelector = selector === null ? undefined : readSelector(selector);
  return { ...attributes, name: selectedName, ...(fieldSelector === undefined ? {} : { fieldSelector }) };
}

function readSelector(text: string): FieldSelector | undefined {
  try {
    return FieldSelector.parse(text);
  } catch (error) {
    if (error instanceof StatusError) return undefined; // the list itself will refuse it
    throw error;
  }
}
