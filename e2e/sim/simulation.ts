import { publisherCounters, type PublisherCounters, type UpstreamBodies } from '@hawser/sync';
import { Actions } from './actions.ts';
import { Checker } from './checker.ts';
import { DeviceChecker } from './device-checker.ts';
import { COUNTER } from './device-fields.ts';
import { Dice } from './dice.ts';
import { PodChecker } from './pod-checker.ts';
import { SimCluster } from './sim-cluster.ts';
import { SimConnection, type LinkQuality } from './sim-connection.ts';
import { SimDevices } from './sim-devices.ts';
import { SimDisk } from './sim-disk.ts';
import { SimEdge } from './sim-edge.ts';
import { SimHub, type HubSurroundings } from './sim-hub.ts';
import { SimPods } from './sim-pods.ts';
import { VirtualTime } from './virtual-time.ts';

/** What a simulation came to. */
export interface SimulationReport {
  readonly seed: number;
  /** What must not happen and did, in order. Empty: all is well. */
  readonly failures: readonly string[];
  /** What was done and seen, one line each. */
  readonly trace: readonly string[];
  /** Callbacks that ran, and how much virtual time passed, milliseconds. */
  readonly fired: number;
  readonly virtualMs: number;
  /** What was published, added up over all nodes. */
  readonly published: PublisherCounters;
}

/** Schedules of one simulation: each is random actions, faults among them, and quiet after them. */
export const SCHEDULES = 5;
/** One of so many simulations runs pods, too; in the others they are but counted, which costs less. */
const WITH_PODS = 4;
/** One of so many has devices; none of those has pods that run. */
const WITH_DEVICES = 8;
/** The most time that everything may take to become equal once all faults have ended, milliseconds. */
const QUIET_WITHIN_MS = 15 * 60_000;

/**
 * Hubs and edges of one cluster in one process, over virtual time, a seeded network and seeded disks; the machines of
 * `@hawser/sync` are the true ones, what is around them is a model. See docs/sync.md, "How it is tested".
 */
export class Simulation {
  readonly seed: number;
  /** Whether pods run in it. */
  readonly withPods: boolean;
  /** Whether there are devices in it. */
  readonly withDevices: boolean;
  readonly dice: Dice;
  readonly time = new VirtualTime();
  readonly cluster: SimCluster;
  /** Another cluster, whose hub edges may be led to. */
  readonly foreign: SimCluster;
  readonly hubs: (SimHub | undefined)[] = [undefined, undefined];
  readonly edges: readonly SimEdge[];
  readonly checker: Checker;
  readonly deviceChecker: DeviceChecker;
  readonly counters = new Map<string, PublisherCounters>();
  readonly trace: string[] = [];
  readonly failures: string[] = [];
  readonly connections = new Map<SimEdge, SimConnection>();
  /** Edges that reach nobody, and edges that reach a hub of another cluster. */
  readonly offline = new Set<SimEdge>();
  readonly misled = new Set<SimEdge>();
  quality: LinkQuality = { latencyMs: 5, bytesPerMs: Infinity };
  apiFaults = 0;
  /** Release of hubs and edges that start from now on. */
  release = 0;
  #foreignHub: SimHub | undefined;
  readonly #published = publisherCounters();

  constructor(seed: number) {
    this.seed = seed;
    this.withPods = seed % WITH_PODS === 0;
    this.withDevices = seed % WITH_DEVICES === 3;
    this.dice = new Dice(seed);
    const nodes = Array.from({ length: this.dice.pick([1, 1, 2, 2, 3]) ?? 1 }, (_, n) => `edge-${n + 1}`);
    this.cluster = new SimCluster(this.time, 'cluster-1', nodes);
    this.foreign = new SimCluster(this.time, 'cluster-2', nodes);
    this.checker = new Checker({
      cluster: this.cluster,
      nowMs: () => this.time.monotonicMs(),
      fail: (what) => this.fail(what),
      log: (what) => this.log(what),
    });
    this.deviceChecker = new DeviceChecker({
      // A hub that forgets takes devices away, and what was set there with them.
      wentBack: () => this.cluster.generation > 0 || this.checker.hubForgot,
      fail: (what) => this.fail(what),
      log: (what) => this.log(what),
    });
    this.cluster.onWrite = () => this.hubs.forEach((hub) => hub?.poke());
    this.edges = nodes.map((node) => this.#makeEdge(node));
  }

  /** Runs it all. */
  async run(): Promise<SimulationReport> {
    const actions = new Actions(this);
    actions.begin();
    this.hubs.forEach((_, index) => this.startHub(index));
    for (const edge of this.edges) edge.start(this.release);
    if (this.dice.chance(0.8)) await this.time.run(20_000, () => this.#isQuiet(), 100);
    for (let schedule = 0; schedule < SCHEDULES && this.failures.length === 0; schedule += 1) {
      await this.#schedule(actions);
    }
    return this.#report();
  }

  /** Random actions, quiet, and now and then a reconnect that is looked at closely. */
  async #schedule(actions: Actions): Promise<void> {
    for (let steps = 4 + this.dice.below(12); steps > 0 && this.failures.length === 0; steps -= 1) {
      actions.step();
      await this.time.run(this.#pauseMs());
    }
    actions.heal();
    await this.becomeQuiet('after the random schedule');
    if (this.failures.length === 0 && this.dice.chance(0.4)) await actions.reconnect();
  }

  fail(what: string): void {
    this.failures.push(what);
    this.log(`FAILED: ${what}`);
  }

  log(what: string): void {
    this.trace.push(`${this.time.monotonicMs().toFixed(1)} ${what}`);
  }

  startHub(index: number): void {
    if (this.hubs[index]?.alive === true) return;
    const hub = new SimHub(this.#surroundingsOf(this.cluster), this.dice.fork(), this.release);
    this.hubs[index] = hub;
    hub.start(this.dice.chance(0.3) ? this.dice.between(2_000, 20_000) : this.dice.between(20, 500));
  }

  /** Waits until everything is equal, and looks at it closely then. */
  async becomeQuiet(when: string): Promise<void> {
    if (this.failures.length > 0) return;
    const quiet = await this.time.run(
      QUIET_WITHIN_MS,
      () => this.failures.length > 0 || this.#isQuiet(),
      100,
    );
    if (this.failures.length > 0) return;
    if (!quiet) this.fail(`not quiet ${when}: ${this.#whatIsNot()}`);
    else this.#checkQuiet();
  }

  countersOf(node: string): PublisherCounters {
    let counters = this.counters.get(node);
    if (counters === undefined) this.counters.set(node, (counters = publisherCounters()));
    return counters;
  }

  /** Begins to count anew what is published. */
  resetCounters(): void {
    for (const counters of this.counters.values()) add(this.#published, counters);
    // Publishers keep the counters that they were given.
    for (const counters of this.counters.values()) Object.assign(counters, publisherCounters());
  }

  // ── what is around ─────────────────────────────────────────────────────────────────────────────────────────

  #makeEdge(node: string): SimEdge {
    const disk = new SimDisk(this.time, this.dice.fork());
    const checker = new PodChecker({
      node,
      nowMs: () => this.time.monotonicMs(),
      objects: () => disk.content.scopes.get(`node/${node}`)?.objects.values() ?? [],
      readableSinceMs: () => disk.readableSinceMs,
      fail: (what) => this.fail(what),
    });
    return new SimEdge(
      node,
      {
        time: this.time,
        disk,
        pods: this.withPods ? new SimPods(this.time, disk, this.dice.fork(), checker) : undefined,
        devices: this.withDevices
          ? new SimDevices(this.time, disk, this.dice.fork(), this.deviceChecker)
          : undefined,
        dial: () => this.#dial(node),
        onError: (error) => this.fail(`${node} ended a session: ${error.message}`),
        isWritten: (id) => this.cluster.events.has(id),
        onApplied: (edge) => this.checker.applied(edge),
      },
      this.dice.fork(),
    );
  }

  #surroundingsOf(cluster: SimCluster): HubSurroundings {
    return {
      time: this.time,
      cluster,
      counters: (node) => this.countersOf(node),
      lifeDeclared: () => {
        this.log(`the hubs noticed: ${cluster.incarnation}`);
        if (cluster.lives > 1 + cluster.generation)
          this.fail(
            `${cluster.lives} lives were declared, and the API server went back ${cluster.generation} times`,
          );
        this.hubs.forEach((hub) => hub?.hearOfLife());
      },
      onError: (error) => this.fail(`a hub ended a session: ${error.message}`),
      apiFaults: () => this.apiFaults,
      onStatus: (uid, seq) => this.#onStatus(cluster, uid, seq),
      onDecided: (uid, what) => this.deviceChecker.decided(uid, what),
      onDeviceStatus: (body) => this.#onDeviceStatus(cluster, body),
    };
  }

  #dial(node: string): ReturnType<ConstructorParameters<typeof SimEdge>[1]['dial']> {
    const edge = this.edges.find((one) => one.node === node);
    if (edge === undefined || this.offline.has(edge)) return undefined;
    const hub = this.misled.has(edge) ? this.#misleadingHub() : this.dice.pick(this.hubs);
    if (hub?.alive !== true || !hub.admits) return undefined;
    const connection = new SimConnection(this.time, this.dice.fork(), this.quality, this.checker);
    this.connections.set(edge, connection);
    this.checker.connected(connection, edge);
    hub.accept(node, connection);
    return { connection, welcome: hub.welcome };
  }

  #misleadingHub(): SimHub {
    if (this.#foreignHub === undefined) {
      this.#foreignHub = new SimHub(this.#surroundingsOf(this.foreign), this.dice.fork(), this.release);
      this.#foreignHub.start(10);
    }
    return this.#foreignHub;
  }

  #onStatus(cluster: SimCluster, uid: string, seq: number): void {
    if (cluster === this.foreign) this.fail('an edge has reported to another cluster');
    const before = cluster.statuses.get(uid)?.seq ?? 0;
    const node = cluster.podOf(uid)?.node;
    const edge = this.edges.find((one) => one.node === node);
    // A disk that stalls or refuses does not hold up reporting: see Outbox.
    if (seq < before && edge?.disk.wasUnwell === false)
      this.fail(`the status of ${uid} went back from ${before} to ${seq}`);
  }

  /** What goes up in a device goes up in the cloud. */
  #onDeviceStatus(cluster: SimCluster, body: UpstreamBodies['device']): void {
    if (cluster === this.foreign) this.fail('an edge has reported a device to another cluster');
    const before = counterOf(cluster.deviceStatuses.get(body.uid)?.body);
    const now = counterOf(body);
    if (before !== undefined && now !== undefined && now < before && cluster.generation === 0)
      this.fail(`the counter of ${body.uid} went back from ${before} to ${now}`);
  }

  #pauseMs(): number {
    if (this.dice.chance(0.08)) return this.dice.between(20_000, 70_000);
    // Things that happen close to each other find more than those that wait for each other's end.
    return this.dice.chance(0.5) ? this.dice.between(0, 100) : this.dice.between(0, 5_000);
  }

  // ── quiet ──────────────────────────────────────────────────────────────────────────────────────────────────

  #isQuiet(): boolean {
    return this.#whatIsNot() === undefined;
  }

  /** The first thing that is not as it should be once all is quiet. */
  #whatIsNot(): string | undefined {
    for (const edge of this.edges) {
      const { life, node } = edge;
      if (life?.connected !== true) return `${node} is not connected`;
      if (!life.replica.state.synced) return `${node} is not in sync: ${JSON.stringify(life.replica.state)}`;
      if (!life.outbox.drained) return `${node} has ${life.outbox.size} messages in its outbox`;
      if (!this.#hasAll(edge)) return `${node} has not what the cluster wants it to have`;
      const problem = this.#podsProblem(edge);
      if (problem !== undefined) return `${node}: ${problem}`;
      const device = this.#devicesProblem(edge);
      if (device !== undefined) return `${node}: ${device}`;
      if (!this.#hasReported(edge)) return `what ${node} reported is not what is so`;
    }
    return undefined;
  }

  #hasAll({ node, scope, disk }: SimEdge): boolean {
    const desired = this.cluster.desired(node);
    const has = disk.content.scopes.get(scope)?.objects;
    if ((has?.size ?? 0) !== desired.size) return false;
    for (const [key, object] of desired) {
      const hash = has?.get(key)?.hash;
      if (hash === this.cluster.content(object, 0).hash) continue;
      if (this.release === 0 || hash !== this.cluster.content(object, 1).hash) return false;
    }
    return true;
  }

  #hasReported(edge: SimEdge): boolean {
    for (const pod of this.cluster.desired(edge.node).values()) {
      if (pod.node === undefined || pod.device !== undefined) continue;
      if (this.cluster.statuses.get(pod.uid)?.seq !== edge.truth.get(pod.uid)) return false;
    }
    return true;
  }

  /** What is not so with the pods that run there, where they do. */
  #podsProblem({ node, pods }: SimEdge): string | undefined {
    if (pods === undefined) return undefined;
    const problem = pods.checker.problem(pods.machine, (uid) => pods.status(uid));
    if (problem !== undefined) return problem;
    const wanted = [...this.cluster.desired(node).values()].filter(
      (object) => object.node !== undefined && object.device === undefined,
    );
    const uids = new Set(wanted.map(({ uid }) => uid));
    for (const { uid } of wanted) {
      if (pods.status(uid) !== this.cluster.statuses.get(uid)?.status)
        return `the status of ${uid} in the cloud is not that of the edge`;
    }
    const left = [
      ...pods.machine.pods.all().map(({ uid }) => uid),
      ...pods.volumes,
      ...pods.statusUids(),
    ].find((uid) => !uids.has(uid));
    return left === undefined ? undefined : `something of ${left} is left`;
  }

  /** What is not so with the devices behind an edge. */
  #devicesProblem({ node, devices, life }: SimEdge): string | undefined {
    if (devices === undefined) return undefined;
    for (const { uid, key, device } of this.cluster.desired(node).values()) {
      if (device === undefined) continue;
      const [, namespace = '', name = ''] = key.split('/');
      const view = life?.devices?.twins.view(namespace, name);
      const status = this.cluster.deviceStatuses.get(uid)?.body;
      const registers = devices.registers.get(uid);
      if (view === undefined || status === undefined || registers === undefined)
        return `${key} is not served`;
      for (const { property, expected, reported } of view.twins) {
        const wanted = device.desired[property]?.value;
        const value = registers.get(property);
        if (expected?.value !== wanted || expected?.from === 'edge')
          return `${key} expects ${property}=${expected?.value}, the cloud wants ${wanted}`;
        if (wanted !== undefined && value !== wanted) return `${key} has ${property}=${value}, not ${wanted}`;
        const said = status.twins.find(({ propertyName }) => propertyName === property);
        if (reported?.value !== value || said?.reported?.value !== value)
          return `${key} has ${property}=${value}, its twin ${reported?.value}, the cloud ${said?.reported?.value}`;
        if (said?.observedDesired?.value !== wanted) return `${key} has not said that it wants ${wanted}`;
      }
      if (view.twins.length === 0 || status.state !== 'online') return `${key} is not online`;
    }
    return devices.state.size === 0 ? undefined : `the disk has ${[...devices.state.keys()].join()}`;
  }

  #checkQuiet(): void {
    this.log('quiet');
    for (const { uid, device } of this.cluster.objects.values()) {
      const problem = device === undefined ? undefined : this.deviceChecker.problem(uid, device.desired);
      if (problem !== undefined) this.fail(problem);
    }
    for (const edge of this.edges) {
      const missing = [...edge.events.keys()].filter(
        (id) => !this.cluster.events.has(id) && !edge.lostEvents.has(id),
      );
      const dropped = edge.droppedEvents + (edge.life?.outbox.counters().dropped ?? 0);
      if (missing.length > dropped)
        this.fail(`${edge.node}: ${missing.length} events are missing, ${dropped} were dropped`);
      if ((edge.life?.outbox.counters().refused ?? 0) > 0 && this.cluster.generation === 0)
        this.log(`${edge.node}: messages were refused`);
    }
  }

  #report(): SimulationReport {
    this.resetCounters();
    const published = this.#published;
    const { seed, failures, trace } = this;
    return {
      seed,
      failures,
      trace,
      fired: this.time.fired,
      virtualMs: this.time.monotonicMs(),
      published,
    };
  }
}

function counterOf(body: UpstreamBodies['device'] | undefined): number | undefined {
  const value = body?.twins.find(({ propertyName }) => propertyName === COUNTER)?.reported?.value;
  return value === undefined ? undefined : Number(value);
}

function add(sum: PublisherCounters, counters: PublisherCounters): void {
  for (const name of Object.keys(sum) as (keyof PublisherCounters)[]) sum[name] += counters[name];
}

/** Runs the simulation of this seed. */
export function simulate(seed: number): Promise<SimulationReport> {
  return new Simulation(seed).run();
}
