import { TunnelError, type SessionFrame } from '@hawser/proto';
import { deferred, type Clock, type Deferred, type Logger } from '@hawser/seams';
import {
  packJson,
  SyncError,
  unpackJson,
  UpstreamSession,
  type ScopeReplica,
  type UpstreamOutcome,
} from '@hawser/sync';
import type { Following, FollowOptions, ScopeFollower } from '../hub/scope-following.ts';
import { ScopeMux } from '../hub/scope-mux.ts';
import type { PeerFrames, PeerPipe } from './peer-link.ts';
import {
  MAX_PEER_BYTES,
  PEER_KIND,
  readPeerAnswer,
  type PeerAnswer,
  type PeerMessage,
} from './peer-messages.ts';

/** What a {@link PeerSession} is made of. */
export interface PeerSessionOptions {
  readonly pipe: PeerPipe;
  /** The peer has news: it wants to be asked again at once. */
  readonly onNudge: () => void;
  /** Bytes of scopes that came. */
  readonly onBytes: (bytes: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The end of a LAN session that has dialled: says how this node is, and follows scopes of the other one. */
export class PeerSession implements ScopeFollower {
  readonly #options: PeerSessionOptions;
  readonly #upstream: UpstreamSession;
  readonly #mux: ScopeMux;
  readonly #asked = new Set<Deferred<UpstreamOutcome>>();
  #ended: string | undefined;

  constructor(options: PeerSessionOptions) {
    this.#options = options;
    const { pipe, log } = options;
    this.#upstream = new UpstreamSession((frame) => pipe.send(frame));
    this.#mux = new ScopeMux({ send: (frame) => pipe.send(frame), log });
    void options.pipe.closed.then((why) => this.#onClosed(why));
  }

  /** The node at the other end. */
  get peer(): string {
    return this.#options.pipe.peer;
  }

  /** Resolves with why it ended. */
  get closed(): Promise<string> {
    return this.#options.pipe.closed;
  }

  /** Takes the frames of the session. */
  readonly onFrame: PeerFrames = (frame) => {
    try {
      this.#onFrame(frame);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      throw new TunnelError('ERR_TUNNEL_BAD_FRAME', error.message, { cause: error });
    }
  };

  /**
   * Says how this node is.
   * @returns what the peer answers
   * @throws SyncError `ERR_SYNC_SESSION_ENDED`, `ERR_SYNC_TIMEOUT`, `ERR_SYNC_BAD_MESSAGE` (no answer of a member)
   */
  async tell(message: PeerMessage, timeoutMs: number): Promise<PeerAnswer> {
    if (this.#ended !== undefined) throw new SyncError('ERR_SYNC_SESSION_ENDED', this.#ended);
    const answer = deferred<UpstreamOutcome>();
    this.#asked.add(answer);
    const timer = this.#options.clock.setTimer(timeoutMs, () => {
      answer.reject(new SyncError('ERR_SYNC_TIMEOUT', `no answer within ${Math.round(timeoutMs)} ms`));
    });
    try {
      this.#upstream.post(PEER_KIND, packJson(message), answer.resolve).catch((cause: unknown) => {
        answer.reject(new SyncError('ERR_SYNC_SESSION_ENDED', 'could not be sent', { cause }));
      });
      const { status, message: why, body } = await answer.promise;
      const read = status === 0 ? readPeerAnswer(unpackJson(body, MAX_PEER_BYTES)) : undefined;
      if (read?.status.node !== this.peer)
        throw new SyncError(
          'ERR_SYNC_BAD_MESSAGE',
          `${this.peer} does not answer as a member: ${status} ${why}`,
        );
      return read;
    } finally {
      timer.cancel();
      this.#asked.delete(answer);
    }
  }

  follow(replica: ScopeReplica, options: FollowOptions): Following | undefined {
    return this.#mux.follow(replica, options);
  }

  /** Ends the session. Idempotent. */
  close(why: string): void {
    this.#options.pipe.close(why);
  }

  #onFrame(frame: SessionFrame): void {
    switch (frame.body) {
      case 'delta':
        this.#options.onBytes(frame.delta.body.length);
        this.#mux.onDelta(frame.delta);
        return;
      case 'upstreamAck':
        this.#upstream.onAck(frame.upstreamAck);
        return;
      case 'reportRequest':
        this.#options.onNudge();
        return;
      case 'error':
        this.#mux.onError(frame.error);
        return;
      default:
        throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `a peer does not send ${frame.body}`);
    }
  }

  #onClosed(why: string): void {
    this.#ended = why;
    const ended = new SyncError('ERR_SYNC_SESSION_ENDED', why);
    for (const answer of this.#asked) answer.reject(ended);
    this.#mux.end(ended.code, why);
  }
}
