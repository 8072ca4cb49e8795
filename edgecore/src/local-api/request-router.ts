import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  expired,
  forbiddenPath,
  serviceUnavailable,
  StatusError,
  tooManyRequests,
  type DelegatedRequest,
  type RequestDelegate,
  type Responder,
} from '@hawser/kube';
import { poolResourceName } from '@hawser/sync';
import { isNodeVersion } from '../local-store/own-versions.ts';
import type { PoolReader } from '../pool/pool-types.ts';
import type { Callers } from './callers.ts';
import type { ApiCaller, CloudAccess } from './cloud-access-types.ts';
import type { DiscoveryAnswers } from './discovery-answers.ts';
import type { AnswerSource } from './local-api-metrics.ts';
import type { PodsOfNode } from './pods-of-node.ts';
import type { RequestPlace } from './request-place.ts';

/** What a {@link RequestRouter} needs. */
export interface RequestRouterOptions {
  readonly node: string;
  readonly pool: Pick<PoolReader, 'resources' | 'view'>;
  readonly place: Pick<RequestPlace, 'isHere'>;
  readonly discovery: DiscoveryAnswers;
  readonly cloud: CloudAccess;
  readonly callers: Callers;
  readonly pods: Pick<PodsOfNode, 'runAs'>;
}

/** Asks who one is: this server is as good as any. */
const SELF_REVIEW = 'selfsubjectreviews.authentication.k8s.io';
/** Questions that are answered here where nobody else can be asked. */
const REVIEWS: ReadonlySet<string> = new Set([
  'tokenreviews.authentication.k8s.io',
  ...['selfsubjectaccessreviews', 'subjectaccessreviews', 'localsubjectaccessreviews'].map(inAuthorization),
  inAuthorization('selfsubjectrulesreviews'),
]);
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
/** Of a watch: clients that go on by themselves wait so long. */
const AGAIN_SECONDS = 1;
const HEALTH = /^\/(healthz|livez|readyz)(\/|$)/;

/**
 * Which requests the local API answers itself, and which go to the API server: what is here is answered here; reviews and
 * what the API server says of itself while it cannot be reached; everything else goes through the tunnel as the caller.
 */
export class RequestRouter implements RequestDelegate {
  readonly #options: RequestRouterOptions;
  readonly #sources = new WeakMap<IncomingMessage, AnswerSource>();
  #watches = 0;

  constructor(options: RequestRouterOptions) {
    this.#options = options;
  }

  /** Watches that the API server answers. */
  get watches(): number {
    return this.#watches;
  }

  /** Where the answer to a request came from. */
  sourceOf(request: IncomingMessage): AnswerSource {
    return this.#sources.get(request) ?? 'none';
  }

  /** @throws StatusError */
  async take(asked: DelegatedRequest, respond: Responder): Promise<boolean> {
    const { request } = asked;
    const { discovery } = this.#options;
    if (!asked.info.isResource && discovery.serves(asked)) {
      const source = await discovery.answer(asked, respond, this.#spokenFor(asked));
      this.#sources.set(request, source ?? 'local');
      return source !== undefined;
    }
    if (await this.#isOwn(asked)) {
      this.#sources.set(request, 'local');
      return false;
    }
    await this.#mayGo(asked);
    this.#sources.set(request, 'cloud');
    await this.#forward(asked, respond);
    return true;
  }

  /** @throws StatusError */
  async takeUpgrade(asked: DelegatedRequest, socket: Duplex, head: Buffer): Promise<boolean> {
    await this.#mayGo(asked);
    const stop = (): void => void socket.destroy();
    asked.signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#options.cloud.upgrade(asked.request, socket, head, this.#options.callers.of(asked.self));
    } finally {
      asked.signal.removeEventListener('abort', stop);
    }
    return true;
  }

  /** Whether the server itself answers. */
  async #isOwn(asked: DelegatedRequest): Promise<boolean> {
    const { info, query } = asked;
    if (!info.isResource) return HEALTH.test(info.path);
    const { cloud, place } = this.#options;
    if (info.verb === 'create' && info.subresource === '') {
      const name = poolResourceName(info);
      if (name === SELF_REVIEW) return true;
      if (REVIEWS.has(name)) return !cloud.available || this.#spokenFor(asked) === undefined;
    }
    return await place.isHere(info, query);
  }

  /** The caller as whom it would be made at the API server; undefined: nobody speaks for him there. */
  #spokenFor({ self, user }: DelegatedRequest): ApiCaller | undefined {
    const caller = this.#options.callers.of(self);
    return user === self && this.#options.pods.runAs(caller) ? caller : undefined;
  }

  /** @throws StatusError why it does not go to the API server */
  async #mayGo(asked: DelegatedRequest): Promise<void> {
    const { cloud, node, pool } = this.#options;
    // What began here with the node's own objects does not go on there.
    if (isNodeVersion(asked.query.get('resourceVersion') ?? '')) {
      throw expired('The provided resource version is one of this node, and not known to the API server.');
    }
    if (cloud.available && this.#spokenFor(asked) !== undefined) return;
    // Who may not do it is told so, as the API server would.
    await asked.authorize();
    if (!cloud.available) throw this.#noCloud(asked);
    const { info } = asked;
    const what = poolResourceName(info);
    const isAwaited = info.subresource === '' && READS.has(info.verb) && pool.resources().has(what);
    if (isAwaited && pool.view(what)?.ready !== true)
      throw notNow(asked, `${what} have not been received by node ${node} yet`);
    throw asked.user === asked.self
      ? forbiddenPath(
          `node ${node} passes requests of the service accounts of its pods on to the API server, and none of ${JSON.stringify(asked.self.username)}`,
        )
      : forbiddenPath(
          `node ${node} does not pass requests on to the API server in the name of somebody else`,
        );
  }

  async #forward(asked: DelegatedRequest, { raw }: Responder): Promise<void> {
    const { cloud, callers } = this.#options;
    const isWatch = asked.info.verb === 'watch';
    // The client's leaving is seen by the access itself; our stopping ends the client's connection.
    const stop = (): void => void raw.destroy();
    asked.signal.addEventListener('abort', stop, { once: true });
    if (isWatch) this.#watches += 1;
    try {
      await cloud.forward(asked.request, raw, callers.of(asked.self));
    } catch (error) {
      throw isWatch && healsByItself(error) ? notNow(asked, error.message) : error;
    } finally {
      asked.signal.removeEventListener('abort', stop);
      if (isWatch) this.#watches -= 1;
    }
  }

  /** Says what is to be had. */
  #noCloud(asked: DelegatedRequest): StatusError {
    const { node, pool } = this.#options;
    const ready = [...pool.resources().keys()].filter((name) => pool.view(name)?.ready === true);
    const shared = ready.length === 0 ? '' : ` ${ready.toSorted().join(', ')};`;
    return notNow(
      asked,
      `the API server cannot be reached from node ${node}. Without it there are here: get, list and watch of${shared} ` +
        `the node's own pods (spec.nodeName=${node}); single objects that its pods use`,
    );
  }
}

/**
 * What heals by itself: 503, and 429 for a watch. client-go's reflector goes on from where it was after 429, and lists
 * everything anew after 503, over the narrow way and for all at once (tools/cache/reflector.go, isWatchErrorRetriable).
 */
function notNow({ info }: DelegatedRequest, message: string): StatusError {
  return info.verb === 'watch' ? tooManyRequests(message, AGAIN_SECONDS) : serviceUnavailable(message);
}

function healsByItself(error: unknown): error is StatusError {
  if (!(error instanceof StatusError)) return false;
  const { code, details } = error.status;
  return code === 503 && details?.retryAfterSeconds !== undefined;
}

function inAuthorization(resource: string): string {
  return `${resource}.authorization.k8s.io`;
}
