import type { Frame, UpstreamAck } from '@hawser/proto';
import { ScopePublisher, SyncError, unpackJson, type PublisherCounters } from '@hawser/sync';
import { MemoryScopeView } from '@hawser/sync/testing';
import type { Dice } from './dice.ts';
import { RELEASES, desiredOf, type Desired, type SimCluster } from './sim-cluster.ts';
import type { SimConnection } from './sim-connection.ts';
import { SimEncoder } from './sim-encoder.ts';
import { MortalClock, type VirtualTime } from './virtual-time.ts';

/** What all hubs of a simulation share. */
export interface HubSurroundings {
  readonly time: VirtualTime;
  readonly cluster: SimCluster;
  /** Counters of what was published to a node, by whichever hub. */
  readonly counters: (node: string) => PublisherCounters;
  /** Ends all sessions of all hubs: the cluster has another life. */
  readonly endAllSessions: () => void;
  /** A session ended because of an error that has no place in a simulation of peers that behave. */
  readonly onError: (error: Error) => void;
  /** A status is about to be written. */
  readonly onStatus: (uid: string, seq: number) => void;
  /** How many of 1 writes of statuses and events the API server refuses for the moment. */
  readonly apiFaults: () => number;
}

interface Stamp {
  readonly uid: string;
  readonly incarnation: string;
  readonly rv: number;
}

/** What an edge sends up, for the model: the status of a pod, or an event. */
export interface SimUpstream {
  readonly uid?: string;
  readonly seq?: number;
  /** The status itself, as JSON, where pods run. */
  readonly status?: string;
  readonly id?: string;
  /** UID of a pod that was to be deleted, and of which nothing is left. */
  readonly gone?: string;
}

/** One life of a hub replica: caches that follow the API server after a while, sessions, and a writer. */
export class SimHub {
  readonly clock: MortalClock;
  readonly release: number;
  readonly encoder: SimEncoder;
  readonly #surroundings: HubSurroundings;
  readonly #dice: Dice;
  readonly #views = new Map<string, MemoryScopeView>();
  /** What its caches say that each node is to have. */
  #desired: ReadonlyMap<string, Desired> = new Map();
  readonly #sessions = new Set<HubSession>();
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];
  /** What each view shows. */
  readonly #shown = new Map<string, Desired>();
  #ready = false;
  #generation = 0;
  /** The life of the cluster that it has last heard of. */
  #incarnation: string;
  #applied = 0;
  /** Highest resourceVersion that its caches have seen. */
  #rv = 0;
  #ticking = false;
  #lagsUntilMs = 0;
  #forgetfulUntilMs = -60_000;

  constructor(surroundings: HubSurroundings, dice: Dice, release: number) {
    this.#surroundings = surroundings;
    this.#dice = dice;
    this.release = release;
    this.#incarnation = surroundings.cluster.incarnation;
    this.clock = new MortalClock(surroundings.time);
    this.encoder = new SimEncoder(surroundings.time, dice.fork(), dice.chance(0.3) ? 2_000 : 1_000_000);
  }

  get alive(): boolean {
    return !this.clock.dead;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Sessions that this hub believes to be up. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Lists everything, bit by bit; until it has, its views lack objects, and it must not say so. */
  start(withinMs: number): void {
    this.clock.setTimer(withinMs / 2, () => {
      const objects = new Map([...this.#cluster.objects].filter(() => this.#dice.chance(0.5)));
      this.#desired = new Map(
        [...this.#cluster.allDesired().keys()].map((node) => [node, desiredOf(objects, node)]),
      );
      this.#rv = this.#cluster.rv;
      this.#updateViews();
    });
    this.clock.setTimer(withinMs, () => {
      this.#list();
      this.#ready = true;
      for (const view of this.#views.values()) view.becomeReady();
      this.#changed();
    });
  }

  /** The process dies; edges notice sooner or later. */
  crash(): void {
    this.clock.die();
    for (const session of this.#sessions) {
      session.close();
      session.connection.abandon('hub', this.#dice.chance(0.5) ? 5 : this.#dice.between(5, 30_000));
    }
    this.#sessions.clear();
  }

  /** Watches deliver nothing for a while. */
  lag(forMs: number): void {
    this.#lagsUntilMs = Math.max(this.#lagsUntilMs, this.clock.monotonicMs() + forMs);
  }

  /** Watches deliver again. */
  heal(): void {
    this.#lagsUntilMs = 0;
    this.#forgetfulUntilMs = Math.min(this.#forgetfulUntilMs, this.clock.monotonicMs());
    this.encoder.slow = 0;
    this.#updateViews();
    this.poke();
  }

  /** A fault: for a while the views are empty, although the caches are synced. */
  forget(forMs: number): void {
    const nowMs = this.clock.monotonicMs();
    // It knows again well before it could confirm anything that it had said.
    if (nowMs < this.#forgetfulUntilMs + 60_000) return;
    this.#forgetfulUntilMs = nowMs + forMs;
    this.#updateViews();
    this.clock.setTimer(forMs, () => this.#updateViews());
  }

  /** The API server has something new. */
  poke(): void {
    if (this.#ticking || !this.alive) return;
    this.#ticking = true;
    const lagMs = Math.max(0, this.#lagsUntilMs - this.clock.monotonicMs());
    this.clock.setTimer(lagMs + this.#dice.between(0.5, 15), () => {
      this.#ticking = false;
      this.#follow();
    });
  }

  /** What the hub says of itself in the welcome. */
  get welcome(): {
    readonly clusterUid: string;
    readonly incarnation: string;
    readonly follows: readonly string[];
  } {
    const { uid, incarnation, follows } = this.#cluster;
    // It speaks for the life that its caches are of.
    const known = this.#incarnation;
    return { clusterUid: uid, incarnation: known, follows: known === incarnation ? [...follows] : [] };
  }

  /** An edge has connected; answers the session's epoch. */
  accept(node: string, connection: SimConnection): void {
    const epoch = (this.#cluster.leases.get(node) ?? 0) + 1;
    this.#cluster.leases.set(node, epoch);
    for (const session of this.#sessions) if (session.node === node) session.connection.close('hub');
    const session = new HubSession(this, this.#surroundings, this.#dice.fork(), node, epoch, connection);
    this.#sessions.add(session);
    connection.attach('hub', {
      onFrame: (frame) => session.onFrame(frame),
      onClosed: () => {
        session.close();
        this.#sessions.delete(session);
      },
    });
  }

  /** Asks an edge to say again what it is. */
  requestReports(): void {
    for (const { connection } of this.#sessions) {
      connection.send('hub', { reportRequest: { kinds: ['pod'] } }).catch(() => {}); // the session is over
    }
  }

  endSessions(): void {
    for (const { connection } of this.#sessions) connection.close('hub');
  }

  viewOf(node: string): MemoryScopeView {
    let view = this.#views.get(node);
    if (view === undefined) {
      view = new MemoryScopeView({
        scope: `node/${node}`,
        ready: this.#ready,
        stamp: () => this.#stamp(),
        catchUp: (signal) => this.#catchUp(signal),
      });
      this.#views.set(node, view);
      this.#updateView(node, view);
    }
    return view;
  }

  /** Rule 3 of docs/sync.md. */
  async admit(stamp: Uint8Array, signal: AbortSignal): Promise<void> {
    if (stamp.length === 0) return;
    const { uid, incarnation, rv } = JSON.parse(Buffer.from(stamp).toString('utf8')) as Stamp;
    if (uid !== this.#cluster.uid || incarnation !== this.#incarnation) return;
    if (rv <= this.#rv) return;
    await this.#surroundings.time.sleep(this.#dice.between(1, 20));
    signal.throwIfAborted();
    if (this.#cluster.rv < rv) {
      this.#wentBack();
      this.#list();
      this.#changed();
      throw new Error('the API server went back');
    }
    await this.#untilAsNewAs(this.#cluster.rv);
  }

  get #cluster(): SimCluster {
    return this.#surroundings.cluster;
  }

  #stamp(): Uint8Array {
    const stamp: Stamp = { uid: this.#cluster.uid, incarnation: this.#incarnation, rv: this.#rv };
    return Buffer.from(JSON.stringify(stamp));
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    await this.#surroundings.time.sleep(this.#dice.between(1, 20));
    signal.throwIfAborted();
    if (this.#dice.chance(0.1)) throw new Error('the API server does not answer');
    await this.#untilAsNewAs(this.#cluster.rv);
    // Caches that have caught up have forgotten nothing.
    this.#forgetfulUntilMs = Math.min(this.#forgetfulUntilMs, this.clock.monotonicMs());
    this.#updateViews();
  }

  /** Resolves once the caches have all that there is now, at this resourceVersion. */
  async #untilAsNewAs(rv: number): Promise<void> {
    const { generation, log } = this.#cluster;
    const { length } = log;
    const hasIt = (): boolean => this.#generation === generation && this.#applied >= length;
    await this.#until(() => this.#ready && (this.#generation > generation || hasIt()));
    // There may be no event of this resourceVersion.
    if (this.#generation === generation) this.#rv = Math.max(this.#rv, rv);
  }

  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ until: condition, resolve }));
  }

  #list(): void {
    // Those that it has let in were told of another life.
    if (this.#incarnation !== this.#cluster.incarnation) this.endSessions();
    this.#desired = this.#cluster.allDesired();
    this.#incarnation = this.#cluster.incarnation;
    this.#generation = this.#cluster.generation;
    this.#applied = this.#cluster.log.length;
    this.#rv = this.#cluster.rv;
    this.#updateViews();
  }

  #follow(): void {
    if (!this.#ready) return;
    if (this.#generation !== this.#cluster.generation) {
      // The watch broke, and what is listed is older than what was there.
      if (this.#cluster.rv < this.#rv) this.#wentBack();
      this.#list();
      this.#changed();
      return;
    }
    const { log } = this.#cluster;
    // Events come a few at a time.
    const until = this.#dice.chance(0.3) ? Math.min(log.length, this.#applied + 1) : log.length;
    for (; this.#applied < until; this.#applied += 1) {
      const event = log[this.#applied];
      if (event === undefined) break;
      this.#desired = event.desired;
      this.#rv = event.rv;
      this.#updateViews();
    }
    this.#changed();
    if (this.#applied < log.length) this.poke();
  }

  #wentBack(): void {
    // Another replica may have noticed first.
    if (this.#cluster.incarnation === this.#incarnation) this.#cluster.declareNewIncarnation();
    this.#incarnation = this.#cluster.incarnation;
    this.#surroundings.endAllSessions();
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      if (waiter.until()) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }

  #updateViews(): void {
    for (const [node, view] of this.#views) this.#updateView(node, view);
  }

  #updateView(node: string, view: MemoryScopeView): void {
    const forgetful = this.clock.monotonicMs() < this.#forgetfulUntilMs;
    const desired = (forgetful ? undefined : this.#desired.get(node)) ?? NOTHING;
    const shown = this.#shown.get(node) ?? NOTHING;
    if (shown === desired) return;
    this.#shown.set(node, desired);
    for (const key of shown.keys()) if (!desired.has(key)) view.remove(key);
    for (const [key, object] of desired) {
      if (shown.get(key) !== object) view.put(this.#cluster.content(object, this.release));
    }
  }
}

const NOTHING: Desired = new Map();

/** A session as a hub has it. */
class HubSession {
  readonly node: string;
  readonly connection: SimConnection;
  readonly #hub: SimHub;
  readonly #surroundings: HubSurroundings;
  readonly #dice: Dice;
  readonly #epoch: number;
  readonly #publishers = new Map<number, ScopePublisher>();
  #closed = false;

  constructor(
    hub: SimHub,
    surroundings: HubSurroundings,
    dice: Dice,
    node: string,
    epoch: number,
    connection: SimConnection,
  ) {
    this.#hub = hub;
    this.#surroundings = surroundings;
    this.#dice = dice;
    this.node = node;
    this.#epoch = epoch;
    this.connection = connection;
  }

  onFrame(frame: Frame): void {
    try {
      this.#onFrame(frame);
    } catch (error) {
      this.#surroundings.onError(error as Error);
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const publisher of this.#publishers.values()) publisher.close();
  }

  #onFrame(frame: Frame): void {
    switch (frame.body) {
      case 'subscribe':
        this.#subscribe(frame.subscribe.scope, frame.subscribe.state);
        break;
      case 'deltaAck':
        this.#publishers.get(frame.deltaAck.scope)?.onAck(frame.deltaAck.sequence);
        break;
      case 'scopeReport':
        this.#publishers.get(frame.scopeReport.scope)?.onReport(frame.scopeReport.body);
        break;
      case 'upstream':
        void this.#upstream(frame.upstream.sequence, unpackJson(frame.upstream.body) as SimUpstream);
        break;
      default:
        throw new Error(`a hub does not take ${frame.body ?? 'this'}`);
    }
  }

  #subscribe(scopeId: number, state: Uint8Array): void {
    const publisher = new ScopePublisher({
      scopeId,
      view: this.#hub.viewOf(this.node),
      encoder: this.#hub.encoder,
      send: (frame) => this.connection.send('hub', frame),
      onFailed: (error) => {
        if (error instanceof SyncError) this.#surroundings.onError(error);
        this.connection.close('hub', error);
      },
      admit: (stamp, signal) => this.#hub.admit(stamp, signal),
      normalForm: RELEASES[this.#hub.release]?.current.version ?? 1,
      counters: this.#surroundings.counters(this.node),
      clock: this.#hub.clock,
      random: this.#dice,
    });
    this.#publishers.set(scopeId, publisher);
    publisher.start(state);
  }

  /** As the writer of the hub does it: read, look whether this session still counts, write if nobody else has. */
  async #upstream(sequence: number, body: SimUpstream): Promise<void> {
    const { time, cluster } = this.#surroundings;
    const { uid = '', seq = 0, status, id, gone } = body;
    await time.sleep(this.#dice.between(1, 20));
    if (this.#dice.chance(this.#surroundings.apiFaults())) {
      const status = this.#dice.pick([409, 429, 500, 503]) ?? 503;
      this.#ack({ sequence, status, retryAfterMs: this.#dice.below(2) * this.#dice.below(3_000) });
      return;
    }
    if (id !== undefined) {
      if (this.#isFenced()) return;
      cluster.events.add(id);
      this.#ack({ sequence, status: 0 });
      return;
    }
    if (gone !== undefined) {
      if (this.#isFenced()) return;
      const pod = cluster.podOf(gone);
      if (pod?.deleting === true) cluster.remove(pod.key);
      this.#ack({ sequence, status: 0 });
      return;
    }
    const rv = cluster.statuses.get(uid)?.rv ?? 0;
    await time.sleep(this.#dice.between(0, 5));
    if (this.#isFenced()) return;
    await time.sleep(this.#dice.between(0, 5));
    if (!this.#hub.alive) return;
    if ((cluster.statuses.get(uid)?.rv ?? 0) === rv) this.#surroundings.onStatus(uid, seq);
    const outcome = cluster.writeStatus(uid, seq, rv, status);
    this.#ack({ sequence, status: { done: 0, conflict: 409, gone: 404 }[outcome] });
  }

  #isFenced(): boolean {
    const { cluster } = this.#surroundings;
    return this.#closed || !this.#hub.alive || cluster.leases.get(this.node) !== this.#epoch;
  }

  #ack(ack: Partial<UpstreamAck>): void {
    this.connection.send('hub', { upstreamAck: ack }).catch(() => {}); // the session is over: it will be said again
  }
}
