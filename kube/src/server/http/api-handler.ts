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
import type { DelegatedRequest, RequestDelegate } from './delegate.ts';
import { impersonated } from './impersonation.ts';
import { negotiate } from './negotiation.ts';
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

/** One request that was answered, for whoever counts them. */
export interface AnsweredRequest {
  readonly verb: string;
  /** '' for what is no resource, and for one that this server does not have. */
  readonly resource: string;
  readonly code: number;
  readonly seconds: number;
  readonly request: IncomingMessage;
}

/** What answering needs. */
export interface ApiHandlerDependencies {
  readonly store: ObjectStore;
  /** The store that a request reads, where it is not always the same. */
  readonly storeOf: ((request: IncomingMessage, info: RequestInfo) => ObjectStore) | undefined;
  readonly delegate: RequestDelegate | undefined;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly authentication: AuthenticationSettings;
  readonly authorizer: Authorizer;
  readonly resources: ResourceHandler;
  readonly paths: readonly PathHandler[];
  readonly connect: ConnectHandler | undefined;
  readonly metrics: ServerMetrics;
  readonly bodyLimitBytes: number;
  readonly onAnswered: ((answered: AnsweredRequest) => void) | undefined;
  /** Told of errors that are ours. */
  readonly onError: ((error: Error, request: string) => void) | undefined;
}

/** From a request on a connection to its answer: who, may he, what. */
export class ApiHandler {
  readonly #dependencies: ApiHandlerDependencies;
  /** Of requests under way. Not one signal for all of them: `AbortSignal.any` leaves something behind at each. */
  readonly #underWay = new Set<AbortController>();
  #stopped: StatusError | undefined;

  constructor(dependencies: ApiHandlerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Aborts what waits; answers go on. */
  stop(): void {
    this.#stopped ??= serviceUnavailable('the server is stopping');
    for (const controller of this.#underWay) controller.abort(this.#stopped);
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, metrics, delegate, onAnswered } = this.#dependencies;
    const startMs = clock.monotonicMs();
    const respond = new Responder(request, response);
    const ending = this.#begin();
    const onClose = (): void => ending.abort(badRequest('the client left'));
    response.once('close', onClose);
    let info: RequestInfo | undefined;
    try {
      const { path, query } = splitUrl(request.url ?? '/');
      info = requestInfo(request.method ?? 'GET', path, query);
      const asked = await this.#identified(request, info, query, ending.signal);
      if ((await delegate?.take(asked, respond)) !== true) await this.#own(asked, respond);
    } catch (error) {
      await this.#fail(request, respond, error);
    } finally {
      this.#underWay.delete(ending);
      response.removeListener('close', onClose);
      const { verb = '', resource = '' } = info ?? {};
      const seconds = (clock.monotonicMs() - startMs) / 1000;
      const record = {
        verb,
        resource: this.#known(info) ? resource : '',
        code: response.statusCode,
        seconds,
      };
      metrics.request(record);
      onAnswered?.({ ...record, request });
    }
  }

  /** Answers a request to change the protocol; never rejects. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Without a listener an error of the socket would end the process.
    socket.on('error', () => socket.destroy());
    const ending = this.#begin();
    try {
      const { path, query } = splitUrl(request.url ?? '/');
      const info = requestInfo(request.method ?? 'GET', path, query);
      const asked = await this.#identified(request, info, query, ending.signal);
      const { user } = asked;
      const { connect, registry, store, delegate } = this.#dependencies;
      if ((await delegate?.takeUpgrade(asked, socket, head)) === true) return;
      await asked.authorize();
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
    } finally {
      this.#underWay.delete(ending);
    }
  }

  /** One more request under way, until it is deleted. */
  #begin(): AbortController {
    const ending = new AbortController();
    this.#underWay.add(ending);
    if (this.#stopped !== undefined) ending.abort(this.#stopped);
    return ending;
  }

  /** Authenticates and impersonates. */
  async #identified(
    request: IncomingMessage,
    info: RequestInfo,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<DelegatedRequest> {
    const { authentication, authorizer } = this.#dependencies;
    const self = await authenticate(request, authentication);
    const user = await impersonated(request.headersDistinct, self, authorizer);
    const authorize = (): Promise<void> => this.#authorize(info, query, user);
    return { request, info, query, self, user, signal, authorize };
  }

  /** Authorizes and answers. */
  async #own(asked: DelegatedRequest, respond: Responder): Promise<void> {
    await asked.authorize();
    if (asked.info.isResource) await this.#resource(asked, respond);
    else await this.#path(asked, respond);
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

  async #resource(asked: DelegatedRequest, respond: Responder): Promise<void> {
    const { store, storeOf, registry, clock, resources, bodyLimitBytes } = this.#dependencies;
    const { request, info, query, user, signal } = asked;
    if (registry.group(info.group) === undefined) {
      await respond.text(404, '404 page not found\n');
      return;
    }
    const userAgent = request.headers['user-agent'];
    const representation = negotiate(request.headers.accept, {
      pretty: query.get('pretty'),
      userAgent,
    });
    let body: Promise<Buffer> | undefined;
    await resources.handle({
      ...{ request, respond, info, query, user, signal },
      store: storeOf?.(request, info) ?? store,
      representation,
      now: apiTime(clock.wallMs()),
      body: () => (body ??= readBody(request, bodyLimitBytes)),
    });
  }

  async #path({ request, info: { path }, query }: DelegatedRequest, respond: Responder): Promise<void> {
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
