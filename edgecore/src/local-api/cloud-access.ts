import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  failure,
  forbiddenPath,
  plainError,
  requestEntityTooLarge,
  StatusError,
  tooManyRequests,
} from '@hawser/kube';
import {
  answerHeaders,
  encodeCaller,
  hasBody,
  headProblem,
  requestHeaders,
  STREAM_KINDS,
  TunnelError,
  wantedProtocol,
  type RequestHead,
  type Stream,
} from '@hawser/proto';
import type { Clock } from '@hawser/seams';
import type { PoolHub } from '../edge-pool-types.ts';
import { httpHead, joinStreams } from '../kubelet/upgrade-proxy.ts';
import type { ApiCaller, CloudAccess, CloudAnswer, CloudRead } from './cloud-access-types.ts';
import { noCloud } from './cloud-failure.ts';
import { askCloud, type CloudRequest, type CloudRequestLimits, type CloudResponse } from './cloud-request.ts';

/** What {@link TunnelCloudAccess} needs. */
export interface TunnelCloudAccessOptions {
  /** Opens streams on the bulk connection: lists of megabytes hold up no heartbeat there. */
  readonly hub: Pick<PoolHub, 'usable' | 'openStream'>;
  readonly clock: Clock;
  readonly limits?: Partial<CloudAccessLimits>;
}

/** Bounds of requests to the cloud. */
export interface CloudAccessLimits extends CloudRequestLimits {
  /** Requests under way, watches among them. Default 120: each has a stream, and a connection has 128. */
  readonly maxRequests: number;
  /** For a stream to be had, milliseconds. Default 15,000: the bulk connection has to be dialed first. */
  readonly openMs: number;
  /** How long one direction of an upgraded connection goes on without a byte once the other has ended. Default 5,000. */
  readonly halfOpenMs: number;
}

const DEFAULTS: CloudAccessLimits = {
  maxRequests: 120,
  openMs: 15_000,
  takenMs: 15_000,
  bodyMs: 330_000, // the hub's own, and a little more
  headerMs: 90_000, // likewise
  bodyLimitBytes: 3 * 1024 * 1024, // kube-apiserver, MaxRequestBodyBytes
  halfOpenMs: 5_000,
};

/** How requests are made; one that is read as a whole has no socket of its own. */
interface Asked extends Pick<CloudRequest, 'body' | 'protocol' | 'signal'> {
  readonly head: RequestHead;
  readonly rawHeaders: readonly string[];
  readonly caller: ApiCaller;
}

/**
 * The API server in the cloud, through the tunnel: one stream of kind `api` for each request. Nothing that proves who
 * the caller is goes along; this node says who it has seen, and the hub finds out for itself whether it may.
 */
export class TunnelCloudAccess implements CloudAccess {
  readonly #hub: TunnelCloudAccessOptions['hub'];
  readonly #clock: Clock;
  readonly #limits: CloudAccessLimits;
  #underWay = 0;

  constructor({ hub, clock, limits }: TunnelCloudAccessOptions) {
    this.#hub = hub;
    this.#clock = clock;
    this.#limits = { ...DEFAULTS, ...limits };
  }

  get available(): boolean {
    return this.#hub.usable;
  }

  async forward(request: IncomingMessage, response: ServerResponse, caller: ApiCaller): Promise<void> {
    const left = new AbortController();
    const onClose = (): void => left.abort(new Error('the client has left'));
    response.once('close', onClose);
    const length = request.headers['content-length'];
    const body = hasBody(request) ? { from: request, length } : undefined;
    try {
      await this.#with(
        {
          head: request,
          rawHeaders: request.rawHeaders,
          caller,
          body,
          protocol: undefined,
          signal: left.signal,
        },
        (answer) => passAnswer(answer, request, response),
      );
    } finally {
      response.removeListener('close', onClose);
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, caller: ApiCaller): Promise<void> {
    const left = new AbortController();
    const onClose = (): void => left.abort(new Error('the client has left'));
    const protocol = wantedProtocol(request);
    if (protocol === undefined || hasBody(request))
      throw failure(400, 'BadRequest', 'an upgrade names its protocol, and has no body');
    socket.once('close', onClose);
    try {
      await this.#with(
        {
          ...{ head: request, rawHeaders: request.rawHeaders, caller, protocol },
          ...{ body: undefined, signal: left.signal },
        },
        (answer) => this.#passUpgrade(answer, protocol, socket, head),
      );
    } finally {
      socket.removeListener('close', onClose);
    }
  }

  async read({ path, headers, caller, limitBytes, signal }: CloudRead): Promise<CloudAnswer> {
    const rawHeaders = Object.entries(headers).flat();
    let answer: CloudAnswer | undefined;
    await this.#with(
      {
        head: { method: 'GET', url: path, headers: lowered(headers) },
        ...{ rawHeaders, caller, body: undefined, protocol: undefined, signal },
      },
      async ({ response, close }) => {
        try {
          answer = await wholeAnswer(response, limitBytes);
        } catch (error) {
          signal.throwIfAborted();
          throw error instanceof StatusError ? error : noCloud('the answer broke off', { cause: error });
        } finally {
          close();
        }
      },
    );
    if (answer === undefined) throw new TypeError('an answer without an answer');
    return answer;
  }

  /** Asks, and gives what came to `use`. @throws StatusError, `signal.reason`, and what `use` throws */
  async #with(asked: Asked, use: (answer: CloudResponse) => Promise<void>): Promise<void> {
    const { head, rawHeaders, caller, body, protocol, signal } = asked;
    checkHead(head, this.#limits.bodyLimitBytes);
    const said = callerOf(caller);
    if (!this.#hub.usable) throw noCloud('it has no session with a hub');
    const { maxRequests } = this.#limits;
    if (this.#underWay >= maxRequests)
      throw tooManyRequests(`this node has ${maxRequests} requests to the cloud under way`, 1);
    this.#underWay += 1;
    let answer: CloudResponse | undefined;
    const giveUp = (): void => answer?.close();
    try {
      const stream = await this.#open(signal);
      const { method = 'GET', url = '/' } = head;
      const request = {
        method,
        path: url,
        headers: requestHeaders(rawHeaders),
        caller: said,
        body,
        protocol,
        signal,
      };
      answer = await askCloud(stream, request, this.#limits, this.#clock);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      await use(answer);
    } finally {
      signal.removeEventListener('abort', giveUp);
      answer?.close();
      this.#underWay -= 1;
    }
  }

  async #open(signal: AbortSignal): Promise<Stream> {
    const { openMs } = this.#limits;
    const late = new AbortController();
    const timer = this.#clock.setTimer(openMs, () => late.abort(new Error(`no stream within ${openMs} ms`)));
    try {
      return await this.#hub.openStream(STREAM_KINDS.api, AbortSignal.any([signal, late.signal]));
    } catch (cause) {
      signal.throwIfAborted();
      const why = cause instanceof TunnelError ? `${cause.message} (${cause.code})` : String(cause);
      throw noCloud(`no stream to the hub could be had: ${why}`, { cause });
    } finally {
      timer.cancel();
    }
  }

  async #passUpgrade(
    { response, upgraded }: CloudResponse,
    protocol: string,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    const { statusCode = 502, statusMessage = '', headers } = response;
    const raw = [...answerHeaders(response.rawHeaders)].flatMap(([name, values]) =>
      values.flatMap((value) => [name, value]),
    );
    const { halfOpenMs } = this.#limits;
    const never = new AbortController().signal; // the streams are tied to each other already
    if (upgraded === undefined) {
      socket.write(httpHead(statusCode, statusMessage, [...raw, 'Connection', 'close']));
      await joinStreams(response, socket, halfOpenMs, never, () => response.pipe(socket));
      return;
    }
    const { socket: cloud, head: said } = upgraded;
    const changed = ['Connection', 'Upgrade', 'Upgrade', headers.upgrade ?? protocol];
    socket.write(httpHead(statusCode, statusMessage, [...raw, ...changed]));
    await joinStreams(socket, cloud, halfOpenMs, never, () => {
      if (head.length > 0) cloud.write(head);
      if (said.length > 0) socket.write(said);
      socket.pipe(cloud);
      cloud.pipe(socket);
    });
  }
}

/** @throws StatusError 400, 403, 405, 413 */
function checkHead(head: RequestHead, bodyLimitBytes: number): void {
  const problem = headProblem(head);
  if (problem?.status === 403) throw forbiddenPath(problem.message);
  if (problem !== undefined)
    throw failure(
      problem.status,
      problem.status === 405 ? 'MethodNotAllowed' : 'BadRequest',
      problem.message,
    );
  if (Number(head.headers['content-length'] ?? 0) > bodyLimitBytes)
    throw requestEntityTooLarge(bodyLimitBytes);
}

/** What is said of the caller. @throws StatusError 403 for callers for whom a hub does not speak */
function callerOf({ user, account }: ApiCaller): string {
  if (account === undefined) {
    const text =
      `${JSON.stringify(user.username)} does not reach the API server from here: it takes a token of the service ` +
      'account of a pod of this node. What this node serves by itself is open to it as far as its rights go';
    throw forbiddenPath(text);
  }
  const { namespace, name, uid, pod } = account;
  return encodeCaller({
    username: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: user.groups,
    ...(pod && { podNamespace: namespace, podName: pod.name, podUid: pod.uid }),
  });
}

/** Resolves when the answer is over, whatever way. */
async function passAnswer(
  { response: from, close }: CloudResponse,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { statusCode = 502, statusMessage = '', rawHeaders } = from;
  // What was not read of a body would be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close');
  for (const [name, values] of answerHeaders(rawHeaders)) response.setHeader(name, values);
  response.writeHead(statusCode, statusMessage);
  // With what is there of the body already, but not later: a watch may say nothing for long.
  setImmediate(() => {
    if (!response.writableEnded) response.flushHeaders();
  });
  try {
    await pipeline(from, response, { end: false });
    response.end();
  } catch {
    // A watch may end at any time, and whoever watches goes on from where it was. Any other answer has to show that it
    // is not whole.
    if (isWatch(request)) response.end();
    else response.destroy();
  } finally {
    close();
  }
}

function isWatch({ method, url = '' }: IncomingMessage): boolean {
  if (method !== 'GET') return false;
  const watch = new URLSearchParams(url.split('?')[1] ?? '').get('watch');
  return watch === '1' || watch === 'true';
}

/** @throws StatusError 500 beyond the limit; the stream's errors */
async function wholeAnswer(response: IncomingMessage, limitBytes: number): Promise<CloudAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw plainError(`an answer of more than ${limitBytes} bytes is not taken`);
    chunks.push(chunk);
  }
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, [first = '', ...more]] of answerHeaders(response.rawHeaders))
    headers[name.toLowerCase()] = more.length === 0 ? first : [first, ...more];
  return { code: response.statusCode ?? 502, headers, body: Buffer.concat(chunks, length) };
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
