import { TunnelError, type SessionFrame, type Subscribe, type Upstream } from '@hawser/proto';
import { delay, type Clock, type Logger } from '@hawser/seams';
import {
  packJson,
  ScopePublisher,
  SyncError,
  unpackJson,
  type ChangeEncoder,
  type ScopeView,
} from '@hawser/sync';
import type { PeerPipe } from './peer-link.ts';
import {
  MAX_PEER_BYTES,
  PEER_KIND,
  readPeerMessage,
  type PeerAnswer,
  type PeerMessage,
} from './peer-messages.ts';

/** A scope as it is given to followers. */
export interface PublishedScope {
  readonly view: ScopeView;
  /** Version of the normal form of its contents. */
  readonly normalForm: number;
}

/** What a {@link PeerService} is made of. */
export interface PeerServiceOptions {
  readonly pipe: PeerPipe;
  /** A scope of the pool that this node gives now; otherwise why it does not. */
  readonly published: (
    kind: string,
    name: string,
    peer: string,
  ) => PublishedScope | { readonly code: string; readonly why: string };
  /** A member says how it is. */
  readonly answer: (message: PeerMessage, peer: string) => PeerAnswer;
  /** Bytes of scopes that go out. */
  readonly onBytes: (bytes: number) => void;
  readonly encoder: ChangeEncoder;
  /** How long removals that a follower holds back wait; the hub has confirmed them before. */
  readonly confirmAfterMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Scopes that one follower may have open: those of a pool, and some that it has just left. */
const MAX_SCOPES = 256;
/** Between two answers, where more than a few are asked for at a time. */
const SPACING_MS = 50;
const BURST = 20;

/**
 * The end of a LAN session that was dialled: takes what a member says of itself, and publishes scopes to it. Anything
 * else that it sends ends the session.
 */
export class PeerService {
  readonly peer: string;
  readonly #options: PeerServiceOptions;
  readonly #publishers = new Map<number, ScopePublisher>();
  #closed = false;
  /** Up to when answers are accounted for, monotonic milliseconds. */
  #answeredMs = -Infinity;

  /** When the peer spoke last, monotonic milliseconds. */
  heardMs: number;

  constructor(options: PeerServiceOptions) {
    this.peer = options.pipe.peer;
    this.heardMs = options.clock.monotonicMs();
    this.#options = options;
  }

  /** Scopes that the follower reads now. */
  get scopes(): number {
    return this.#publishers.size;
  }

  /** SHA-256 of the peer's certificate, lower-case hex. */
  get fingerprint(): string {
    return this.#options.pipe.fingerprint;
  }

  /** Takes a frame; the next one waits for what this one is answered. */
  readonly onFrame = async (frame: SessionFrame): Promise<void> => {
    try {
      await this.#onFrame(frame);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      throw new TunnelError('ERR_TUNNEL_BAD_FRAME', error.message, { cause: error });
    }
  };

  /** There is news for it: it is to ask at once. */
  nudge(): void {
    if (this.#closed) return;
    this.#options.pipe.send({ reportRequest: { kinds: [PEER_KIND] } }).catch(() => {}); // the session is over
  }

  /** Ends what it publishes, and says why: this node leads no longer. */
  stopPublishing(code: string, message: string): void {
    for (const [scope, publisher] of this.#publishers) {
      publisher.close();
      this.#options.pipe.send({ error: { scope, code, message } }).catch(() => {}); // the session is over
    }
    this.#publishers.clear();
  }

  /** The session has ended, or is to. Idempotent. */
  close(why?: string): void {
    this.#closed = true;
    for (const publisher of this.#publishers.values()) publisher.close();
    this.#publishers.clear();
    if (why !== undefined) this.#options.pipe.close(why);
  }

  async #onFrame(frame: SessionFrame): Promise<void> {
    if (this.#closed) return;
    this.heardMs = this.#options.clock.monotonicMs();
    switch (frame.body) {
      case 'upstream':
        return this.#onUpstream(frame.upstream);
      case 'subscribe':
        return this.#subscribe(frame.subscribe);
      case 'unsubscribe':
        this.#publishers.get(frame.unsubscribe.scope)?.close();
        this.#publishers.delete(frame.unsubscribe.scope);
        return undefined;
      case 'deltaAck':
        this.#publishers.get(frame.deltaAck.scope)?.onAck(frame.deltaAck.sequence);
        return undefined;
      case 'scopeReport':
        this.#publishers.get(frame.scopeReport.scope)?.onReport(frame.scopeReport.body);
        return undefined;
      default:
        throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `a follower does not send ${frame.body}`);
    }
  }

  async #onUpstream({ sequence, kind, body }: Upstream): Promise<void> {
    const { pipe, answer } = this.#options;
    const message = kind === PEER_KIND ? readPeerMessage(unpackJson(body, MAX_PEER_BYTES)) : undefined;
    await this.#spacing();
    if (message?.status.node !== this.peer)
      throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `${this.peer} does not speak as a member`);
    await pipe.send({ upstreamAck: { sequence, status: 0, body: packJson(answer(message, this.peer)) } });
  }

  /** A member that talks without end waits for its answers, and costs this node no more than others. */
  async #spacing(): Promise<void> {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#answeredMs = Math.max(this.#answeredMs + SPACING_MS, nowMs - BURST * SPACING_MS);
    if (this.#answeredMs > nowMs) await delay(this.#answeredMs - nowMs, { clock });
  }

  async #subscribe({ scope: scopeId, kind, name, state }: Subscribe): Promise<void> {
    const { pipe, published, encoder, clock, log, confirmAfterMs, onBytes } = this.#options;
    if (this.#publishers.has(scopeId) || this.#publishers.size >= MAX_SCOPES)
      throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `scope ${scopeId} twice, or one too many`);
    const given = published(kind, name, this.peer);
    if ('why' in given) {
      await pipe.send({ error: { scope: scopeId, code: given.code, message: given.why } });
      return;
    }
    const publisher = new ScopePublisher({
      scopeId,
      ...{ view: given.view, normalForm: given.normalForm, encoder, confirmAfterMs, clock, log },
      send: (frame) => {
        if ('delta' in frame) onBytes(frame.delta.body?.length ?? 0);
        return pipe.send(frame);
      },
      onFailed: (error) => {
        log.warn({ err: error, peer: this.peer, scope: name }, 'a follower is given up');
        this.close('a scope failed');
      },
    });
    this.#publishers.set(scopeId, publisher);
    publisher.start(state);
  }
}
