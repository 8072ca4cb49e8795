import type { Tunnel, Upstream } from '@hawser/proto';
import type { UpstreamHandler, UpstreamOutcome } from '../upstream/upstream-handler.ts';

/** Settings of {@link UpstreamIntake}. */
export interface UpstreamIntakeOptions {
  readonly tunnel: Tunnel;
  readonly handler: UpstreamHandler;
  /** Whether this session is still the node's present one, here. */
  readonly isCurrent: () => boolean;
  /** Whether it is so at other replicas too. Must not reject. */
  readonly confirm: (signal: AbortSignal) => Promise<boolean>;
}

/** Upstreams of one session that may be under way; an edge keeps to 32. */
const MAX_UNDER_WAY = 64;
const RETRY_AFTER_MS = 1000;
/** Kinds that put one state in the place of another. */
const OVERWRITES: ReadonlySet<string> = new Set(['node', 'pod', 'pod-gone']);
const REPLACED: UpstreamOutcome = { status: 409, message: 'a newer session of this node is there' };

/**
 * Takes the Upstreams of one session, each handled beside the others, so that a slow write holds up neither the
 * next one nor the session's other frames. Every Upstream is answered, unless the session ends before.
 */
export class UpstreamIntake {
  readonly #options: UpstreamIntakeOptions;
  readonly #ending = new AbortController();
  #underWay = 0;

  constructor(options: UpstreamIntakeOptions) {
    this.#options = options;
  }

  /** Takes one. Its answer is sent when it is decided. */
  take(upstream: Upstream): void {
    void this.#handle(upstream);
  }

  /** Nothing more is begun, nothing more is answered. */
  end(): void {
    this.#ending.abort();
  }

  async #handle({ sequence, kind, body }: Upstream): Promise<void> {
    const outcome = await this.#decide(kind, body);
    if (this.#ending.signal.aborted) return;
    const { status, message = '', retryAfterMs = 0, body: answer = new Uint8Array(0) } = outcome;
    const upstreamAck = { sequence, status, message, retryAfterMs, body: answer };
    // A session that ends now makes the edge say it again in the next one.
    await this.#options.tunnel.send({ upstreamAck }).catch(() => {});
  }

  async #decide(kind: string, body: Uint8Array): Promise<UpstreamOutcome> {
    const { tunnel, handler, isCurrent, confirm } = this.#options;
    if (this.#underWay >= MAX_UNDER_WAY) {
      return { status: 429, message: `more than ${MAX_UNDER_WAY} at once`, retryAfterMs: RETRY_AFTER_MS };
    }
    // Frames of a session that was replaced may still arrive: what it says must not overwrite what the newer says.
    if (!isCurrent()) return REPLACED;
    this.#underWay += 1;
    try {
      if (OVERWRITES.has(kind) && !(await confirm(this.#ending.signal))) return REPLACED;
      return await handler.handle(tunnel.info.node, kind, body, this.#ending.signal);
    } finally {
      this.#underWay -= 1;
    }
  }
}
