import { setMaxListeners } from 'node:events';
import type { ApiClient } from '@hawser/kube';
import type { PeerIdentity, Stream, Tunnel } from '@hawser/proto';
import type { Clock } from '@hawser/seams';
import { AccountTokens, type AccountTokensOptions } from './account-tokens.ts';
import { unavailable } from './refusal.ts';

/** What is asked of the session's tunnel. */
export interface AccessTunnel {
  readonly info: Pick<Tunnel['info'], 'node'>;
  readonly peer: PeerIdentity;
}

/** What an {@link AccessSession} is made of. */
export interface AccessSessionOptions extends Pick<AccountTokensOptions, 'index' | 'onAsked'> {
  readonly tunnel: AccessTunnel;
  /** Whether it is the node's present one. */
  readonly isCurrent: () => boolean;
  readonly client: ApiClient;
  readonly onStream: (stream: Stream) => void;
  readonly onEnd: () => void;
  readonly clock: Clock;
}

/** One session as far as it carries requests: its streams, and the tokens of its node's pods. */
export class AccessSession {
  readonly node: string;
  readonly peer: PeerIdentity;
  readonly tokens: AccountTokens;
  readonly #options: AccessSessionOptions;
  readonly #ending = new AbortController();
  #loudMs = -Infinity;

  constructor(options: AccessSessionOptions) {
    const { tunnel, client, index, onAsked, clock } = options;
    this.#options = options;
    this.node = tunnel.info.node;
    this.peer = tunnel.peer;
    setMaxListeners(0, this.#ending.signal); // one for each request that is under way
    this.tokens = new AccountTokens({
      ...{ node: this.node, client, index, onAsked, clock },
      signal: this.#ending.signal,
    });
  }

  /** Aborts with the end of the session. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  isCurrent(): boolean {
    return this.#options.isCurrent();
  }

  /** A stream that the edge has opened. */
  take(stream: Stream): void {
    if (this.signal.aborted) stream.reset();
    else this.#options.onStream(stream);
  }

  /** Whether a line about this node may be written: one in `quietMs`. */
  isLoud(quietMs: number): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#loudMs < quietMs) return false;
    this.#loudMs = nowMs;
    return true;
  }

  /** The session has ended, or carries nothing any more. Idempotent. */
  end(reason: Error = unavailable('session', `the session of node ${this.node} has ended`)): void {
    if (this.signal.aborted) return;
    this.#ending.abort(reason);
    this.tokens.end();
    this.#options.onEnd();
  }
}
