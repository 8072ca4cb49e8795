import type { ContentKey } from '@hawser/sync';
import { DEVICE_WEIGHTS, DeviceActions, NEW_DEVICE, type DeviceAction } from './device-actions.ts';
import { Dice } from './dice.ts';
import { POD_WEIGHTS, PodActions, type PodAction } from './pod-actions.ts';
import type { ApiObject, SimCluster } from './sim-cluster.ts';
import type { SimEdge } from './sim-edge.ts';
import type { SimHub } from './sim-hub.ts';
import type { Simulation } from './simulation.ts';

/** How likely each action is, relative to the others. */
const WEIGHTS = {
  change: 22,
  create: 10,
  remove: 8,
  deletePod: 6,
  refer: 6,
  rewrite: 3,
  massRemove: 4,
  vanish: 2,
  cut: 10,
  halfOpen: 5,
  crashEdge: 6,
  crashHub: 4,
  lagHub: 4,
  slowEncoder: 6,
  fallBehind: 3,
  forgetfulHub: 2,
  stallDisk: 4,
  fillDisk: 2,
  rotDisk: 3,
  podStatus: 16,
  staleReport: 2,
  event: 8,
  apiFaults: 4,
  requestReports: 2,
  goOffline: 4,
  comeOnline: 5,
  mislead: 2,
  leadBack: 3,
  slowNetwork: 3,
  snapshot: 4,
  restore: 5,
  upgrade: 1,
} as const;

type Action = keyof typeof WEIGHTS;

/** Objects beyond which no more are made. */
const MOST_OBJECTS = 700;

/** Text that does not pack well, for pieces of it to be data. */
const TEXT = ((dice) => Array.from({ length: 8_000 }, () => dice.next().toString(36).slice(2)).join(''))(
  new Dice(1),
);

/** What happens in a simulation: what people do to the cluster, and what goes wrong. */
export class Actions {
  readonly #simulation: Simulation;
  readonly #dice: Dice;
  readonly #cluster: SimCluster;
  /** Where pods run. */
  readonly #pods: PodActions | undefined;
  /** Where there are devices. */
  readonly #devices: DeviceActions | undefined;
  #names = 0;
  #events = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#dice = simulation.dice.fork();
    this.#cluster = simulation.cluster;
    this.#devices = simulation.withDevices ? new DeviceActions(simulation, this.#dice.fork()) : undefined;
    this.#pods = simulation.withPods ? new PodActions(simulation, this.#dice.fork()) : undefined;
  }

  /** What is there at the beginning. */
  begin(): void {
    const dice = this.#dice;
    for (const { node } of this.#simulation.edges) {
      this.#cluster.put(`nodes//${node}`, { data: this.#data(2) });
      // Now and then more than one list of what the edge has can tell.
      const objects = dice.chance(0.002) ? 300 : dice.below(6);
      for (let n = 0; n < objects; n += 1) this.#create(node);
    }
    this.#devices?.begin();
    this.#cluster.put('configmaps/default/unused', { data: this.#data(1) });
  }

  /** One random action. */
  step(): void {
    const weights = {
      ...WEIGHTS,
      ...(this.#pods !== undefined && POD_WEIGHTS),
      ...(this.#devices !== undefined && DEVICE_WEIGHTS),
    };
    const action = this.#dice.weighted<string>(weights);
    this.#simulation.log(action);
    if (action in WEIGHTS) {
      this.#do(action as Action);
      return;
    }
    const edge = this.#dice.pick(this.#simulation.edges);
    if (edge === undefined) return;
    if (action in POD_WEIGHTS) this.#pods?.do(action as PodAction, edge);
    else this.#devices?.do(action as DeviceAction, edge);
  }

  /** Ends all faults. */
  heal(): void {
    const simulation = this.#simulation;
    simulation.log('heal');
    simulation.offline.clear();
    this.#leadBack();
    this.#devices?.heal();
    simulation.apiFaults = 0;
    simulation.quality = { latencyMs: 5, bytesPerMs: Infinity };
    simulation.hubs.forEach((hub, index) => {
      hub?.heal();
      simulation.startHub(index);
    });
    for (const edge of simulation.edges) {
      edge.disk.heal();
      edge.pods?.heal();
      edge.start(simulation.release);
      // What a restored API server has lost may be nothing that a hub can see.
      if (this.#cluster.generation > 0) edge.life?.outbox.reportRequested(['pod', 'device']);
    }
    this.#accept();
    this.#watchOverAcceptance();
  }

  /** What it costs to connect again, with nothing changed, or with just what has. */
  async reconnect(): Promise<void> {
    const simulation = this.#simulation;
    const dice = this.#dice;
    // All that was begun has happened, and removals are out of the guard's mind.
    await simulation.time.run(125_000);
    await simulation.becomeQuiet('before a reconnect');
    if (simulation.failures.length > 0) return;
    for (const edge of simulation.edges) simulation.offline.add(edge);
    this.#cutAll();
    await simulation.time.run(100);
    const before = new Map(simulation.edges.map((edge) => [edge, this.#cluster.desired(edge.node)]));
    for (let n = dice.below(4); n > 0; n -= 1)
      this.#do(dice.pick(['change', 'create', 'refer', 'rewrite']) ?? 'change');
    if (dice.chance(0.5)) this.#removeOne();
    simulation.log(`reconnect`);
    // Whatever hub they come to has it all.
    await simulation.time.run(2_000);
    simulation.resetCounters();
    simulation.offline.clear();
    await simulation.becomeQuiet('after a reconnect');
    if (simulation.failures.length > 0) return;
    for (const edge of simulation.edges)
      this.#checkCost(edge, before.get(edge) ?? new Map<ContentKey, ApiObject>());
  }

  #checkCost(edge: SimEdge, before: ReadonlyMap<ContentKey, ApiObject>): void {
    const simulation = this.#simulation;
    const after = this.#cluster.desired(edge.node);
    const hashOf = (object: ApiObject | undefined): string | undefined =>
      object === undefined ? undefined : this.#cluster.content(object, 0).hash;
    const changed = [...after].filter(([key, object]) => hashOf(before.get(key)) !== hashOf(object)).length;
    const gone = [...before.values()].filter(({ key }) => !after.has(key));
    const removed = gone.length;
    const uncounted = gone.filter(({ deleting }) => deleting).length;
    const held = (removed - uncounted) * 2 > before.size - uncounted ? 1 : 0;
    const { fulls, deltas, removals, rehashes, inventories, holds } = simulation.countersOf(edge.node);
    const cost = `${changed} changed and ${removed} removed`;
    if (fulls + deltas !== changed || removals !== removed || holds !== held)
      simulation.fail(
        `${edge.node}: ${fulls + deltas} objects and ${removals} removals travelled for ${cost}`,
      );
    if (this.#sameRelease() && (rehashes > 0 || inventories > (changed + removed > 0 ? 1 : 0)))
      simulation.fail(`${edge.node}: ${inventories} inventories and ${rehashes} new hashes for ${cost}`);
  }

  /** Whether no edge has contents of another release's normal form than the hubs have. */
  #sameRelease(): boolean {
    return this.#simulation.release === 0;
  }

  #do(action: Action): void {
    const { edges, hubs, offline, misled } = this.#simulation;
    const dice = this.#dice;
    const edge = dice.pick(edges);
    const hub = dice.pick(hubs);
    if (edge === undefined) return;
    const done: Readonly<Record<Action, () => void>> = {
      change: () => this.#change(),
      create: () => this.#create(edge.node),
      remove: () => this.#removeOne(),
      deletePod: () => this.#deletePod(),
      refer: () => this.#refer(),
      rewrite: () => this.#rewrite(),
      massRemove: () => this.#massRemove(edge),
      vanish: () => this.#vanish(edge),
      cut: () => this.#cut(edge, { edge: dice.between(0, 200), hub: dice.between(0, 200) }),
      halfOpen: () =>
        this.#cut(edge, {
          edge: dice.chance(0.5) ? 10 : dice.between(1_000, 30_000),
          hub: dice.between(1_000, 30_000),
        }),
      crashEdge: () => this.#crashEdge(edge),
      crashHub: () => this.#crashHub(),
      lagHub: () => hub?.lag(dice.between(500, 40_000)),
      slowEncoder: () => this.#slow(hub),
      fallBehind: () => this.#fallBehind(edge, hub),
      forgetfulHub: () => this.#forget(hub),
      stallDisk: () =>
        edge.disk.stall(dice.chance(0.7) ? dice.between(100, 3_000) : dice.between(3_000, 20_000)),
      fillDisk: () => edge.disk.refuse(dice.between(500, 20_000)),
      rotDisk: () => {
        edge.disk.badReads = dice.chance(0.5) ? 0 : 0.5;
      },
      podStatus: () => this.#podStatus(edge),
      staleReport: () => this.#staleReport(edge),
      event: () => this.#event(edge),
      apiFaults: () => {
        this.#simulation.apiFaults = dice.chance(0.5) ? 0 : dice.between(0.1, 0.9);
      },
      requestReports: () => hub?.requestReports(),
      goOffline: () => {
        offline.add(edge);
        this.#cut(edge, { edge: 10, hub: dice.between(10, 30_000) });
      },
      comeOnline: () => offline.clear(),
      mislead: () => {
        // The first one is the one that it joins.
        if (edge.accepted === undefined) return;
        misled.add(edge);
        this.#cut(edge, { edge: 10, hub: 10 });
      },
      leadBack: () => this.#leadBack(),
      slowNetwork: () => {
        this.#simulation.quality = {
          latencyMs: dice.between(1, 400),
          bytesPerMs: dice.chance(0.5) ? dice.between(0.2, 5) : Infinity,
        };
      },
      snapshot: () => this.#cluster.canSnapshot && this.#cluster.snapshot(),
      restore: () => this.#restore(),
      upgrade: () => this.#upgrade(),
    };
    done[action]();
  }

  // ── the cluster ────────────────────────────────────────────────────────────────────────────────────────────

  #create(node: string): void {
    if (this.#cluster.objects.size > MOST_OBJECTS) return;
    this.#names += 1;
    const name = `n${this.#names}`;
    if (this.#dice.chance(0.45)) {
      this.#cluster.put(`configmaps/default/${name}`, { data: this.#data(1 + this.#dice.below(8)) });
      const pod = this.#dice.pick(this.#keys('pods/'));
      if (pod !== undefined) this.#addRef(pod, `configmaps/default/${name}`);
      return;
    }
    const refs = this.#dice.sample(this.#keys('configmaps/'), this.#dice.below(3));
    this.#cluster.put(`pods/default/${name}`, {
      ...{ node, refs, data: this.#data(2) },
      ...this.#pods?.newPod(),
    });
  }

  #addRef(pod: ContentKey, ref: ContentKey): void {
    const refs = this.#cluster.objects.get(pod)?.refs ?? [];
    this.#cluster.put(pod, { refs: [...refs.filter((one) => one !== ref), ref] });
  }

  #change(): void {
    const key = this.#dice.pick(this.#keys(''));
    if (key === undefined) return;
    const data = { ...this.#cluster.objects.get(key)?.data };
    data[`k${this.#dice.below(4)}`] = this.#text();
    this.#cluster.put(key, { data });
  }

  /** Another resourceVersion, the same content. */
  #rewrite(): void {
    const key = this.#dice.pick(this.#keys(''));
    if (key !== undefined) this.#cluster.put(key, {});
  }

  #removeOne(): void {
    const key = this.#dice.pick([...this.#keys('pods/'), ...this.#keys('configmaps/')]);
    if (key !== undefined) this.#cluster.remove(key);
  }

  /** As it is done with kubectl: marked first, gone a while later. */
  #deletePod(): void {
    for (const key of this.#dice.sample(this.#keys('pods/'), this.#dice.chance(0.2) ? 99 : 1)) {
      this.#cluster.put(key, { deleting: true });
      const uid = this.#cluster.objects.get(key)?.uid;
      // Where pods run, they are gone when their node says so.
      if (this.#pods !== undefined) continue;
      this.#simulation.time.setTimer(this.#dice.between(0, 10_000), () => {
        if (this.#cluster.objects.get(key)?.uid === uid) this.#cluster.remove(key);
      });
    }
  }

  #refer(): void {
    const pod = this.#dice.pick(this.#keys('pods/'));
    const ref = this.#dice.pick(this.#keys('configmaps/'));
    if (pod === undefined || ref === undefined) return;
    const refs = this.#cluster.objects.get(pod)?.refs ?? [];
    if (refs.includes(ref)) this.#cluster.put(pod, { refs: refs.filter((one) => one !== ref) });
    else this.#addRef(pod, ref);
  }

  /** Most of what a node has, and now and then all of it comes back. */
  #massRemove({ node }: SimEdge): void {
    const keys = [...this.#cluster.desired(node).keys()].filter((key) => !key.startsWith('nodes/'));
    const gone = this.#dice.sample(keys, Math.ceil(keys.length * this.#dice.between(0.4, 1)));
    const before = gone.map((key) => this.#cluster.objects.get(key));
    for (const key of gone) this.#cluster.remove(key);
    if (this.#dice.chance(0.5)) return;
    // Now and then just as a hub is about to confirm.
    const afterMs = this.#dice.chance(0.3)
      ? this.#dice.between(29_800, 30_200)
      : this.#dice.between(1_000, 45_000);
    this.#simulation.time.setTimer(afterMs, () => {
      for (const object of before) {
        if (object === undefined || this.#cluster.objects.has(object.key)) continue;
        const { key, node: of, refs, data, images, restartPolicy, device, model } = object;
        const pod = images === undefined || restartPolicy === undefined ? {} : { images, restartPolicy };
        this.#cluster.put(key, {
          ...{ refs, data, ...pod },
          ...(of !== undefined && { node: of }),
          ...(device !== undefined && { device: NEW_DEVICE }),
          ...(model !== undefined && { model }),
        });
      }
    });
  }

  /** All pods of a node are there anew at once, under their names, on this node or another. */
  #vanish({ node }: SimEdge): void {
    for (const key of this.#keys('pods/')) {
      const pod = this.#cluster.objects.get(key);
      const other = this.#dice.pick(this.#simulation.edges)?.node ?? node;
      if (pod?.node !== node) continue;
      this.#cluster.remove(key);
      const { refs, data, images, restartPolicy } = pod;
      const fields = images === undefined || restartPolicy === undefined ? {} : { images, restartPolicy };
      this.#cluster.put(key, { node: other, refs, data, ...fields });
    }
  }

  #restore(): void {
    if (!this.#cluster.canRestore) return;
    this.#cluster.restore();
    // Somebody says sooner or later that this is how it should be.
    this.#simulation.time.setTimer(this.#dice.between(5_000, 60_000), () => this.#accept());
  }

  /** Operators say `hawser accept-cluster`: in the cloud, or at every node. */
  #accept(): void {
    const { edges } = this.#simulation;
    if (this.#dice.chance(0.5)) {
      this.#cluster.accept();
      for (const edge of edges) if (edge.life?.guard.held !== undefined) edge.life.connection?.close('edge');
    } else {
      for (const edge of edges) {
        const held = edge.life?.guard.held;
        if (held?.clusterUid !== this.#cluster.uid) continue;
        // What a hub says that has not heard of the present life is not what operators mean.
        if (held.incarnation === this.#cluster.incarnation) void edge.life?.acceptCluster();
        else edge.life?.connection?.close('edge');
      }
    }
  }

  /** An older state may be noticed only when an edge comes with a stamp: then somebody has to look at it. */
  #watchOverAcceptance(): void {
    const { time, edges, failures } = this.#simulation;
    time.setTimer(10_000, () => {
      if (edges.some(({ life }) => life?.guard.held !== undefined)) this.#accept();
      if (failures.length === 0 && this.#cluster.generation > 0) this.#watchOverAcceptance();
    });
  }

  #keys(prefix: string): ContentKey[] {
    return [...this.#cluster.objects.keys()].filter((key) => key.startsWith(prefix));
  }

  #data(lines: number): Record<string, string> {
    return Object.fromEntries(Array.from({ length: lines }, (_, n) => [`k${n}`, this.#text()]));
  }

  #text(): string {
    const length = this.#dice.chance(0.02) ? 5_000 : 8 + this.#dice.below(60);
    const from = this.#dice.below(TEXT.length - length);
    return TEXT.slice(from, from + length);
  }

  // ── faults ─────────────────────────────────────────────────────────────────────────────────────────────────

  #cut(edge: SimEdge, noticedAfterMs: { readonly edge: number; readonly hub: number }): void {
    this.#simulation.connections.get(edge)?.cut(noticedAfterMs);
  }

  #leadBack(): void {
    const { misled } = this.#simulation;
    for (const edge of misled) this.#cut(edge, { edge: 10, hub: 10 });
    misled.clear();
  }

  #cutAll(): void {
    for (const edge of this.#simulation.edges) this.#cut(edge, { edge: 1, hub: 1 });
  }

  #crashEdge(edge: SimEdge): void {
    const { time, checker } = this.#simulation;
    edge.crash();
    checker.restarted(edge);
    time.setTimer(this.#dice.between(10, 15_000), () => edge.start(this.#simulation.release));
  }

  #crashHub(): void {
    const { time, hubs } = this.#simulation;
    const index = this.#dice.below(hubs.length);
    hubs[index]?.crash();
    time.setTimer(this.#dice.between(10, 15_000), () => this.#simulation.startHub(index));
  }

  #slow(hub: SimHub | undefined): void {
    if (hub !== undefined) hub.encoder.slow = this.#dice.chance(0.5) ? 0 : 0.5;
  }

  /** A hub falls behind; an edge that gets much from the other one, bit by bit, is cut off in the middle of it. */
  #fallBehind(edge: SimEdge, behind: SimHub | undefined): void {
    const { time, hubs } = this.#simulation;
    behind?.lag(15_000);
    for (const hub of hubs) if (hub !== undefined && hub !== behind) hub.encoder.slow = 0.5;
    for (const key of this.#cluster.desired(edge.node).keys()) {
      this.#cluster.put(key, { data: { ...this.#cluster.objects.get(key)?.data, k0: this.#text() } });
    }
    time.setTimer(this.#dice.between(5, 250), () => this.#cut(edge, { edge: 1, hub: 1 }));
  }

  #forget(hub: SimHub | undefined): void {
    if (hub?.ready !== true) return;
    this.#simulation.checker.hubForgot = true;
    hub.forget(this.#dice.between(10, 20_000));
  }

  /** The next release: hubs and edges change over one by one. */
  #upgrade(): void {
    const { time, hubs, edges } = this.#simulation;
    this.#simulation.release = 1;
    hubs.forEach((hub, index) => {
      time.setTimer(this.#dice.between(10, 30_000), () => {
        hub?.crash();
        this.#simulation.startHub(index);
      });
    });
    for (const edge of edges) {
      if (this.#dice.chance(0.4)) continue;
      time.setTimer(this.#dice.between(10, 30_000), () => this.#crashEdge(edge));
    }
  }

  // ── the edges ──────────────────────────────────────────────────────────────────────────────────────────────

  #podStatus(edge: SimEdge): void {
    if (this.#pods !== undefined) return;
    const pods = [...edge.podUids().values()];
    for (let n = this.#dice.below(4); n >= 0; n -= 1) {
      const uid = this.#dice.pick(pods);
      // What becomes of a pod while no edge process runs is seen when one does.
      if (uid !== undefined) edge.life?.podChanged(uid);
    }
  }

  /** The disk has an older status than the one that is being reported, and the power goes. */
  #staleReport(edge: SimEdge): void {
    const { time, offline } = this.#simulation;
    const dice = this.#dice;
    offline.add(edge);
    this.#cut(edge, { edge: 10, hub: 10 });
    time.setTimer(50, () => this.#podStatus(edge));
    time.setTimer(7_000, () => {
      offline.delete(edge);
      edge.disk.stall(dice.between(1_000, 3_900));
      this.#podStatus(edge);
    });
    time.setTimer(7_000 + dice.between(500, 4_000), () => this.#crashEdge(edge));
  }

  #event(edge: SimEdge): void {
    const count = this.#dice.chance(0.1) ? 20 : 1 + this.#dice.below(3);
    for (let n = 0; n < count; n += 1) {
      this.#events += 1;
      edge.life?.event(`${edge.node}-${this.#events}`);
    }
  }
}
