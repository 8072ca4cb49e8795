import {
  closeError,
  TunnelClient,
  TunnelError,
  type CloseReason,
  type EdgeHello,
  type Route,
  type SessionFrame,
  type Stream,
  type Tunnel,
} from '@hawser/proto';
import type { TunnelMetrics } from '@hawser/proto';
import {
  SyncError,
  UpstreamSession,
  type AcceptedCluster,
  type ClusterGuard,
  type ClusterIdentity,
  type Outbox,
  type ScopeReplica,
  type UpstreamRequests,
} from '@hawser/sync';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { ReportedError, SessionState } from '../admin/admin-types.ts';
import type { PoolHub } from '../edge-pool-types.ts';
import { EdgeCoreError } from '../errors.ts';
import type { StateStore } from '../store/state-store.ts';
import type { Following, FollowOptions } from './scope-following.ts';
import { ScopeMux } from './scope-mux.ts';
import { reportedError } from './session-record.ts';
import { dispatchStreams, type StreamHandler } from './stream-dispatch.ts';

/** What a {@link HubSession} needs. */
export interface HubSessionOptions {
  readonly node: string;
  /** Software and release: `edgecore/0.1.0`. */
  readonly software: string;
  readonly routes: readonly Route[];
  readonly heartbeatMs: number;
  /** The scope of this node. */
  readonly replica: ScopeReplica;
  readonly outbox: Outbox;
  readonly requests: UpstreamRequests;
  readonly guard: ClusterGuard;
  /** What {@link guard} goes by. */
  readonly accepted: AcceptedCluster;
  readonly state: StateStore;
  /** A hub has let the node in: its wall time in milliseconds. */
  readonly onWelcome: (hubTimeMs: number) => void;
  /** The hub may be asked, or not any more. */
  readonly onUsable: (usable: boolean) => void;
  /** An attempt failed, or a session ended. */
  readonly onDown: (error: Error) => void;
  /** What serves the streams that the hub opens, by kind. Default: nothing does. */
  readonly streams?: ReadonlyMap<string, StreamHandler>;
  readonly metrics?: TunnelMetrics;
  readonly clock: Clock;
  readonly random?: Random;
  readonly log: Logger;
}

/** What is known of the session with the hub. */
export interface HubSessionStatus {
  readonly state: SessionState;
  /** Wall time, milliseconds. */
  readonly sinceMs: number;
  readonly lastError: ReportedError | undefined;
  readonly attempts: number;
  readonly epoch: number;
  /** Why the cluster of the hub is held; undefined: it is not. */
  readonly heldBecause: string | undefined;
}

/** One session as it is served. */
interface Served {
  readonly tunnel: Tunnel;
  readonly upstream: UpstreamSession;
  readonly scopes: ScopeMux;
  /** The scope of this node; undefined: the hub is not trusted, or not yet. */
  own: Following | undefined;
}

const EPOCH_KEY = 'session-epoch';
/** Cluster and incarnation that this node last reported to: `<uid>/<incarnation>`. */
const REPORTED_TO_KEY = 'reported-to';
/** What another life of the cluster may not know: it may have been restored to before it was said. */
const STATE_KINDS = ['node', 'pod', 'pod-gone', 'device', 'device-setting'];
/** Between two comparisons that this side asks for. */
const COMPARE_AGAIN_MS = 60_000;

/**
 * Keeps the session with the hub, and puts into it what belongs there. With each welcome, in this order: the epoch is
 * kept, the hub's time is taken, the cluster guard is asked (docs/sync.md, rule 2). Only if it says `go` the scope is
 * followed and the outbox sends. Everything here can be missing for a week: nobody waits for it.
 *
 * Scopes of a pool are followed in the same session, by {@link follow}. What fails in one of them ends that one.
 */
export class HubSession implements PoolHub {
  readonly #options: HubSessionOptions;
  readonly #client: TunnelClient;
  #served: Served | undefined;
  #heldBecause: string | undefined;
  #lastError: ReportedError | undefined;
  #attempts = 0;
  #epoch = 0;
  #shown: SessionState = 'off';
  #sinceMs: number;
  #comparedMs = -Infinity;
  #heardMs = -Infinity;
  #restarting: Promise<void> | undefined;
  #started = false;

  constructor(options: HubSessionOptions) {
    const { routes, clock, log, random, metrics } = options;
    this.#options = options;
    this.#sinceMs = clock.wallMs();
    this.#client = new TunnelClient({
      routes,
      hello: () => this.#hello(),
      onTunnel: (tunnel) => this.#onTunnel(tunnel),
      onDown: (error) => this.#onDown(error),
      clock,
      log,
      ...(random !== undefined && { random }),
      ...(metrics !== undefined && { metrics }),
    });
  }

  /** The present session, held or not. */
  get tunnel(): Tunnel | undefined {
    return this.#client.tunnel;
  }

  get usable(): boolean {
    return this.#usable !== undefined;
  }

  get heardMs(): number {
    return this.#usable?.tunnel.heardMs ?? this.#heardMs;
  }

  /** That which this node has accepted: of the last session that was trusted, over restarts too. */
  get life(): ClusterIdentity | undefined {
    return this.#options.accepted.load();
  }

  /** @throws SyncError `ERR_SYNC_SESSION_ENDED` without a session; TunnelError when it ends */
  async ping(): Promise<void> {
    await this.#needed().tunnel.ping();
  }

  /**
   * Opens a stream on the bulk connection: lists of megabytes hold up no heartbeat there.
   * @throws SyncError `ERR_SYNC_SESSION_ENDED` without a session; those of {@link Tunnel.openStream}
   */
  async openStream(kind: string, signal?: AbortSignal): Promise<Stream> {
    return this.#needed().tunnel.openStream(kind, { priority: 'bulk', ...(signal && { signal }) });
  }

  follow(replica: ScopeReplica, options: FollowOptions): Following | undefined {
    return this.#usable?.scopes.follow(replica, options);
  }

  /** A snapshot. */
  status(): HubSessionStatus {
    this.#note();
    return {
      state: this.#shown,
      sinceMs: this.#sinceMs,
      lastError: this.#lastError,
      attempts: this.#attempts,
      epoch: this.#epoch,
      heldBecause: this.#heldBecause,
    };
  }

  /** Begins to connect. Idempotent. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#epoch = this.#keptEpoch();
    this.#client.start();
  }

  /** Ends the session in good order. Idempotent. */
  async stop(): Promise<void> {
    this.#started = false;
    await this.#restarting;
    await this.#client.stop();
  }

  /** Ends the session, or the wait for one, and connects at once. Resolves when the old one is down. */
  async reconnect(): Promise<void> {
    if (!this.#started) return;
    this.#restarting ??= this.#restart().finally(() => (this.#restarting = undefined));
    await this.#restarting;
  }

  /**
   * An operator accepts the cluster that is held; then the session begins anew.
   * @returns what was accepted; undefined: nothing was held
   */
  async acceptCluster(): Promise<ClusterIdentity | undefined> {
    const accepted = await this.#options.guard.accept();
    if (accepted === undefined) return undefined;
    this.#options.log.info({ ...accepted }, 'the cluster was accepted by an operator');
    await this.reconnect();
    return accepted;
  }

  /** Has the hub compare again what this edge has: something of it was lost. At most once a minute. */
  compareAgain(): void {
    const served = this.#served;
    const nowMs = this.#options.clock.monotonicMs();
    if (served?.own === undefined || nowMs - this.#comparedMs < COMPARE_AGAIN_MS) return;
    this.#comparedMs = nowMs;
    served.own.end();
    this.#followOwn(served);
  }

  async #restart(): Promise<void> {
    await this.#client.stop();
    if (this.#started) this.#client.start();
  }

  #hello(): EdgeHello {
    const { node, software, heartbeatMs, accepted } = this.#options;
    const clusterUid = accepted.load()?.clusterUid;
    return {
      node,
      software,
      heartbeatMs,
      lastEpoch: this.#epoch,
      ...(clusterUid !== undefined && { clusterUid }),
    };
  }

  #onTunnel(tunnel: Tunnel): (frame: SessionFrame) => Promise<void> {
    const served: Served = {
      tunnel,
      upstream: new UpstreamSession((frame) => tunnel.send(frame)),
      scopes: new ScopeMux({ send: (frame) => tunnel.send(frame), log: this.#options.log }),
      own: undefined,
    };
    this.#served = served;
    void tunnel.closed.then((reason) => this.#onClosed(served, reason));
    const begun = this.#begin(served);
    const { streams = new Map<string, StreamHandler>(), log } = this.#options;
    const isTrusted = (): boolean => this.#served === served && this.#heldBecause === undefined;
    void dispatchStreams(tunnel, { handlers: streams, begun, isTrusted, log });
    // What begun throws ends the session; frames wait for it.
    begun.catch((error: unknown) => this.#endBecause(served, error));
    return async (frame) => {
      await begun;
      try {
        this.#onFrame(served, frame);
      } catch (error) {
        throw asPeersFault(error);
      }
    };
  }

  async #begin(served: Served): Promise<void> {
    const { guard, log, clock, outbox, requests } = this.#options;
    const { info } = served.tunnel;
    this.#attempts = 0;
    this.#options.onWelcome(info.hubTimeMs);
    this.#keepEpoch(info.epoch);
    const verdict = await guard.judge(info);
    if (this.#served !== served) return;
    if (!verdict.go) {
      this.#heldBecause = verdict.why;
      this.#lastError = reportedError(
        new EdgeCoreError('ERR_EDGECORE_OTHER_CLUSTER', verdict.why),
        clock.wallMs(),
      );
      log.error({ code: 'ERR_EDGECORE_OTHER_CLUSTER', clusterUid: info.clusterUid }, `held: ${verdict.why}`);
      this.#note();
      return;
    }
    this.#heldBecause = undefined;
    this.#lastError = undefined;
    this.#followOwn(served);
    outbox.attach(served.upstream);
    requests.attach(served.upstream);
    if (this.#isAnotherLife(info)) outbox.reportRequested(STATE_KINDS);
    this.#note();
    this.#options.onUsable(true);
  }

  #followOwn(served: Served): void {
    const onFailed = (error: Error): void => this.#endBecause(served, error);
    served.own = served.scopes.open(this.#options.replica, { onFailed });
  }

  /** The present session, if its hub may be asked. */
  get #usable(): Served | undefined {
    return this.#served?.own === undefined ? undefined : this.#served;
  }

  #needed(): Served {
    const served = this.#usable;
    if (served === undefined)
      throw new SyncError('ERR_SYNC_SESSION_ENDED', 'there is no session with a hub that is trusted');
    return served;
  }

  #onFrame(served: Served, frame: SessionFrame): void {
    const { outbox, log } = this.#options;
    switch (frame.body) {
      case 'delta':
        served.scopes.onDelta(frame.delta);
        return;
      case 'upstreamAck':
        served.upstream.onAck(frame.upstreamAck);
        return;
      case 'reportRequest':
        if (this.#heldBecause === undefined) outbox.reportRequested(frame.reportRequest.kinds);
        return;
      case 'error': {
        if (served.scopes.onError(frame.error)) return;
        const { code, message, scope } = frame.error;
        this.#lastError = { code, message, at: new Date(this.#options.clock.wallMs()).toISOString() };
        log.warn({ code, scope }, `the hub says: ${message}`);
        return;
      }
      default:
        throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `a hub does not send ${frame.body}`);
    }
  }

  #endBecause({ tunnel }: Served, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log.warn({ err: error }, 'the session is ended');
    void tunnel.close({ code: isPeersFault(error) ? 'protocol-error' : 'internal', message });
  }

  #onClosed(served: Served, reason: CloseReason): void {
    if (served.own !== undefined) this.#heardMs = Math.max(this.#heardMs, served.tunnel.heardMs);
    const isPresent = this.#served === served;
    if (isPresent) this.#served = undefined;
    const { code, message } = closeError(reason);
    served.scopes.end(code, message);
    if (!isPresent) return;
    const { outbox, requests, onUsable } = this.#options;
    outbox.detach();
    requests.detach();
    this.#note();
    onUsable(false);
  }

  #onDown(error: Error): void {
    this.#attempts += 1;
    this.#lastError = reportedError(error, this.#options.clock.wallMs());
    this.#note();
    this.#options.onDown(error);
  }

  /** Sees whether the state is another one than before, and since when. */
  #note(): void {
    const state = this.#state();
    if (state === this.#shown) return;
    this.#shown = state;
    this.#sinceMs = this.#options.clock.wallMs();
  }

  #state(): SessionState {
    if (this.#served !== undefined) return this.#heldBecause === undefined ? 'up' : 'held';
    const { state } = this.#client;
    return state === 'stopped' ? 'off' : state === 'waiting' ? 'waiting' : 'connecting';
  }

  #keptEpoch(): number {
    const bytes = this.#options.state.get(EPOCH_KEY);
    const epoch = bytes === undefined ? 0 : Number(Buffer.from(bytes).toString());
    return Number.isSafeInteger(epoch) ? epoch : 0;
  }

  /** Whether this node has last reported to another cluster, or another life of it; what it reports to now is kept. */
  #isAnotherLife({ clusterUid, incarnation }: ClusterIdentity): boolean {
    const { state, log } = this.#options;
    const now = `${clusterUid}/${incarnation}`;
    const kept = state.get(REPORTED_TO_KEY);
    const before = kept === undefined ? now : Buffer.from(kept).toString();
    if (kept !== undefined && before === now) return false;
    // Kept too late, it is only said once more.
    state.set(REPORTED_TO_KEY, Buffer.from(now)).catch((error: unknown) => {
      log.warn({ err: error }, 'the life of the cluster that was reported to could not be kept');
    });
    return before !== now;
  }

  /** The session does not wait for it: a hub gives a higher one than the last that it knows itself, too. */
  #keepEpoch(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch);
    const { state, log } = this.#options;
    state.set(EPOCH_KEY, Buffer.from(String(this.#epoch))).catch((error: unknown) => {
      log.warn({ err: error }, 'the epoch of the session could not be kept');
    });
  }
}

/** What sync finds wrong with a frame is the hub's doing: it is told so. */
function asPeersFault(error: unknown): unknown {
  if (!isPeersFault(error)) return error;
  return new TunnelError('ERR_TUNNEL_BAD_FRAME', (error as Error).message, { cause: error });
}

function isPeersFault(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('ERR_SYNC_');
}
