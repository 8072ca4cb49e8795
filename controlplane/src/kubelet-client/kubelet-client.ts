import { STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  badRequest,
  notFound,
  serviceUnavailable,
  type ConnectHandler,
  type KubeObject,
  type ObjectStore,
  type RequestContext,
  type UpgradeContext,
} from '@hawser/kube';
import { deferred, type Clock, type Logger } from '@hawser/seams';
import type { KeyPair } from '../pki/certificates.ts';
import { bodyOf, refusalOf } from './kubelet-answer.ts';
import { logQuery, portForwardQuery, streamQuery } from './kubelet-query.ts';
import { kubeletAddress, type KubeletAddress } from './node-address.ts';
import { containerOf, nodeOfPod } from './pod-container.ts';

/** Settings of {@link KubeletClient}. */
export interface KubeletClientOptions {
  /** Nodes are looked up in it. */
  readonly store: ObjectStore;
  /** The client certificate, as it is now. */
  readonly credentials: () => KeyPair;
  /**
   * Authority of the certificates of kubelets, PEM. Default: they are not verified, as by a kube-apiserver without
   * --kubelet-certificate-authority.
   */
  readonly ca?: string;
  readonly log: Logger;
  readonly clock: Clock;
}

interface Answer {
  readonly response: IncomingMessage;
  readonly upgraded: { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

interface Order {
  readonly node: KubeObject;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Sent as it comes; absent: there is none. */
  readonly body?: IncomingMessage;
  readonly signal?: AbortSignal;
}

const NODES = { group: '', resource: 'nodes' };
/** To connect, and to begin an answer; kubelets have 30 s for it themselves. Milliseconds. */
const HEADER_MS = 60_000;
/** What is between the client and this server. */
const OWN_HEADERS =
  /^(authorization|cookie|host|impersonate-.*|proxy-.*|keep-alive|te|trailer|transfer-encoding)$/;
const CONNECTION_HEADERS = new Set(['connection', 'upgrade']);
const UPGRADED = new Set(['exec', 'attach', 'portforward']);

/**
 * Leads pods/log, exec, attach, portforward and nodes/proxy to the kubelet of the node, as kube-apiserver does: its
 * address and port are in the Node, and this server's certificate says who asks. Upgraded connections are passed on
 * byte for byte.
 * Source: kubernetes pkg/registry/core/pod/rest, pkg/registry/core/node/rest, pkg/kubelet/client.
 */
export class KubeletClient implements ConnectHandler {
  readonly #options: KubeletClientOptions;

  constructor(options: KubeletClientOptions) {
    this.#options = options;
  }

  async request(context: RequestContext, object: KubeObject, subresource: string): Promise<void> {
    if (object.kind === 'Node') {
      await this.#nodeProxy(context, object);
      return;
    }
    if (subresource === 'log') {
      await this.#log(context, object);
      return;
    }
    if (UPGRADED.has(subresource)) throw badRequest('Upgrade request required');
    throw notHere(subresource);
  }

  async upgrade(context: UpgradeContext, object: KubeObject, subresource: string): Promise<void> {
    const { request, query } = context;
    const { node, path } =
      object.kind === 'Node'
        ? { node: object, path: proxyPath(request.url ?? '') }
        : this.#stream(object, subresource, query);
    this.#audit(context, node, object, subresource);
    const answer = await this.#ask({
      node,
      path,
      method: request.method ?? 'GET',
      headers: passed(request, true),
    });
    await join(context, answer);
  }

  async #log(context: RequestContext, pod: KubeObject): Promise<void> {
    const { query, respond, signal } = context;
    const { name = '', namespace = '' } = pod.metadata;
    const asked = logQuery(query, name);
    const container = containerOf(pod, query.get('container') ?? '');
    const response = respond.raw;
    if (nodeOfPod(pod) === '') {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end();
      return;
    }
    const node = this.#node(nodeOfPod(pod));
    this.#audit(context, node, pod, 'log');
    const path = withQuery(`/containerLogs/${namespace}/${name}/${container}`, asked);
    const answer = await this.#ask({ node, path, method: 'GET', headers: {}, signal });
    if (answer.response.statusCode !== 200) throw await refusalOf(answer.response);
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' });
    response.flushHeaders(); // somebody who follows has to see that it has begun
    await passOn(answer.response, response);
  }

  async #nodeProxy(context: RequestContext, node: KubeObject): Promise<void> {
    const { request, respond, signal } = context;
    const { method = 'GET', url = '' } = request;
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    const { response } = await this.#ask({
      ...{ node, method, signal },
      path: proxyPath(url),
      headers: passed(request, false),
      ...(hasBody && { body: request }),
    });
    const headers = Object.entries(response.headers).filter(
      ([name]) => !OWN_HEADERS.test(name) && name !== 'connection',
    );
    respond.raw.writeHead(response.statusCode ?? 502, Object.fromEntries(headers));
    respond.raw.flushHeaders();
    await passOn(response, respond.raw);
  }

  /** Where exec, attach and portforward of a pod lead. @throws StatusError */
  #stream(
    pod: KubeObject,
    subresource: string,
    query: URLSearchParams,
  ): { readonly node: KubeObject; readonly path: string } {
    const { name = '', namespace = '' } = pod.metadata;
    if (!UPGRADED.has(subresource)) throw notHere(subresource);
    const isPort = subresource === 'portforward';
    const container = isPort ? '' : containerOf(pod, query.get('container') ?? '');
    if (nodeOfPod(pod) === '') throw badRequest(`pod ${name} does not have a host assigned`);
    const node = this.#node(nodeOfPod(pod));
    if (isPort)
      return { node, path: withQuery(`/portForward/${namespace}/${name}`, portForwardQuery(query)) };
    return { node, path: withQuery(`/${subresource}/${namespace}/${name}/${container}`, streamQuery(query)) };
  }

  #node(name: string): KubeObject {
    const entry = this.#options.store.get({ ...NODES, namespace: '', name });
    if (entry === undefined) throw notFound(NODES, name);
    return entry.object;
  }

  #audit(
    { user, query }: UpgradeContext | RequestContext,
    node: KubeObject,
    object: KubeObject,
    verb: string,
  ): void {
    const { namespace, name } = object.metadata;
    const pod = object.kind === 'Pod' ? `${namespace ?? ''}/${name ?? ''}` : undefined;
    const container = query.get('container') ?? undefined;
    const fields = { audit: 'kubelet', user: user.username, verb, node: node.metadata.name, pod, container };
    this.#options.log.info(fields, 'request to a kubelet');
  }

  /** Asks the kubelet; resolves with the head of its answer. @throws StatusError 503, 504 */
  async #ask({ node, method, path, headers, body, signal }: Order): Promise<Answer> {
    const { credentials, ca, clock } = this.#options;
    const { host, port } = kubeletAddress(node);
    const answer = deferred<Answer>();
    const outgoing = httpsRequest({
      ...{ host, port, method, path, headers },
      ...credentials(),
      ...(ca !== undefined && { ca }),
      rejectUnauthorized: ca !== undefined,
      agent: false,
      ...(signal && { signal }),
    });
    const late = clock.setTimer(HEADER_MS, () => {
      outgoing.destroy(new Error(`it did not begin to answer within ${HEADER_MS / 1000} s`));
    });
    outgoing.on('response', (response) => answer.resolve({ response, upgraded: undefined }));
    outgoing.on('upgrade', (response, socket, head) =>
      answer.resolve({ response, upgraded: { socket, head } }),
    );
    // Later ones are those of the answer, too, and it tells them.
    outgoing.on('error', (cause) => answer.reject(unreachable(node, { host, port }, cause)));
    if (body === undefined) outgoing.end();
    else pipeline(body, outgoing).catch(() => outgoing.destroy());
    try {
      return await answer.promise;
    } finally {
      late.cancel();
    }
  }
}

/** Joins client and kubelet, each direction ending by itself; or passes on what the kubelet said instead. */
async function join({ socket: client, head }: UpgradeContext, { response, upgraded }: Answer): Promise<void> {
  if (upgraded === undefined) {
    const body = await bodyOf(response);
    const { statusCode = 502 } = response;
    const code = statusCode >= 300 ? statusCode : 502;
    const type = response.headers['content-type'] ?? 'text/plain';
    client.write(
      `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\nContent-Type: ${type}\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
    );
    client.end(body);
    return;
  }
  const { rawHeaders, statusCode = 101, statusMessage = '' } = response;
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  const { socket: kubelet, head: kubeletHead } = upgraded;
  // The HTTP server's own, and those of two pipelines: more than the ten that seem suspicious.
  for (const end of [client, kubelet]) end.setMaxListeners(0);
  if (kubeletHead.length > 0) client.write(kubeletHead);
  if (head.length > 0) kubelet.write(head);
  await Promise.allSettled([pipeline(client, kubelet), pipeline(kubelet, client)]);
  kubelet.destroy();
  client.destroy();
}

/** Passes a body on. One that breaks off breaks off for the client, too. */
async function passOn(from: IncomingMessage, to: RequestContext['respond']['raw']): Promise<void> {
  try {
    await pipeline(from, to);
  } catch {
    to.destroy();
  }
}

/** Source: k8s.io/apimachinery util/proxy, UpgradeAwareHandler: what is the client's goes on, what is ours does not. */
function passed(request: IncomingMessage, isUpgrade: boolean): IncomingHttpHeaders {
  const kept = Object.entries(request.headersDistinct).filter(
    ([name]) => !OWN_HEADERS.test(name) && (isUpgrade || !CONNECTION_HEADERS.has(name)),
  );
  return Object.fromEntries(kept); // lists are written as several lines
}

/** `/api/v1/nodes/NAME/proxy/REST?QUERY`: what the kubelet is asked. */
function proxyPath(url: string): string {
  const rest = /^\/+api\/+v1\/+nodes\/+[^/]+\/+proxy([^?]*)(\?.*)?$/.exec(url);
  const [, path = '', query = ''] = rest ?? [];
  return `${path === '' ? '/' : path}${query}`;
}

function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

function unreachable(node: KubeObject, { host, port }: KubeletAddress, cause: Error): Error {
  const text = `the kubelet of node ${node.metadata.name ?? ''} at ${host}:${port} cannot be reached: ${cause.message}`;
  return serviceUnavailable(text, { cause });
}

function notHere(subresource: string): Error {
  return badRequest(`${subresource} is not available on this server`);
}
