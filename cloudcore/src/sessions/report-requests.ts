import { Controller } from '@hawser/kube';
import { systemClock, type Clock, type Logger } from '@hawser/seams';
import type { UpstreamKind } from '@hawser/sync';
import { Counter, type Registry } from 'prom-client';
import type { ClusterView } from '../cache/cluster-view.ts';

/** Settings of {@link ReportRequests}. */
export interface ReportRequestsOptions {
  readonly view: Pick<ClusterView, 'node' | 'onNode'>;
  /** Sends a `ReportRequest` frame on the node's session; one that cannot be sent is lost, and asked for again. */
  readonly send: (node: string, kinds: readonly UpstreamKind[]) => void;
  readonly log: Logger;
  readonly registry: Registry;
  readonly clock?: Clock;
}

/** What is asked for: the node controller overwrites the node's conditions, and those of its pods. */
const KINDS: readonly UpstreamKind[] = ['node', 'pod'];
/** Requests of one session while the Node stays as it is. `False` may be what the edge itself says. */
const MOST: Readonly<Record<string, number>> = { Unknown: 6, False: 1, absent: 1 };
/** Between two requests, and before a Node counts as lost, milliseconds; doubled each time. Well above what an answer takes. */
const PAUSE_MS = 5000;

interface Session {
  /** Since when there is no Node, monotonic; from the opening on until one is seen. */
  absentSinceMs: number | undefined;
  asked: number;
  /** Monotonic; no request before. */
  notBeforeMs: number;
}

/**
 * Asks a connected edge to say again what the cloud has lost: its session is up, and yet its Node is shown as not
 * ready, since the node controller marked it while it was away. The edge does not know; it has reported before, was
 * acknowledged, and nothing has changed with it. So too for a Node that is not there for 5 s, since the session opened
 * or since somebody deleted it: an edge that is connected and let in is a node of the cluster. Who wants it out revokes
 * it.
 *
 * Level-triggered: looks at the Node when a session opens, when the Node changes, and again after each request while
 * it helped nothing, up to 6 times.
 */
export class ReportRequests {
  readonly #options: ReportRequestsOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #asked: Counter;
  readonly #queue: Controller;
  readonly #sessions = new Map<string, Session>();
  #stopListening: (() => void) | undefined;

  constructor(options: ReportRequestsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log.child({ component: 'report-requests' });
    this.#asked = new Counter({
      name: 'hawser_report_requests_total',
      help: 'Requests to edges to report again, because the cloud shows them as not ready.',
      registers: [options.registry],
    });
    this.#queue = new Controller({
      name: 'report-requests',
      reconcile: (node) => {
        this.#look(node);
        return Promise.resolve();
      },
      onError: (error, node) => this.#log.warn({ node, err: error }, 'report not asked for'),
      clock: this.#clock,
    });
  }

  /** Begins to listen. Idempotent. */
  start(): void {
    this.#stopListening ??= this.#options.view.onNode((node) => {
      if (this.#sessions.has(node)) this.#queue.enqueue(node);
    });
    this.#queue.start();
  }

  /** Asks nobody any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = () => {};
    this.#sessions.clear();
    await this.#queue.stop();
  }

  /** A session of the node is up. Answers what to call when it has ended. */
  opened(node: string): () => void {
    const openedMs = this.#clock.monotonicMs();
    const session = { absentSinceMs: openedMs, asked: 0, notBeforeMs: -Infinity };
    this.#sessions.set(node, session);
    this.#queue.enqueue(node);
    return () => {
      if (this.#sessions.get(node) === session) this.#sessions.delete(node);
    };
  }

  #look(node: string): void {
    const session = this.#sessions.get(node);
    if (session === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const ready = this.#readiness(node, session, nowMs);
    const most = MOST[ready];
    if (most === undefined) {
      session.asked = 0;
      return;
    }
    if (session.asked >= most) return;
    const { absentSinceMs = -Infinity } = session;
    const notBeforeMs = Math.max(session.notBeforeMs, absentSinceMs + PAUSE_MS);
    if (nowMs < notBeforeMs) {
      this.#queue.enqueueAfter(node, notBeforeMs - nowMs);
      return;
    }
    session.asked += 1;
    const pauseMs = PAUSE_MS * 2 ** (session.asked - 1);
    session.notBeforeMs = nowMs + pauseMs;
    this.#asked.inc();
    this.#log.info({ node, ready, asked: session.asked }, 'the cloud shows a connected node as not ready');
    this.#options.send(node, KINDS);
    this.#queue.enqueueAfter(node, pauseMs);
  }

  /** The status of Ready; `absent`: there is no Node. */
  #readiness(node: string, session: Session, nowMs: number): string {
    const facts = this.#options.view.node(node);
    if (facts === undefined) {
      session.absentSinceMs ??= nowMs;
      return 'absent';
    }
    session.absentSinceMs = undefined;
    return facts.ready ?? '';
  }
}
