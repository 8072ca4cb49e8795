import { decodeFrame, encodeFrame, type OutgoingFrame, type SessionFrame } from '@hawser/proto';
import { silentLogger, type Clock } from '@hawser/seams';
import {
  contentOf,
  packJson,
  POOL_API_VERSION,
  POOL_RESOURCES,
  ScopePublisher,
  SyncError,
  unpackJson,
  type PoolMembership,
  type ReplicaStore,
  type ScopeReplica,
  type UpstreamBodies,
  type VolatileMessage,
} from '@hawser/sync';
import { ScopeMux } from '../../src/hub/scope-mux.ts';
import type { Following, FollowOptions } from '../../src/hub/scope-following.ts';
import type { ModelCloud, ModelStream } from './model-cloud.ts';
import type { ModelLine } from './model-line.ts';
import type { ProcessClock } from './process-clock.ts';

/** What a {@link ModelSession} is made of. */
export interface ModelSessionOptions {
  readonly node: string;
  readonly scope: string;
  readonly cloud: ModelCloud;
  readonly line: ModelLine;
  readonly replica: ReplicaStore;
  /** The cloud's time, and the node's. */
  readonly clock: Clock;
  readonly process: ProcessClock;
  readonly heartbeatMs: number;
}

/** One session between a node and the modelled cloud: both ends of it. */
export class ModelSession {
  readonly mux: ScopeMux;
  readonly #options: ModelSessionOptions;
  readonly #publishers = new Map<
    number,
    { readonly publisher: ScopePublisher; readonly stream: ModelStream }
  >();
  readonly #pings: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  readonly #asked = new Set<(error: Error) => void>();
  #writing: Promise<void> = Promise.resolve();
  #ended = false;
  /** When the node heard something, monotonic milliseconds; and the cloud. */
  heardMs: number;
  heardFromNodeMs: number;

  constructor(options: ModelSessionOptions) {
    this.#options = options;
    this.heardMs = options.clock.monotonicMs();
    this.heardFromNodeMs = this.heardMs;
    this.mux = new ScopeMux({ send: (frame) => this.#up(frame), log: silentLogger });
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(): void {
    this.#options.cloud.opened(this.#options.node, this);
    this.#beat();
  }

  /** Over, for both ends. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { publisher } of this.#publishers.values()) publisher.close();
    this.#options.cloud.ended(this.#options.node, this);
    this.#publishers.clear();
    const error = new SyncError('ERR_SYNC_SESSION_ENDED', 'the session has ended');
    for (const { reject } of this.#pings.splice(0)) reject(error);
    for (const reject of this.#asked) reject(error);
    this.mux.end(error.code, error.message);
  }

  // ── the node's end ─────────────────────────────────────────────────────────────────────────────────────────

  follow(replica: ScopeReplica, options: FollowOptions): Following | undefined {
    return this.#ended ? undefined : this.mux.follow(replica, options);
  }

  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pings.push({ resolve, reject });
      this.#toCloud(() => this.#toNode(() => this.#pings.shift()?.resolve()));
    });
  }

  request(kind: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { process, cloud, node } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = process.setTimer(timeoutMs, () => reject(new SyncError('ERR_SYNC_TIMEOUT', kind)));
      const settle = (settled: () => void): void => {
        timer.cancel();
        this.#asked.delete(reject);
        settled();
      };
      this.#asked.add(reject);
      this.#toCloud(() => {
        let answer: () => void;
        try {
          const given =
            kind === 'pool-claim'
              ? cloud.claim(node, unpackJson(body) as UpstreamBodies['pool-claim'])
              : cloud.direct(node);
          answer = () => resolve(packJson(given));
        } catch (cause) {
          const error = cause instanceof Error ? cause : new Error(String(cause));
          answer = () => reject(error);
        }
        this.#toNode(() => settle(answer));
      });
    });
  }

  report({ body, onAnswer }: VolatileMessage): void {
    const { cloud, node } = this.#options;
    const report = unpackJson(body()) as UpstreamBodies['pool-report'];
    this.#toCloud(() => {
      cloud.report(node, report);
      this.#toNode(() => onAnswer?.({ status: 0, message: '', retryAfterMs: 0, body: new Uint8Array(0) }));
    });
  }

  // ── the cloud's end ────────────────────────────────────────────────────────────────────────────────────────

  /** What the node is to have in its own scope. */
  tell(membership: PoolMembership): void {
    const { replica, scope } = this.#options;
    const { pool } = membership;
    const object = {
      apiVersion: POOL_API_VERSION,
      kind: 'PoolMembership',
      metadata: { name: pool },
      spec: membership,
    };
    const content = contentOf(POOL_RESOURCES.membership, object);
    this.#toNode(() => {
      const others = [...replica.entries(scope).keys()].filter((key) => key !== content.key);
      const changes = [...others.map((remove) => ({ remove })), { put: content }];
      this.#writing = this.#writing.then(() => replica.apply(scope, changes));
    });
  }

  #beat(): void {
    const { clock, heartbeatMs } = this.#options;
    clock.setTimer(heartbeatMs, () => {
      if (this.#ended) return;
      this.#toNode(() => this.#toCloud(() => {}));
      this.#beat();
    });
  }

  #toCloud(deliver: () => void): void {
    const { line, clock, process } = this.#options;
    process.run(() =>
      line.carry(() => {
        if (this.#ended) return;
        this.heardFromNodeMs = clock.monotonicMs();
        deliver();
      }),
    );
  }

  #toNode(deliver: () => void): void {
    const { line, clock, process } = this.#options;
    line.carry(() =>
      process.run(() => {
        if (this.#ended) return;
        this.heardMs = clock.monotonicMs();
        deliver();
      }),
    );
  }

  #up(frame: OutgoingFrame): Promise<void> {
    if (this.#ended) return Promise.reject(new SyncError('ERR_SYNC_SESSION_ENDED', 'the session has ended'));
    const bytes = encodeFrame(frame);
    this.#toCloud(() => this.#onFrame(decodeFrame(bytes) as SessionFrame));
    return Promise.resolve();
  }

  #down(frame: OutgoingFrame): Promise<void> {
    if (this.#ended) return Promise.reject(new SyncError('ERR_SYNC_SESSION_ENDED', 'the session has ended'));
    const bytes = encodeFrame(frame);
    this.#toNode(() => {
      const decoded = decodeFrame(bytes) as SessionFrame;
      if (decoded.body === 'delta') this.mux.onDelta(decoded.delta);
      else if (decoded.body === 'error') this.mux.onError(decoded.error);
    });
    return Promise.resolve();
  }

  #onFrame(frame: SessionFrame): void {
    switch (frame.body) {
      case 'subscribe':
        this.#subscribe(frame.subscribe);
        return;
      case 'unsubscribe':
        this.#close(frame.unsubscribe.scope);
        return;
      case 'deltaAck':
        this.#publishers.get(frame.deltaAck.scope)?.publisher.onAck(frame.deltaAck.sequence);
        return;
      case 'scopeReport':
        this.#publishers.get(frame.scopeReport.scope)?.publisher.onReport(frame.scopeReport.body);
        return;
      default:
        throw new TypeError(`a hub does not take ${frame.body}`);
    }
  }

  #subscribe(frame: (SessionFrame & { body: 'subscribe' })['subscribe']): void {
    const { cloud, node, clock } = this.#options;
    const { scope, name, epoch, direct } = frame;
    const refused = cloud.refusalOf(node, name, epoch, direct);
    if (refused !== undefined) {
      cloud.counts.refused += 1;
      void this.#down({ error: { scope, ...refused } });
      return;
    }
    cloud.counts.taken += 1;
    if (direct) cloud.counts.direct += 1;
    const publisher = new ScopePublisher({
      scopeId: scope,
      view: cloud.resources.view(name),
      encoder: cloud.encoder,
      send: (sent) => {
        if ('delta' in sent) cloud.counts.bytes += sent.delta.body?.length ?? 0;
        return this.#down(sent);
      },
      onFailed: () => this.end(),
      confirmAfterMs: 2_000,
      clock,
    });
    const stream: ModelStream = {
      ...{ node, epoch, direct, resource: name.slice(name.indexOf('/') + 1) },
      end: (code, message) => {
        this.#close(scope);
        this.#down({ error: { scope, code, message } }).catch(() => {}); // the session is over
      },
    };
    this.#publishers.set(scope, { publisher, stream });
    cloud.streams.add(stream);
    publisher.start(frame.state);
  }

  #close(scope: number): void {
    const open = this.#publishers.get(scope);
    this.#publishers.delete(scope);
    open?.publisher.close();
    if (open !== undefined) this.#options.cloud.streams.delete(open.stream);
  }
}
