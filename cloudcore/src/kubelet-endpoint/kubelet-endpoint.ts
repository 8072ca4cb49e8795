import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ApiClient } from '@hawser/kube';
import type { Credentials, Tunnel } from '@hawser/proto';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { Registry } from 'prom-client';
import type { ClusterView } from '../cache/cluster-view.ts';
import { AccessReviews } from './access-reviews.ts';
import { ClientAuthority } from './client-authority.ts';
import { clientUser, type ClientUser } from './client-user.ts';
import { noSession } from './edge-stream.ts';
import { kubeletMetrics, type KubeletMetrics } from './kubelet-metrics.ts';
import { KubeletRelay, type PassedRequest } from './kubelet-relay.ts';
import { readKubeletRequest, type KubeletRequest } from './kubelet-request.ts';
import { NodePorts } from './node-ports.ts';
import { NodeSessions } from './node-sessions.ts';
import { KubeletRefusal } from './refusal.ts';
import { RequestSlots } from './request-slots.ts';
import { TlsPort } from './tls-port.ts';
import { refuseUpgrade } from './upgrade-relay.ts';

/** Settings of {@link KubeletEndpoint}. */
export interface KubeletEndpointOptions {
  readonly client: ApiClient;
  readonly view: Pick<ClusterView, 'pod' | 'node' | 'onNode'>;
  /** The node's present session. */
  readonly session: (node: string) => Tunnel | undefined;
  /** Of the hub: its certificate is for `advertise`, too. */
  readonly credentials: () => Credentials;
  /** Address to listen on. */
  readonly host: string;
  readonly portRange: { readonly first: number; readonly last: number };
  /** Authorities of clients in PEM, in place of what the API server publishes. */
  readonly clientCaFile?: string;
  /** Requests under way, of one node and of all. */
  readonly maxStreams: number;
  readonly maxStreamsPerNode: number;
  /** See `KubeletRelayOptions`, milliseconds. */
  readonly headerMs: number;
  readonly idleMs: number;
  readonly logPatienceMs?: number;
  readonly log: Logger;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
}

/** What came of looking at a request. */
interface Admitted {
  readonly passed: PassedRequest;
  /** To be called when it is over. */
  readonly done: () => void;
}

const LOG_PATIENCE_MS = 30_000;
/** Connections beyond the requests that are under way: those that are idle, and handshakes. */
const SPARE_CONNECTIONS = 1024;
/** Actions of people, and not of machines that come every 15 s. */
const AUDITED: ReadonlySet<string> = new Set(['logs', 'exec', 'attach', 'portForward']);

/**
 * The kubelet's HTTPS as API servers and metrics-server know it, for all nodes that have a session here: each has a
 * port of its own. A request passes if its client certificate was signed by the cluster's authority of clients, the
 * API server lets the user do this to the node, and the pod that it names is bound to that node; then it goes over the
 * node's tunnel as it is. See docs/cloudcore.md.
 */
export class KubeletEndpoint {
  readonly sessions: NodeSessions;
  readonly metrics: KubeletMetrics;
  readonly #options: KubeletEndpointOptions;
  readonly #log: Logger;
  readonly #ports: NodePorts;
  readonly #tls: TlsPort;
  readonly #authority: ClientAuthority;
  readonly #reviews: AccessReviews;
  readonly #slots: RequestSlots;
  readonly #relay: KubeletRelay;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #stopListening: (() => void) | undefined;

  constructor(options: KubeletEndpointOptions) {
    const { client, clock, random, registry, host, portRange, maxStreams, maxStreamsPerNode } = options;
    this.#options = options;
    const log = options.log.child({ component: 'kubelet' });
    this.#log = log;
    this.sessions = new NodeSessions(options.session, clock);
    this.#slots = new RequestSlots({ overall: maxStreams, perNode: maxStreamsPerNode }, tooMany);
    this.#ports = new NodePorts({
      host,
      range: portRange,
      log,
      onSocket: (socket) => this.#tls.take(socket),
    });
    this.metrics = kubeletMetrics(registry, {
      ports: () => this.#ports.size,
      open: () => this.#slots.taken,
    });
    this.#authority = new ClientAuthority({
      ...{ client, log, clock, random },
      ...(options.clientCaFile !== undefined && { file: options.clientCaFile }),
      onChange: () => this.#tls.authoritiesChanged(),
    });
    this.#tls = new TlsPort({
      credentials: options.credentials,
      clientAuthorities: () => this.#authority.certificates,
      onRequest: (request, response) => this.#track(this.#onRequest(request, response)),
      onUpgrade: (request, socket, head) => this.#track(this.#onUpgrade(request, socket, head)),
      maxConnections: maxStreams + SPARE_CONNECTIONS,
      headerMs: options.headerMs,
      log,
    });
    this.#reviews = new AccessReviews({ client, clock });
    this.#relay = new KubeletRelay({
      ...{ sessions: this.sessions, metrics: this.metrics, clock },
      headerMs: options.headerMs,
      idleMs: options.idleMs,
      logPatienceMs: options.logPatienceMs ?? LOG_PATIENCE_MS,
    });
  }

  /** Begins to follow the authority of clients. Idempotent; @throws TypeError before the hub has its certificate */
  async start(): Promise<void> {
    if (this.#stopListening !== undefined) return;
    this.#stopListening = this.#options.view.onNode((node) => this.#forgetIfGone(node));
    this.#tls.start();
    await this.#authority.start();
  }

  /** Ends logs with a line that says so, everything else at once; frees the ports. Idempotent. */
  async stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = () => {};
    this.#stopping.abort(new KubeletRefusal(503, 'stopping', 'the hub is stopping: try again in a moment'));
    await this.#authority.stop();
    // Logs have said their last line by then; who does not read it is not waited for.
    const spoken = Promise.allSettled(this.#underWay);
    await Promise.race([spoken, this.#soon()]);
    this.#tls.stop();
    await Promise.all([spoken, this.#ports.stop()]);
  }

  /**
   * The port of a node, opened if it is not yet.
   * @returns undefined where there is none to be had, which is in the log
   */
  portOf(node: string): Promise<number | undefined> {
    return this.#ports.open(node);
  }

  /** A session of the node has begun. */
  opened(node: string): void {
    this.sessions.opened(node);
  }

  /** The session of a node has ended: its port stays for when it comes back, unless its Node is gone. */
  closed(node: string): void {
    this.#forgetIfGone(node);
  }

  #forgetIfGone(node: string): void {
    if (this.#options.view.node(node) !== undefined || this.sessions.get(node) !== undefined) return;
    void this.#ports.close(node);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let action = 'unknown';
    response.on('error', () => {}); // the client has left
    try {
      const { passed, done } = await this.#admit(request, response, false);
      ({ action } = passed.asked);
      try {
        await this.#relay.plain(passed, response);
      } finally {
        done();
      }
    } catch (error) {
      this.#answer(request, response, error);
    }
    this.metrics.requests.inc({ action, code: response.statusCode });
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let action = 'unknown';
    let code: number;
    socket.on('error', () => {}); // the client has left
    try {
      const { passed, done } = await this.#admit(request, socket, true);
      ({ action } = passed.asked);
      try {
        code = await this.#relay.upgrade(passed, socket, head);
      } finally {
        done();
      }
    } catch (error) {
      const refusal = this.#refusalOf(request, error);
      code = refusal.status;
      refuseUpgrade(socket, refusal.status, refusal.message);
    }
    this.metrics.requests.inc({ action, code });
  }

  /** @throws KubeletRefusal */
  async #admit(
    request: IncomingMessage,
    connection: Duplex | ServerResponse,
    isUpgrade: boolean,
  ): Promise<Admitted> {
    this.#stopping.signal.throwIfAborted();
    const { socket } = request;
    if (!(socket instanceof TLSSocket)) throw new TypeError('the only server is one of TLS');
    const node = this.#ports.nodeOf(socket.localPort);
    if (node === undefined) throw new KubeletRefusal(404, 'path', 'the node of this port is gone');
    const user = this.#user(socket, node);
    const { method = '', url = '', headers } = request;
    if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
      throw new KubeletRefusal(400, 'path', `node ${node}: requests have no body here`);
    }
    const asked = readKubeletRequest(node, { method, url, isUpgrade });
    const left = new AbortController();
    connection.once('close', () => left.abort(new Error('the client has left')));
    await this.#reviews.check(user, node, asked.verb, asked.subresources);
    this.#checkPod(node, asked);
    if (this.sessions.get(node) === undefined) throw noSession(node);
    const done = this.#slots.take(node);
    this.#audit(socket, node, user, asked);
    const signal = AbortSignal.any([left.signal, this.#stopping.signal]);
    return { passed: { node, asked, headers: request.headersDistinct, left: left.signal, signal }, done };
  }

  #user(socket: TLSSocket, node: string): ClientUser {
    if (this.#authority.certificates.length === 0) {
      const text =
        `node ${node}: the hub does not know yet which authority signs the certificates of API servers ` +
        '(ConfigMap kube-system/extension-apiserver-authentication, client-ca-file, or kubelet.clientCaFile)';
      throw new KubeletRefusal(503, 'unreviewed', text);
    }
    const user = this.#tls.isVerified(socket) ? clientUser(socket) : undefined;
    if (user !== undefined) return user;
    const text =
      `node ${node}: a client certificate that the cluster's authority has signed is needed ` +
      '(--kubelet-client-certificate of kube-apiserver)';
    throw new KubeletRefusal(401, 'unauthenticated', text);
  }

  /** A pod of another node is as good as none: who may ask this node may not ask that one. */
  #checkPod(node: string, { pod }: KubeletRequest): void {
    if (pod === undefined) return;
    if (this.#options.view.pod(pod.namespace, pod.name)?.nodeName === node) return;
    const text = `pod ${pod.namespace}/${pod.name} is not bound to node ${node}`;
    throw new KubeletRefusal(404, 'pod', text);
  }

  #audit(socket: TLSSocket, node: string, user: ClientUser, { action, pod }: KubeletRequest): void {
    const fields = {
      ...{ audit: 'kubelet', user: user.name, verb: action, node, address: socket.remoteAddress },
      ...(pod && { pod: `${pod.namespace}/${pod.name}`, container: pod.container }),
    };
    if (AUDITED.has(action)) this.#log.info(fields, 'request to a node');
    else this.#log.debug(fields, 'request to a node');
  }

  #answer(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const refusal = this.#refusalOf(request, error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = `${refusal.message}\n`;
    response.writeHead(statusFor(request, refusal), {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'x-content-type-options': 'nosniff',
      // Who is not let in need not stay.
      ...(refusal.status === 401 && { connection: 'close' }),
    });
    response.end(body);
  }

  #refusalOf(request: IncomingMessage, error: unknown): KubeletRefusal {
    const refusal =
      error instanceof KubeletRefusal
        ? error
        : new KubeletRefusal(502, 'edge', error instanceof Error ? error.message : String(error), {
            cause: error,
          });
    this.metrics.refused.inc({ reason: refusal.reason });
    const { method = '', url = '' } = request;
    const fields = {
      method,
      path: url.split('?')[0]?.slice(0, 256),
      status: refusal.status,
      reason: refusal.reason,
    };
    const level = refusal.reason === 'unauthenticated' || refusal.reason === 'denied' ? 'warn' : 'debug';
    this.#log[level]({ ...fields, err: refusal.cause }, `request to a node refused: ${refusal.message}`);
    return refusal;
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  #soon(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(STOP_MS, resolve, { background: true }));
  }
}

function tooMany(whose: 'node' | 'hub', node: string, limit: number): KubeletRefusal {
  const [what, option] =
    whose === 'node'
      ? [`node ${node}: ${limit} requests are under way`, 'maxStreamsPerNode']
      : [`node ${node}: the hub has ${limit} requests under way`, 'maxStreams'];
  const text = `${what}, as many as there may be. End some (logs -f, exec), or raise kubelet.${option}`;
  return new KubeletRefusal(429, 'overloaded', text);
}

/** For last lines of logs, milliseconds. */
const STOP_MS = 500;

/**
 * kube-apiserver tells the users of `kubectl logs` the text of a 502, and of a 503 only that it is one: to them the
 * text matters more. Source: k8s.io/apiserver GenericHttpResponseChecker, apimachinery NewGenericServerResponse.
 */
function statusFor({ url = '' }: IncomingMessage, { status }: KubeletRefusal): number {
  return status === 503 && url.startsWith('/containerLogs/') ? 502 : status;
}
