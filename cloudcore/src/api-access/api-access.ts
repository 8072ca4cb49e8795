import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiClient, BareConnections } from '@hawser/kube';
import {
  CALLER_HEADER,
  hasBody,
  headProblem,
  StreamDuplex,
  wantedProtocol,
  type Stream,
} from '@hawser/proto';
import type { Clock, Logger, Timer } from '@hawser/seams';
import type { Registry } from 'prom-client';
import type { ClusterView } from '../cache/cluster-view.ts';
import type { IdentityService } from '../identity/identity-service.ts';
import { counted } from '../kubelet-endpoint/edge-stream.ts';
import { RequestSlots } from '../kubelet-endpoint/request-slots.ts';
import { accessMetrics, type AccessMetrics } from './access-metrics.ts';
import { AccessSession, type AccessTunnel } from './access-session.ts';
import { accountOf } from './account.ts';
import { podKey, type AccountTokens } from './account-tokens.ts';
import { answerStatus, upgradeStatus } from './answers.ts';
import { ApiRelay, tooLarge, type CarriedRequest } from './api-relay.ts';
import { AccessRefusal, forbiddenCaller, overloaded, unavailable } from './refusal.ts';

/** Settings of {@link ApiAccess}. */
export interface ApiAccessOptions {
  readonly client: ApiClient;
  /** The way to the API server for requests with tokens of their own. */
  readonly server: BareConnections;
  readonly view: Pick<ClusterView, 'pod' | 'podAs' | 'onPod'>;
  readonly identity: Pick<IdentityService, 'isRevoked' | 'onRevoked'>;
  /** Requests under way, of one node and of all. */
  readonly maxRequests: number;
  readonly maxRequestsPerNode: number;
  /** Until the API server begins to answer, milliseconds. */
  readonly headerMs: number;
  /** Of an answer or an upgraded connection without a byte, milliseconds. */
  readonly idleMs: number;
  readonly log: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
}

/** What came of looking at a request. */
interface Admitted {
  readonly carried: CarriedRequest;
  /** To be called when it is over. */
  readonly done: () => void;
}

/** Of a request's body. Source: kube-apiserver, MaxRequestBodyBytes. */
const BODY_LIMIT_BYTES = 3 * 1024 * 1024;
/** For a body to come from an edge with a narrow line, milliseconds. */
const BODY_MS = 300_000;
/** For the head of a request, which follows the opening of its stream at once, milliseconds. */
const HEAD_MS = 10_000;
const MAX_HEADER_BYTES = 64 * 1024;
/** For the edge to end its direction once all has been said, milliseconds. */
const LINGER_MS = 10_000;
/** Between two lines about refusals of one node, milliseconds. */
const QUIET_MS = 10_000;

/**
 * Requests of programs at edges, carried to the API server as the service account that makes them: streams of kind
 * `api`, HTTP/1.1, one request each. The edge says who asks; what counts is that a pod of its node runs as that
 * account, which the hub knows by itself. See docs/pool.md, "As the caller".
 */
export class ApiAccess {
  readonly #options: ApiAccessOptions;
  readonly #log: Logger;
  readonly #metrics: AccessMetrics;
  readonly #slots: RequestSlots;
  readonly #relay: ApiRelay;
  readonly #http: Server;
  readonly #sessions = new Set<AccessSession>();
  /** Streams that have not brought their request yet. */
  readonly #waiting = new Map<Duplex, { readonly session: AccessSession; readonly timer: Timer }>();
  /** Who has the token for a pod. */
  readonly #tokens = new Map<string, AccountTokens>();
  #stopListening: (() => void) | undefined;
  #stopped: Error | undefined;

  constructor(options: ApiAccessOptions) {
    const { maxRequests, maxRequestsPerNode, headerMs, idleMs, server, clock, registry } = options;
    this.#options = options;
    this.#log = options.log.child({ component: 'api-access' });
    this.#slots = new RequestSlots({ overall: maxRequests, perNode: maxRequestsPerNode }, tooMany);
    this.#metrics = accessMetrics(registry, {
      open: () => this.#slots.taken,
      tokens: () => this.#tokens.size,
    });
    this.#relay = new ApiRelay({
      ...{ server, headerMs, clock },
      bodyMs: BODY_MS,
      bodyLimitBytes: BODY_LIMIT_BYTES,
    });
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES });
    this.#http.timeout = idleMs;
    this.#http.on('request', (request, response) => void this.#onRequest(request, response));
    this.#http.on('upgrade', (request, socket, head) => void this.#onUpgrade(request, socket, head));
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // Any other error is one of the stream: the edge has left, or its session has ended.
      if (error.code?.startsWith('HPE_') !== true) return void socket.destroy();
      this.#metrics.refused.inc({ reason: 'head' });
      upgradeStatus(socket, headRefusal(error));
    });
  }

  /** Begins to hear of pods that go and nodes that are revoked. Idempotent. */
  start(): void {
    if (this.#stopListening !== undefined) return;
    const { view, identity } = this.#options;
    const ignorePods = view.onPod((namespace, name) => {
      const key = podKey(namespace, name);
      this.#tokens.get(key)?.podChanged(key, view.pod(namespace, name)?.uid);
    });
    const ignoreRevoked = identity.onRevoked((node) => {
      for (const session of this.#sessions)
        if (session.node === node && identity.isRevoked(session.peer)) session.end(revoked(node));
    });
    this.#stopListening = () => {
      ignorePods();
      ignoreRevoked();
    };
  }

  /** Ends what goes on. Idempotent. */
  stop(): void {
    this.#stopListening?.();
    this.#stopListening = () => {};
    this.#stopped ??= unavailable('stopping', 'the hub is stopping: try again in a moment');
    for (const session of [...this.#sessions]) session.end(this.#stopped);
    this.#options.server.close();
  }

  /** A session has begun. @param isCurrent whether it is the node's present one */
  opened(tunnel: AccessTunnel, isCurrent: () => boolean): AccessSession {
    const { client, clock } = this.#options;
    const session: AccessSession = new AccessSession({
      ...{ tunnel, isCurrent, client, clock, index: this.#tokens },
      onAsked: (result) => this.#metrics.tokenRequests.inc({ result }),
      onStream: (stream) => this.#take(stream, session),
      onEnd: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    if (this.#stopped !== undefined) session.end(this.#stopped);
    return session;
  }

  #take(stream: Stream, session: AccessSession): void {
    const { clock } = this.#options;
    const onBytes = (direction: string, count: number): void => this.#metrics.bytes.inc({ direction }, count);
    const duplex = new StreamDuplex(counted(stream, onBytes), { clock });
    let lingering: Timer | undefined;
    duplex.on('error', () => {}); // whoever uses it sees it closed
    duplex.on('timeout', () => void duplex.destroy());
    duplex.on('finish', () => {
      lingering = clock.setTimer(LINGER_MS, () => void duplex.destroy(), { background: true });
    });
    duplex.on('close', () => {
      lingering?.cancel();
      this.#begun(duplex);
    });
    // Node's server has this time-out only for a server that listens, which this one never does.
    const timer = clock.setTimer(HEAD_MS, () => void duplex.destroy(), { background: true });
    this.#waiting.set(duplex, { session, timer });
    this.#http.emit('connection', duplex);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    const session = this.#begun(request.socket);
    if (session === undefined) return; // a second request: the stream ends with the answer to the first
    response.on('error', () => {}); // the edge has left
    response.shouldKeepAlive = false; // the stream ends with its answer
    response.writeProcessing(); // an edge knows by it that this release carries requests
    try {
      const { carried, done } = this.#admit(session, request, response);
      try {
        await this.#relay.plain(carried, response);
      } finally {
        done();
      }
    } catch (error) {
      const refusal = this.#refusalOf(session, request, error, response.destroyed);
      if (response.headersSent) response.destroy();
      else answerStatus(response, refusal.status);
    }
    this.#count(method, response.headersSent ? response.statusCode : 0);
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { method = '' } = request;
    const session = this.#begun(socket);
    if (session === undefined) return;
    socket.write('HTTP/1.1 102 Processing\r\n\r\n');
    try {
      const { carried, done } = this.#admit(session, request, socket);
      try {
        const protocol = upgradeOf(carried);
        this.#audit(carried, protocol);
        this.#count(method, await this.#relay.upgrade(carried, protocol, socket, head));
      } finally {
        done();
      }
    } catch (error) {
      const { status } = this.#refusalOf(session, request, error, socket.destroyed);
      upgradeStatus(socket, status);
      this.#count(method, status.code);
    }
  }

  /** @throws AccessRefusal */
  #admit(session: AccessSession, request: IncomingMessage, connection: Duplex | ServerResponse): Admitted {
    const { node, tokens } = session;
    session.signal.throwIfAborted();
    if (!session.isCurrent()) throw unavailable('session', `node ${node} has a newer session`);
    if (this.#options.identity.isRevoked(session.peer)) throw revoked(node);
    const problem = headProblem(request);
    if (problem !== undefined) {
      const statusReason =
        problem.status === 403 ? 'Forbidden' : problem.status === 405 ? 'MethodNotAllowed' : 'BadRequest';
      throw new AccessRefusal(problem.status, 'head', `node ${node}: ${problem.message}`, { statusReason });
    }
    if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) throw tooLarge(BODY_LIMIT_BYTES);
    const account = accountOf(this.#options.view, node, request.headersDistinct[CALLER_HEADER]);
    const release = this.#slots.take(node);
    const ending = new AbortController();
    const onEnd = (): void => ending.abort(session.signal.reason);
    connection.once('close', () => ending.abort(new Error('the edge has left')));
    // Not AbortSignal.any: of a signal that lives as long as the session it would keep something for each request.
    session.signal.addEventListener('abort', onEnd);
    const done = (): void => {
      release();
      session.signal.removeEventListener('abort', onEnd);
    };
    const { signal } = ending;
    const { method, url } = request;
    const fields = { node, account: `${account.namespace}/${account.name}`, pod: account.pod.name, method };
    this.#log.debug({ ...fields, path: pathOf(url) }, 'a request of a program at an edge');
    return { carried: { node, account, tokens, request, signal }, done };
  }

  /** Shells and forwarded ports are for whoever reads the log of an operator. */
  #audit({ node, account, request }: CarriedRequest, protocol: string): void {
    const { namespace, name, pod } = account;
    const fields = { audit: 'api-access', node, account: `${namespace}/${name}`, pod: pod.name };
    this.#log.info(
      { ...fields, method: request.method, path: pathOf(request.url), protocol },
      'upgrade for an edge',
    );
  }

  #refusalOf(
    session: AccessSession,
    request: IncomingMessage,
    error: unknown,
    hasLeft: boolean,
  ): AccessRefusal {
    const refusal =
      error instanceof AccessRefusal
        ? error
        : unavailable('api-down', error instanceof Error ? error.message : String(error), { cause: error });
    if (hasLeft) return refusal; // nobody was refused
    const { reason, status, message, cause } = refusal;
    this.#metrics.refused.inc({ reason });
    const fields = { reason, status: status.code, method: request.method, path: pathOf(request.url) };
    const isLoud = status.code === 403 && session.isLoud(QUIET_MS);
    this.#log[isLoud ? 'warn' : 'debug'](
      { node: session.node, ...fields, err: cause },
      `a request of a program at an edge is refused: ${message}`,
    );
    return refusal;
  }

  #count(method: string, code: number): void {
    // No label that somebody made up.
    const known = headProblem({ method, url: '/', headers: {} }) === undefined;
    this.#metrics.requests.inc({ method: known ? method : 'other', code });
  }

  /** A stream has brought its request, or has ended. @returns whose it is; undefined: it has brought one before */
  #begun(duplex: Duplex): AccessSession | undefined {
    const waiting = this.#waiting.get(duplex);
    waiting?.timer.cancel();
    this.#waiting.delete(duplex);
    return waiting?.session;
  }
}

/** Protocols that API servers speak; h2c would be another way to say what is looked at here. */
const PROTOCOLS: ReadonlySet<string> = new Set(['websocket', 'spdy/3.1']);

/** @throws AccessRefusal 400 */
function upgradeOf({ node, request }: CarriedRequest): string {
  const protocol = wantedProtocol(request);
  if (protocol !== undefined && PROTOCOLS.has(protocol.toLowerCase()) && !hasBody(request)) return protocol;
  const text = `node ${node}: upgrades are carried to WebSocket and SPDY/3.1, without a body`;
  throw new AccessRefusal(400, 'head', text, { statusReason: 'BadRequest' });
}

function tooMany(whose: 'node' | 'hub', node: string, limit: number): AccessRefusal {
  const [who, option] =
    whose === 'node' ? [`node ${node}`, 'maxRequestsPerNode'] : ['the hub', 'maxRequests'];
  const what = `${who} has ${limit} requests of programs under way, as many as there may be`;
  return overloaded(`${what}: end watches, or raise apiAccess.${option}`);
}

function revoked(node: string): AccessRefusal {
  return forbiddenCaller('session', `node ${node} was revoked`);
}

function headRefusal(error: Error): AccessRefusal['status'] {
  const isLarge = (error as NodeJS.ErrnoException).code === 'HPE_HEADER_OVERFLOW';
  const text = isLarge
    ? 'the head of the request is too large'
    : `this is no HTTP/1.1 request: ${error.message}`;
  return new AccessRefusal(isLarge ? 431 : 400, 'head', text, { statusReason: 'BadRequest' }).status;
}

function pathOf(url = ''): string {
  return url.slice(0, 256).split('?')[0] ?? '';
}
