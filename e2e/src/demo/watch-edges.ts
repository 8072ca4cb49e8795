import type { EdgeStatus, PoolStatus } from '@hawser/edgecore';
import { delay } from '@hawser/seams';
import type { DemoEdge } from './demo-edge.ts';

/** What an edge has said of itself; undefined: it does not answer. */
export interface EdgeWord {
  readonly session: EdgeStatus['session'] | undefined;
  readonly pool: PoolStatus | undefined;
}

/** Between two looks at an edge: while things happen, and when nothing does. */
const LIVELY_MS = 1000;
const CALM_MS = 4000;
/** All edges together are asked at most so often. */
const LEAST_GAP_MS = 250;

/** Asks the edges, at their sockets, how they are: there is no watch for that, so it is done seldom. */
export class EdgesWatch {
  readonly #edges: readonly DemoEdge[];
  readonly #words = new Map<string, EdgeWord>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** Set where nothing is to be shown that happens within a second. */
  calm = false;

  /** @param edges may grow */
  constructor(edges: readonly DemoEdge[]) {
    this.#edges = edges;
  }

  /** The last word of an edge. */
  of(node: string): EdgeWord | undefined {
    return this.#words.get(node);
  }

  /** Idempotent. */
  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopped'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await Promise.all(this.#edges.map((edge) => this.#ask(edge)));
      const periodMs = this.calm ? CALM_MS : LIVELY_MS;
      await delay(Math.max(periodMs, this.#edges.length * LEAST_GAP_MS), { signal });
    }
  }

  async #ask(edge: DemoEdge): Promise<void> {
    if (!edge.edge.runs) {
      this.#words.set(edge.node, { session: undefined, pool: undefined });
      return;
    }
    const [session, pool] = await Promise.all([
      edge.edge.admin.status().then(
        (status) => status.session,
        () => undefined, // it is starting, or has just been killed
      ),
      edge.pool(),
    ]);
    this.#words.set(edge.node, { session, pool });
  }
}
