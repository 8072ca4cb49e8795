import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock, Logger } from '@hawser/seams';
import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { KubeletFailure } from './kubelet-failure.ts';
import { KubeletPods } from './kubelet-pods.ts';
import { kubeletRoute, type KubeletRoute, type LogRoute } from './kubelet-route.ts';
import { readLogOptions } from './log-options.ts';
import { LogReading } from './log-reading.ts';
import { podList, runningPodList } from './pod-lists.ts';
import type { KubeletStats } from './stats/kubelet-stats.ts';
import { httpHead, proxyUpgrade, type UpgradeLimits } from './upgrade-proxy.ts';

/** What a {@link KubeletApi} needs. */
export interface KubeletApiOptions {
  /** The pods that the store has. */
  readonly pods: () => readonly Pod[];
  /** The last status of a pod, by UID. */
  readonly statusOf: (uid: string) => PodStatus | undefined;
  readonly runtime: ContainerRuntime;
  readonly stats: KubeletStats;
  readonly limits?: Partial<UpgradeLimits>;
  readonly clock: Clock;
  readonly log: Logger;
}

const LIMITS: UpgradeLimits = { answerMs: 30_000, halfOpenMs: 60_000 };
const PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
/** Source: Prometheus, exposition formats. */
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * HTTP as a kubelet's: logs, exec, attach, port-forward, pods, statistics. It checks nothing of who asks: the hub has
 * done so for what comes through the tunnel, the file system for what comes through the admin socket. Works without
 * a cloud. Source: kubelet, server.go.
 */
export class KubeletApi {
  readonly #options: KubeletApiOptions;
  readonly #pods: KubeletPods;
  readonly #limits: UpgradeLimits;
  /** One for each request whose answer may go on for ever. */
  readonly #streaming = new Set<AbortController>();
  #isStopped = false;

  constructor(options: KubeletApiOptions) {
    this.#options = options;
    this.#pods = new KubeletPods(options);
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Requests whose answers go on: logs that are followed, upgraded connections. */
  get streams(): number {
    return this.#streaming.size;
  }

  /** Whether a path is one of a kubelet's. */
  serves(path: string): boolean {
    return /^\/(containerLogs|exec|attach|portForward|pods|runningpods|stats|metrics\/resource|healthz)(\/|$)/.test(
      path,
    );
  }

  /** Ends every answer that goes on, and takes no more. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    for (const streaming of this.#streaming) streaming.abort(new Error('the edge core stops'));
  }

  /** Answers a request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume(); // none of them has a body that counts
    response.on('error', () => {}); // whoever asked has gone
    try {
      const { route, query } = this.#read(request);
      await this.#answer(route, query, response);
    } catch (error) {
      const { status, message } = this.#failure(error, request);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { 'content-type': PLAIN }).end(message);
    }
  }

  /** Answers a request to upgrade its connection. Never rejects. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {}); // whoever asked has gone
    try {
      const { route, query } = this.#read(request);
      if (route.kind !== 'exec' && route.kind !== 'attach' && route.kind !== 'port-forward') {
        throw new KubeletFailure(400, `${pathOf(request.url ?? '')} cannot be upgraded`);
      }
      await this.#streamed(socket, async (signal) => {
        const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
        const wanted = await this.#pods.forStream(route, query, isWebSocket);
        const url = await this.#options.runtime.streamUrl(wanted, signal);
        await proxyUpgrade({ request, socket, head }, url, this.#limits, signal);
      });
    } catch (error) {
      const { status, message } = this.#failure(error, request);
      const body = Buffer.from(message);
      const headers = ['Content-Type', PLAIN, 'Content-Length', String(body.length), 'Connection', 'close'];
      socket.write(httpHead(status, REASONS[status] ?? 'Error', headers));
      socket.end(body);
      socket.resume(); // its end is behind what it still sends
    }
  }

  #read(request: IncomingMessage): { route: KubeletRoute; query: URLSearchParams } {
    const { url = '/' } = request;
    const path = pathOf(url);
    const route = kubeletRoute(request.method ?? '', path);
    if (route === undefined) throw new KubeletFailure(404, '404 page not found');
    if (this.#isStopped) throw new KubeletFailure(503, 'the edge core stops');
    return { route, query: new URLSearchParams(url.slice(path.length + 1)) };
  }

  async #answer(route: KubeletRoute, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { runtime, stats, pods, statusOf } = this.#options;
    switch (route.kind) {
      case 'healthz':
        send(response, PLAIN, 'ok');
        return;
      case 'pods':
        send(response, JSON_TYPE, JSON.stringify(podList(pods(), statusOf)));
        return;
      case 'running-pods':
        send(response, JSON_TYPE, JSON.stringify(runningPodList(await runtime.list())));
        return;
      case 'stats-summary': {
        const onlyCpuAndMemory = query.get('only_cpu_and_memory') === 'true';
        send(response, JSON_TYPE, JSON.stringify(await stats.summary(onlyCpuAndMemory)));
        return;
      }
      case 'resource-metrics':
        send(response, PROMETHEUS, await stats.resourceMetrics());
        return;
      case 'container-logs':
        await this.#logs(route, query, response);
        return;
      case 'exec':
      case 'attach':
      case 'port-forward':
        throw new KubeletFailure(400, 'Upgrade request required');
    }
  }

  async #logs(route: LogRoute, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { runtime, clock } = this.#options;
    const options = readLogOptions(query, clock.wallMs());
    const wanted = await this.#pods.forLogs(route, options.previous);
    await this.#streamed(response, async (signal) => {
      const log = await LogReading.open({ ...wanted, query: options.query, runtime, signal, clock });
      try {
        // Whoever follows a log that says nothing yet learns that it is there.
        response.writeHead(200, { 'content-type': PLAIN }).flushHeaders();
        await pipeline(Readable.from(log.chunks, { objectMode: false }), response, { signal });
      } finally {
        await log.close();
      }
    });
  }

  /** Runs what may go on for ever; `signal` is aborted when this stops, or when whoever asked has gone. */
  async #streamed(
    client: ServerResponse | Duplex,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const streaming = new AbortController();
    const onClose = (): void => streaming.abort(new Error('the client has gone'));
    this.#streaming.add(streaming);
    client.on('close', onClose);
    try {
      await work(streaming.signal);
    } catch (error) {
      // Nobody is there any more to be told; what was sent is cut where it is.
      if (!streaming.signal.aborted) throw error;
      client.destroy();
    } finally {
      client.off('close', onClose);
      this.#streaming.delete(streaming);
    }
  }

  #failure(error: unknown, { method, url = '' }: IncomingMessage): KubeletFailure {
    if (error instanceof KubeletFailure) return error;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof RuntimeError && error.notFound) return new KubeletFailure(404, message);
    // Without its query: there is the command of an exec in it, which may be secret.
    this.#options.log.warn({ err: error, method, path: pathOf(url) }, 'a request to the kubelet API failed');
    return new KubeletFailure(500, message);
  }
}

function pathOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? url : url.slice(0, at);
}

/** Source: RFC 9110, section 15. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'content-type': type }).end(text);
}
