import type { CloseReason, SessionFrame, Subscribe, Tunnel } from '@hawser/proto';
import type { Logger } from '@hawser/seams';
import { SyncError, type ScopePublisher, type ScopeView } from '@hawser/sync';
import { CloudCoreError } from '../errors.ts';
import type { PoolOffer, PoolRefusal, PoolRequest } from '../pools/pool-access.ts';
import type { UpstreamIntake } from './upstream-intake.ts';

/** What an {@link EdgeSession} is made of. */
export interface EdgeSessionOptions {
  readonly tunnel: Tunnel;
  /** The view that the node may subscribe to, but for those of pools; undefined refuses. */
  readonly viewOf: (kind: string, name: string) => ScopeView | undefined;
  /** Decides about a scope of a pool; what is offered is opened at once. Never rejects. Absent: there are no pools. */
  readonly poolOf?: (request: PoolRequest) => Promise<PoolOffer | PoolRefusal>;
  /** Makes the hub's end of a scope in this session. */
  readonly publish: (scope: PublishedScope) => ScopePublisher;
  readonly intake: UpstreamIntake;
  /** Called with each frame that asked for what the node may not have. */
  readonly onForbidden: (what: string) => void;
  readonly log: Logger;
}

/** A scope that a session is to have. */
export interface PublishedScope {
  readonly view: ScopeView;
  readonly scopeId: number;
  /** Of a pool. */
  readonly offer?: PoolOffer;
  /** Called once, with what ends it. */
  readonly onFailed: (error: Error) => void;
}

/** The hub's end of a scope, or the place of one that is being decided about. */
interface ScopeEnd {
  readonly publisher?: ScopePublisher;
  close(): void;
}

/** Scopes that a session may have at a time: the node's own, and one for each resource of its pool. */
const MAX_SCOPES = 64;
/** What of an edge's own words goes into the log. */
const MAX_LOGGED_CHARACTERS = 512;

/** The hub's side of one session: scopes down, Upstreams up. Frames come in order; none waits for a write. */
export class EdgeSession {
  readonly #options: EdgeSessionOptions;
  readonly #scopes = new Map<number, ScopeEnd>();
  #ended = false;

  constructor(options: EdgeSessionOptions) {
    this.#options = options;
  }

  /** Takes the next frame. A rejection ends the session. */
  async onFrame(frame: SessionFrame): Promise<void> {
    switch (frame.body) {
      case 'subscribe':
        return this.#subscribe(frame.subscribe);
      case 'unsubscribe':
        this.#close(frame.unsubscribe.scope);
        return;
      case 'deltaAck':
        return this.#scopes.get(frame.deltaAck.scope)?.publisher?.onAck(frame.deltaAck.sequence);
      case 'scopeReport':
        return this.#scopes.get(frame.scopeReport.scope)?.publisher?.onReport(frame.scopeReport.body);
      case 'upstream': {
        this.#options.intake.take(frame.upstream);
        return;
      }
      case 'error': {
        const { code, message, scope } = frame.error;
        const said = message.slice(0, MAX_LOGGED_CHARACTERS);
        this.#options.log.warn({ code: code.slice(0, 64), scope }, `the edge says: ${said}`);
        return;
      }
      default:
        // Frames that only a hub sends, and those of a later release: nothing of them is for this side.
        await this.#options.tunnel.send({
          error: { code: 'ERR_CLOUDCORE_BAD_REQUEST', message: `a hub takes no ${frame.body}`, scope: 0 },
        });
    }
  }

  async #subscribe({ scope, kind, name, state, epoch, direct }: Subscribe): Promise<void> {
    const { viewOf, poolOf, onForbidden, tunnel } = this.#options;
    if (this.#scopes.has(scope) || this.#scopes.size >= MAX_SCOPES) {
      const message = `scope ${scope} cannot be subscribed to: it is already, or there are ${MAX_SCOPES}`;
      throw new CloudCoreError('ERR_CLOUDCORE_BAD_REQUEST', message);
    }
    if (kind === 'pool' && poolOf !== undefined) {
      // The session's other frames do not wait for it.
      const place: ScopeEnd = { close: () => {} };
      this.#scopes.set(scope, place);
      void poolOf({ name, epoch, direct }).then((offer) => this.#onOffer(scope, place, offer, state));
      return;
    }
    const view = viewOf(kind, name);
    if (view === undefined) {
      const what = `${kind.slice(0, 64)}/${name.slice(0, 253)}`;
      onForbidden(what);
      await this.#refuse(scope, 'ERR_CLOUDCORE_FORBIDDEN', `${tunnel.info.node} may not have ${what}`);
      return;
    }
    this.#publish({ view, scopeId: scope, onFailed: (error) => this.#fail(error) }, state, () => {});
  }

  #onOffer(scope: number, place: ScopeEnd, offer: PoolOffer | PoolRefusal, state: Uint8Array): void {
    if (this.#ended || this.#scopes.get(scope) !== place) return;
    if ('code' in offer) {
      this.#scopes.delete(scope);
      const { code, message } = offer;
      this.#options.log.info({ code }, `a scope of a pool was refused: ${message}`);
      if (code === 'ERR_CLOUDCORE_FORBIDDEN') this.#options.onForbidden(message);
      void this.#refuse(scope, code, message);
      return;
    }
    const end = (code: string, message: string): void => {
      this.#close(scope);
      void this.#refuse(scope, code, message);
    };
    const release = offer.opened((message) => end('ERR_CLOUDCORE_FENCED', message));
    const onFailed = (error: Error): void => {
      // What is wrong with one resource of a pool does not cost the node its session.
      if (isProtocolError(error)) this.#fail(error);
      else end(error instanceof CloudCoreError ? error.code : 'ERR_CLOUDCORE_UNAVAILABLE', error.message);
    };
    try {
      this.#publish({ view: offer.view, scopeId: scope, offer, onFailed }, state, release);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #publish(scope: PublishedScope, state: Uint8Array, release: () => void): void {
    const publisher = this.#options.publish(scope);
    const close = (): void => {
      publisher.close();
      release();
    };
    this.#scopes.set(scope.scopeId, { publisher, close });
    publisher.start(state);
  }

  async #refuse(scope: number, code: string, message: string): Promise<void> {
    // A session that ends now has no need of it.
    await this.#options.tunnel.send({ error: { code, message, scope } }).catch(() => {});
  }

  #close(scope: number): void {
    const end = this.#scopes.get(scope);
    this.#scopes.delete(scope);
    end?.close();
  }

  #fail(error: Error): void {
    void this.#options.tunnel.close(reasonOf(error));
  }

  /** The session has ended. */
  end(): void {
    this.#ended = true;
    this.#options.intake.end();
    for (const scope of this.#scopes.values()) scope.close();
    this.#scopes.clear();
  }
}

/** A publisher that failed found the edge's frames wrong, or could not go on: the edge comes back and says anew. */
function reasonOf(error: Error): CloseReason {
  return { code: isProtocolError(error) ? 'protocol-error' : 'internal', message: error.message };
}

function isProtocolError(error: Error): boolean {
  return error instanceof SyncError && error.code !== 'ERR_SYNC_BUSY';
}
