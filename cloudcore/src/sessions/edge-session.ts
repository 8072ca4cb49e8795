import type { CloseReason, SessionFrame, Subscribe, Tunnel } from '@hawser/proto';
import type { Logger } from '@hawser/seams';
import { SyncError, type ScopePublisher, type ScopeView } from '@hawser/sync';
import { CloudCoreError } from '../errors.ts';
import type { UpstreamIntake } from './upstream-intake.ts';

/** What an {@link EdgeSession} is made of. */
export interface EdgeSessionOptions {
  readonly tunnel: Tunnel;
  /** The view that the node may subscribe to; undefined refuses. */
  readonly viewOf: (kind: string, name: string) => ScopeView | undefined;
  /** Makes the hub's end of a scope in this session. `onFailed` is called with what ends the session. */
  readonly publish: (view: ScopeView, scopeId: number, onFailed: (error: Error) => void) => ScopePublisher;
  readonly intake: UpstreamIntake;
  /** Called with each frame that asked for what the node may not have. */
  readonly onForbidden: (what: string) => void;
  readonly log: Logger;
}

/** Scopes that a session may have at a time: the node's own, its pool's, and room for what comes. */
const MAX_SCOPES = 8;
/** What of an edge's own words goes into the log. */
const MAX_LOGGED_CHARACTERS = 512;

/** The hub's side of one session: scopes down, Upstreams up. Frames come in order; none waits for a write. */
export class EdgeSession {
  readonly #options: EdgeSessionOptions;
  readonly #publishers = new Map<number, ScopePublisher>();

  constructor(options: EdgeSessionOptions) {
    this.#options = options;
  }

  /** Takes the next frame. A rejection ends the session. */
  async onFrame(frame: SessionFrame): Promise<void> {
    switch (frame.body) {
      case 'subscribe':
        return this.#subscribe(frame.subscribe);
      case 'unsubscribe':
        this.#publishers.get(frame.unsubscribe.scope)?.close();
        this.#publishers.delete(frame.unsubscribe.scope);
        return;
      case 'deltaAck':
        return this.#publishers.get(frame.deltaAck.scope)?.onAck(frame.deltaAck.sequence);
      case 'scopeReport':
        return this.#publishers.get(frame.scopeReport.scope)?.onReport(frame.scopeReport.body);
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

  async #subscribe({ scope, kind, name, state }: Subscribe): Promise<void> {
    const { viewOf, publish, onForbidden, tunnel } = this.#options;
    if (this.#publishers.has(scope) || this.#publishers.size >= MAX_SCOPES) {
      const message = `scope ${scope} cannot be subscribed to: it is already, or there are ${MAX_SCOPES}`;
      throw new CloudCoreError('ERR_CLOUDCORE_BAD_REQUEST', message);
    }
    const view = viewOf(kind, name);
    if (view === undefined) {
      const what = `${kind.slice(0, 64)}/${name.slice(0, 253)}`;
      onForbidden(what);
      const message = `${tunnel.info.node} may not have ${what}`;
      await tunnel.send({ error: { code: 'ERR_CLOUDCORE_FORBIDDEN', message, scope } });
      return;
    }
    const publisher = publish(view, scope, (error) => void tunnel.close(reasonOf(error)));
    this.#publishers.set(scope, publisher);
    publisher.start(state);
  }

  /** The session has ended. */
  end(): void {
    this.#options.intake.end();
    for (const publisher of this.#publishers.values()) publisher.close();
    this.#publishers.clear();
  }
}

/** A publisher that failed found the edge's frames wrong, or could not go on: the edge comes back and says anew. */
function reasonOf(error: Error): CloseReason {
  const code = error instanceof SyncError && error.code !== 'ERR_SYNC_BUSY' ? 'protocol-error' : 'internal';
  return { code, message: error.message };
}
