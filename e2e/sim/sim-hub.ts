import type { PublisherCounters, UpstreamBodies } from '@hawser/sync';
import { MemoryScopeView } from '@hawser/sync/testing';
import type { Dice } from './dice.ts';
import { desiredOf, type Desired, type SimCluster } from './sim-cluster.ts';
import type { SimConnection } from './sim-connection.ts';
import { SimEncoder } from './sim-encoder.ts';
import { HubSession } from './sim-hub-session.ts';
import { MortalClock, type VirtualTime } from './virtual-time.ts';

/** What all hubs of a simulation share. */
export interface HubSurroundings {
  readonly time: VirtualTime;
  readonly cluster: SimCluster;
  /** Counters of what was published to a node, by whichever hub. */
  readonly counters: (node: string) => PublisherCounters;
  /** A hub has declared another life of the cluster: the others will hear of it. */
  readonly lifeDeclared: () => void;
  /** A session ended because of an error that has no place in a simulation of peers that behave. */
  readonly onError: (error: Error) => void;
  /** A status is about to be written. */
  readonly onStatus: (uid: string, seq: number) => void;
  /** Settings of an edge were decided. */
  readonly onDecided: (uid: string, what: string) => void;
  /** The status of a device is about to be written. */
  readonly onDeviceStatus: (body: UpstreamBodies['device']) => void;
  /** How many of 1 writes of statuses and events the API server refuses for the moment. */
  readonly apiFaults: () => number;
}

interface Stamp {
  readonly uid: string;
  readonly incarnation: string;
  readonly rv: number;
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
  /** Lists of everything that another life has made necessary. */
  #relists = 0;
  /** Whether it is about to declare that the life is over. */
  #declaring = false;
  /** Whether it has yet to hear of the present life of the cluster, and until when that may take. */
  #hearing = false;
  #deafUntilMs = 0;
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
      if (this.#relists > 0) return;
      const objects = new Map([...this.#cluster.objects].filter(() => this.#dice.chance(0.5)));
      this.#desired = new Map(
        [...this.#cluster.allDesired().keys()].map((node) => [node, desiredOf(objects, node)]),
      );
      this.#rv = this.#cluster.rv;
      this.#updateViews();
    });
    this.clock.setTimer(withinMs, () => {
      if (this.#relists === 0) this.#listAll();
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
    this.#deafUntilMs = 0;
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

  /** Another hub has declared a life of the cluster; the watch of that brings it, sooner or later. */
  hearOfLife(): void {
    if (this.#hearing || !this.alive) return;
    this.#hearing = true;
    // A watch of a server that is behind is only silent, until it is looked into.
    if (this.#dice.chance(0.2))
      this.#deafUntilMs = this.clock.monotonicMs() + this.#dice.between(1_000, 60_000);
    this.#hear();
  }

  /** Whether it lets an edge in: not under a life that its caches are not of. */
  get admits(): boolean {
    return this.#ready || this.#relists === 0;
  }

  /** What the hub says of itself in the welcome. */
  get welcome(): {
    readonly clusterUid: string;
    readonly incarnation: string;
    readonly follows: readonly string[];
  } {
    const { uid, incarnation, follows } = this.#cluster;
    // It speaks for the life that it knows of.
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
      connection.send('hub', { reportRequest: { kinds: ['pod', 'device'] } }).catch(() => {}); // the session is over
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
    // What the API server said a moment ago may do.
    if (rv <= this.#rv && this.#dice.chance(0.5)) return;
    await this.#surroundings.time.sleep(this.#dice.between(1, 20));
    signal.throwIfAborted();
    if (incarnation !== this.#incarnation) return;
    if (this.#cluster.rv < rv) {
      this.#declare();
      throw new Error('the API server went back');
    }
    if (rv <= this.#rv) return;
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
    this.#desired = this.#cluster.allDesired();
    this.#generation = this.#cluster.generation;
    this.#applied = this.#cluster.log.length;
    this.#rv = this.#cluster.rv;
    this.#updateViews();
  }

  #listAll(): void {
    this.#list();
    this.#ready = true;
    for (const view of this.#views.values()) view.becomeReady();
    this.#changed();
  }

  /** What it knows is told to nobody. */
  #suspend(): void {
    this.#ready = false;
    this.#relists += 1;
    for (const view of this.#views.values()) view.ceaseToBeReady();
  }

  #hear(): void {
    const untilMs = Math.max(this.#lagsUntilMs, this.#deafUntilMs) - this.clock.monotonicMs();
    // It may be healed meanwhile.
    const waitMs = Math.min(Math.max(0, untilMs), 1_000);
    this.clock.setTimer(waitMs + this.#dice.between(0.5, 15), () => {
      if (untilMs > waitMs && this.clock.monotonicMs() < Math.max(this.#lagsUntilMs, this.#deafUntilMs)) {
        this.#hear();
        return;
      }
      this.#hearing = false;
      this.#begin(this.#cluster.incarnation);
    });
  }

  /** Knows another life of the cluster from now on: all sessions end, and all is listed anew. */
  #begin(incarnation: string): void {
    if (incarnation === this.#incarnation) return;
    this.#incarnation = incarnation;
    this.#suspend();
    this.endSessions();
    const relists = this.#relists;
    this.clock.setTimer(
      this.#dice.chance(0.8) ? this.#dice.between(5, 100) : this.#dice.between(100, 10_000),
      () => {
        if (relists === this.#relists) this.#listAll();
      },
    );
  }

  #follow(): void {
    if (!this.#ready) return;
    if (this.#generation !== this.#cluster.generation) {
      // The watch broke. What is listed is older than what was there: it is told to nobody.
      if (this.#cluster.rv < this.#rv) {
        this.#suspend();
        this.#declare();
        return;
      }
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

  /** The API server went back: says so, unless another replica has; tries again where that fails. */
  #declare(): void {
    if (this.#declaring) return;
    this.#declaring = true;
    const over = this.#incarnation;
    const attempt = (afterMs: number): void => {
      this.clock.setTimer(afterMs, () => {
        if (this.#incarnation === over && this.#dice.chance(0.2)) {
          attempt(this.#dice.between(100, 5_000));
          return;
        }
        this.#declaring = false;
        if (this.#incarnation !== over) return;
        if (this.#cluster.incarnation === over) {
          this.#cluster.declareNewIncarnation();
          this.#surroundings.lifeDeclared();
        }
        this.#begin(this.#cluster.incarnation);
      });
    };
    attempt(this.#dice.between(1, 50));
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
