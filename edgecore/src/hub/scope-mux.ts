import { TunnelError, type Delta, type OutgoingFrame, type SessionErrorFrame } from '@hawser/proto';
import type { Logger } from '@hawser/seams';
import type { ReplicaSession, ScopeReplica } from '@hawser/sync';
import type { Following, FollowOptions, ScopeFollower } from './scope-following.ts';

/** What a {@link ScopeMux} is made of. */
export interface ScopeMuxOptions {
  /** Sends a frame of the session; rejects once it has ended. */
  readonly send: (frame: OutgoingFrame) => Promise<void>;
  readonly log: Logger;
}

/** How a scope is opened that the session stands and falls with. */
export interface OpenOptions {
  /** Called at most once, and not after {@link Following.end}: end the session because of this error. */
  readonly onFailed: (error: Error) => void;
}

interface OpenScope {
  readonly id: number;
  readonly session: ReplicaSession;
  /** Undefined: what the peer says about the scope is for whoever holds the session. */
  readonly onEnded: FollowOptions['onEnded'] | undefined;
  /** Takes what is wrong with a frame of the scope. */
  readonly fail: (error: unknown) => void;
}

/** What of a peer's own words is given on. */
const MAX_CODE_CHARACTERS = 64;
const MAX_MESSAGE_CHARACTERS = 512;

/**
 * The scopes that one session follows, at the side that subscribes: with a hub, or with a leader on the LAN. Scopes have
 * numbers that are unique in the session; frames are routed by them. One for each session:
 *
 * - {@link open} follows the scope that the session is for (the node's own): what fails in it ends the session.
 * - {@link follow} follows one more: what fails in it ends that scope alone, with `onEnded`, and it is unsubscribed
 *   from. So does a `SessionError` about it. A peer's fault in a pool's data costs the session nothing else; whoever
 *   wants to be rid of the peer ends the session itself.
 * - Whoever holds the session hands `delta` frames to {@link onDelta}, `error` frames to {@link onError}, and calls
 *   {@link end} when the session has ended: then all that is followed hears of it, once.
 *
 * A delta of a scope that was unsubscribed from may still be on its way, and is passed over; of a number that was never
 * given it is a fault of the session.
 */
export class ScopeMux implements ScopeFollower {
  readonly #options: ScopeMuxOptions;
  readonly #scopes = new Map<number, OpenScope>();
  #lastId = 0;
  #ended = false;

  constructor(options: ScopeMuxOptions) {
    this.#options = options;
  }

  /** Scopes that are followed now. */
  get size(): number {
    return this.#scopes.size;
  }

  /** Follows the scope that the session is for; undefined: the session has ended. */
  open(replica: ScopeReplica, { onFailed }: OpenOptions): Following | undefined {
    return this.#add(replica, {}, undefined, onFailed);
  }

  follow(replica: ScopeReplica, { epoch, direct, onEnded }: FollowOptions): Following | undefined {
    return this.#add(replica, { epoch, direct }, onEnded, (error) => {
      const code = codeOf(error);
      this.#options.log.warn({ scope: replica.scope, code }, `a scope is given up: ${error.message}`);
      onEnded(code, error.message);
    });
  }

  /** @throws TunnelError `ERR_TUNNEL_BAD_FRAME` for a number that was never given */
  onDelta(delta: Delta): void {
    const scope = this.#scopes.get(delta.scope);
    if (scope === undefined) {
      if (delta.scope > 0 && delta.scope <= this.#lastId) return;
      throw new TunnelError(
        'ERR_TUNNEL_BAD_FRAME',
        `changes of scope ${delta.scope}, which nobody asked for`,
      );
    }
    try {
      scope.session.onDelta(delta);
    } catch (error) {
      scope.fail(error);
      return;
    }
    // Another session has taken over its replica: nobody would acknowledge what comes here.
    if (scope.session.ended && this.#remove(scope))
      scope.onEnded?.('ERR_SYNC_SESSION_ENDED', 'the scope is followed in another session');
  }

  /** The peer complains of something. Answers whether it was about a scope that is, or was, followed here. */
  onError({ code, message, scope: id }: Pick<SessionErrorFrame, 'code' | 'message' | 'scope'>): boolean {
    const scope = this.#scopes.get(id);
    if (scope === undefined) return id > 0 && id <= this.#lastId;
    if (scope.onEnded === undefined) return false;
    this.#remove(scope);
    scope.onEnded(code.slice(0, MAX_CODE_CHARACTERS), message.slice(0, MAX_MESSAGE_CHARACTERS));
    return true;
  }

  /** The session has ended, for this reason. Idempotent. */
  end(code: string, message: string): void {
    this.#ended = true;
    const scopes = [...this.#scopes.values()];
    this.#scopes.clear();
    for (const { session } of scopes) session.end();
    for (const { onEnded } of scopes) onEnded?.(code, message);
  }

  #add(
    replica: ScopeReplica,
    asked: Partial<Pick<FollowOptions, 'epoch' | 'direct'>>,
    onEnded: OpenScope['onEnded'],
    onFailed: (error: Error) => void,
  ): Following | undefined {
    if (this.#ended) return undefined;
    this.#lastId += 1;
    const fail = (error: unknown): void => {
      if (this.#remove(scope)) onFailed(error instanceof Error ? error : new Error(String(error)));
    };
    const id = this.#lastId;
    const session = replica.open({ scopeId: id, ...asked, send: this.#options.send, onFailed: fail });
    const scope: OpenScope = { id, session, onEnded, fail };
    this.#scopes.set(id, scope);
    return { end: () => void this.#remove(scope) };
  }

  /** Ends this side of it, and tells the peer. Answers whether it was followed until now. */
  #remove({ id, session }: OpenScope): boolean {
    if (!this.#scopes.delete(id)) return false;
    session.end();
    this.#options.send({ unsubscribe: { scope: id } }).catch(() => {}); // the session's end tells itself
    return true;
  }
}

function codeOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'ERR_SYNC_BAD_MESSAGE';
}
