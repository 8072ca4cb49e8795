import type { DemoEdge } from './demo-edge.ts';
import type { Journal } from './journal.ts';
import { newsBetween } from './news.ts';
import type { Progress } from './progress.ts';
import type { DemoState, EdgeRow, PoolLine } from './state.ts';
import type { ClusterWatch } from './watch-cluster.ts';
import { EdgesWatch } from './watch-edges.ts';

const PERIOD_MS = 1000;

/** What an {@link Observer} looks at. */
export interface ObserverSources {
  readonly edges: readonly DemoEdge[];
  readonly progress: Progress;
  readonly journal: Journal;
  /** Called after each look. */
  readonly onState: (state: DemoState) => void;
}

/** Puts together, once a second, what is the case, and says in the journal what has changed. */
export class Observer {
  readonly #sources: ObserverSources;
  readonly #edges: EdgesWatch;
  #cluster: ClusterWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #bytes = new Map<string, { up: number; down: number }>();
  #state: DemoState;

  constructor(sources: ObserverSources) {
    this.#sources = sources;
    this.#edges = new EdgesWatch(sources.edges);
    this.#state = this.#look();
  }

  /** The last look. */
  get state(): DemoState {
    return this.#state;
  }

  /** Idempotent. */
  start(): void {
    this.#edges.start();
    this.#timer ??= setInterval(() => this.#tick(), PERIOD_MS);
  }

  /** Shows this cluster from now on, until the stop. */
  follow(cluster: ClusterWatch): void {
    this.#cluster = cluster;
    cluster.start();
  }

  /** From now on less often. */
  calm(): void {
    this.#edges.calm = true;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#edges.stop();
    await this.#cluster?.stop();
  }

  #tick(): void {
    const before = this.#state;
    this.#state = this.#look();
    const { journal, onState } = this.#sources;
    for (const line of newsBetween(before, this.#state)) journal.line(`· ${line}`);
    onState({ ...this.#state, log: journal.lines });
  }

  #look(): DemoState {
    const { edges, progress, journal } = this.#sources;
    return {
      elapsedMs: performance.now(),
      steps: progress.steps,
      edges: edges.map((edge) => this.#rowOf(edge)),
      pods: this.#cluster?.pods() ?? [],
      devices: this.#cluster?.devices() ?? [],
      pool: this.#pool(),
      log: journal.lines,
      hints: progress.hints,
    };
  }

  #rowOf({ node, edge, bytes: { up, down } }: DemoEdge): EdgeRow {
    const before = this.#bytes.get(node) ?? { up, down };
    this.#bytes.set(node, { up, down });
    const { session, pool } = this.#edges.of(node) ?? {};
    const { transport, roundTripMs } = session?.current ?? {};
    const stands = pool === undefined ? undefined : pool.leader === node ? 'leader' : pool.state;
    return {
      name: node,
      ready: this.#cluster?.isReady(node),
      session: edge.runs ? (session?.state ?? 'starting') : 'stopped',
      ...(session?.lastError !== undefined && session.state !== 'up' && { why: session.lastError.code }),
      ...(transport !== undefined && { transport }),
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...{ up, down, upPerSecond: up - before.up, downPerSecond: down - before.down },
      ...(stands !== undefined && { pool: stands }),
    };
  }

  /** By the word of the member with the highest epoch: others may not have heard of it yet. */
  #pool(): PoolLine | undefined {
    const words = this.#sources.edges.flatMap(({ node }) => this.#edges.of(node)?.pool ?? []);
    const newest = words.toSorted((one, other) => other.epoch - one.epoch)[0];
    if (newest === undefined) return undefined;
    const { pool: name, leader, epoch, members } = newest;
    const live = words.filter(({ state }) => state === 'LIVE').length;
    return { name, leader, epoch, members: members.length, live };
  }
}
