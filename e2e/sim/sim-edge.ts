import { Backoff } from '@hawser/seams';
import type { Frame } from '@hawser/proto';
import {
  ClusterGuard,
  NORMAL_FORMS,
  Outbox,
  packJson,
  ScopeReplica,
  SyncError,
  UpstreamSession,
  type ClusterClaim,
  type ClusterIdentity,
  type ContentKey,
  type ReplicaSession,
} from '@hawser/sync';
import type { MemoryOutboxStore, MemoryReplicaStore } from '@hawser/sync/testing';
import type { PodManager } from '@hawser/edgecore/testing/pods';
import type { Dice } from './dice.ts';
import { RELEASES } from './sim-cluster.ts';
import type { SimConnection, SimEnd } from './sim-connection.ts';
import type { DeviceLife, SimDevices } from './sim-devices.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimUpstream } from './sim-hub-session.ts';
import type { SimPods } from './sim-pods.ts';
import { MortalClock, type VirtualTime } from './virtual-time.ts';

/** What an edge of a simulation finds around it. */
export interface EdgeSurroundings {
  readonly time: VirtualTime;
  readonly disk: SimDisk;
  /** What runs its pods; undefined: they are but counted. */
  readonly pods: SimPods | undefined;
  /** Its devices; undefined: there are none. */
  readonly devices: SimDevices | undefined;
  /** Connects to some hub; undefined: none answers. */
  readonly dial: (
    node: string,
  ) => { readonly connection: SimConnection; readonly welcome: ClusterClaim } | undefined;
  readonly onError: (error: Error) => void;
  /** Whether the cluster has this event. */
  readonly isWritten: (id: string) => boolean;
  /** What has become durable. */
  readonly onApplied: (edge: SimEdge, keys: readonly ContentKey[]) => void;
}

/** Wait before the next dial, milliseconds: as the tunnel's client. */
const REDIAL_MS = { base: 1_000, cap: 5_000 } as const;
const SCOPE_ID = 1;
/** After so long an entry of the outbox is on the disk: its 5 s, the time that the write takes, and some more. */
const PERSISTED_AFTER_MS = 5_500;

/** An edge node: its disk and what runs on it outlive the lives of its edge process. */
export class SimEdge {
  readonly node: string;
  readonly scope: string;
  readonly disk: SimDisk;
  readonly pods: SimPods | undefined;
  readonly devices: SimDevices | undefined;
  /** What has become of each pod, by UID: counted by the runtime, which goes on without the edge process. */
  readonly truth = new Map<string, number>();
  /** Events that were handed to an outbox, by id, with the life in which that was, and when. */
  readonly events = new Map<string, { readonly life: EdgeLife; readonly atMs: number }>();
  /** Events that went with a life before they were on the disk. */
  readonly lostEvents = new Set<string>();
  accepted: ClusterIdentity | undefined;
  droppedEvents = 0;
  #life: EdgeLife | undefined;
  readonly #surroundings: EdgeSurroundings;
  readonly #dice: Dice;

  constructor(node: string, surroundings: EdgeSurroundings, dice: Dice) {
    this.node = node;
    this.scope = `node/${node}`;
    this.disk = surroundings.disk;
    this.pods = surroundings.pods;
    this.devices = surroundings.devices;
    this.#surroundings = surroundings;
    this.#dice = dice;
  }

  /** The edge process, if it runs. */
  get life(): EdgeLife | undefined {
    return this.#life;
  }

  start(release: number): void {
    this.#life ??= new EdgeLife(this, this.#surroundings, this.#dice.fork(), release);
  }

  /** Power cut, or a process that is killed. */
  crash(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    life.die();
    // What was on its way when the power went may have reached the disk.
    this.pods?.checker.applied();
    const nowMs = this.#surroundings.time.monotonicMs();
    const wellForMs = nowMs - this.disk.wellSinceMs;
    const { dropped } = life.outbox.counters();
    let due = 0;
    for (const [id, event] of this.events) {
      if (event.life !== life || this.disk.content.outbox.has(`event/${id}`)) continue;
      this.lostEvents.add(id);
      const waitedMs = Math.min(nowMs - event.atMs, wellForMs);
      if (waitedMs > PERSISTED_AFTER_MS && !this.#surroundings.isWritten(id)) due += 1;
    }
    if (due > dropped) this.#surroundings.onError(new Error(`${due} events were never put on the disk`));
    this.droppedEvents += dropped;
  }

  /** UIDs of the pods that the edge has, by key. */
  podUids(): Map<ContentKey, string> {
    const pods = new Map<ContentKey, string>();
    for (const { key, bytes } of this.disk.content.scopes.get(this.scope)?.objects.values() ?? []) {
      if (!key.startsWith('pods/')) continue;
      pods.set(key, uidOf(bytes));
    }
    return pods;
  }
}

const uids = new WeakMap<Uint8Array, string>();

/** The UID of a pod. */
function uidOf(bytes: Uint8Array): string {
  let uid = uids.get(bytes);
  if (uid === undefined) {
    const pod = JSON.parse(Buffer.from(bytes).toString('utf8')) as { metadata: { uid: string } };
    uids.set(bytes, (uid = pod.metadata.uid));
  }
  return uid;
}

/** One life of an edge process: what edgecore is made of, with the parts that are modelled. */
export class EdgeLife {
  readonly clock: MortalClock;
  readonly replica: ScopeReplica;
  readonly outbox: Outbox;
  readonly guard: ClusterGuard;
  readonly release: number;
  readonly #edge: SimEdge;
  readonly #surroundings: EdgeSurroundings;
  readonly #dice: Dice;
  readonly #stores: { readonly replica: MemoryReplicaStore; readonly outbox: MemoryOutboxStore };
  readonly #backoff: Backoff;
  #connection: SimConnection | undefined;
  #session: { readonly replica: ReplicaSession; readonly upstream: UpstreamSession } | undefined;
  /** Whether the workers of pods have begun to report. */
  #reporting = false;
  /** Life of the cluster that it last had a session with. */
  #reportedTo: string | undefined;
  readonly #manager: PodManager | undefined;
  /** What keeps twins, where there are devices. */
  readonly devices: DeviceLife | undefined;
  /** UIDs of the pods that have a worker. */
  #pods: ReadonlySet<string> = new Set();

  constructor(edge: SimEdge, surroundings: EdgeSurroundings, dice: Dice, release: number) {
    const { time, disk } = surroundings;
    this.#edge = edge;
    this.#surroundings = surroundings;
    this.#dice = dice;
    this.release = release;
    this.clock = new MortalClock(time);
    this.#backoff = new Backoff({ baseMs: REDIAL_MS.base, capMs: REDIAL_MS.cap, random: dice });
    this.#stores = disk.open();
    const common = { clock: this.clock, random: dice };
    this.replica = new ScopeReplica({
      scope: edge.scope,
      store: this.#stores.replica,
      forms: RELEASES[release] ?? NORMAL_FORMS,
      ...common,
    });
    this.outbox = new Outbox({
      store: this.#stores.outbox,
      limits: { events: 12, inFlight: 4 },
      onReportRequest: () => this.#reportAll(),
      ...common,
    });
    this.guard = new ClusterGuard({
      load: () => edge.accepted,
      save: async (identity) => {
        await time.sleep(dice.between(1, 5));
        edge.accepted = identity;
      },
    });
    this.#stores.replica.listen((_, keys) => {
      edge.pods?.checker.applied();
      surroundings.onApplied(edge, keys);
      this.#followPods();
    });
    this.#manager = this.#openPods(dice);
    this.devices = edge.devices?.open({
      ...{ scope: edge.scope, clock: this.clock, outbox: this.outbox, dice },
      replica: disk.sound(this.#stores.replica),
    });
    void this.#start();
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  get connection(): SimConnection | undefined {
    return this.#connection;
  }

  die(): void {
    this.clock.die();
    this.devices?.die();
    this.#stores.replica.cut(this.#dice.below(this.#stores.replica.depth + 1));
    this.#stores.outbox.cut(this.#dice.below(this.#stores.outbox.depth + 1));
    this.#connection?.abandon('edge', this.#dice.chance(0.5) ? 5 : this.#dice.between(5, 30_000));
  }

  /** Something has become of a pod. */
  podChanged(uid: string): void {
    this.#edge.truth.set(uid, (this.#edge.truth.get(uid) ?? 0) + 1);
    if (this.#reporting) this.#report(uid);
  }

  /** Something happened that is told once. */
  event(id: string): void {
    this.#edge.events.set(id, { life: this, atMs: this.clock.monotonicMs() });
    const body: SimUpstream = { id };
    this.outbox.put({ key: `event/${id}`, kind: 'event', body: packJson(body), keep: false });
  }

  /** An operator's `hawser accept-cluster` at this node. */
  async acceptCluster(): Promise<void> {
    if ((await this.guard.accept()) !== undefined) this.#connection?.close('edge');
  }

  async #start(): Promise<void> {
    await this.outbox.start();
    // The workers of pods come up a while after the connection does, or before.
    this.clock.setTimer(this.#dice.between(0, 8_000), () => {
      this.#reporting = true;
      void this.#manager?.start();
      this.#followPods();
      this.#reportAll();
    });
    const { devices } = this;
    if (devices !== undefined) this.clock.setTimer(this.#dice.between(0, 3_000), () => void devices.start());
    this.#redial();
  }

  /** The pods of this life, where they run. */
  #openPods(dice: Dice): PodManager | undefined {
    const { scope, truth, pods } = this.#edge;
    return pods?.open({
      scope,
      clock: this.clock,
      replica: this.#surroundings.disk.sound(this.#stores.replica),
      dice,
      onStatus: ({ metadata: { uid } }, status) => {
        const seq = (truth.get(uid) ?? 0) + 1;
        truth.set(uid, seq);
        this.#put(`pod/${uid}`, 'pod', { uid, seq, status: JSON.stringify(status) });
      },
      onGone: ({ metadata: { uid } }) => this.#put(`pod-gone/${uid}`, 'pod-gone', { gone: uid }),
    });
  }

  #followPods(): void {
    if (!this.#reporting || this.#manager !== undefined) return;
    const uids = new Set(this.#edge.podUids().values());
    for (const uid of uids) {
      if (!this.#edge.truth.has(uid)) this.podChanged(uid);
      else if (!this.#pods.has(uid)) this.#report(uid);
    }
    this.#pods = uids;
  }

  #reportAll(): void {
    this.devices?.twins.repeat();
    if (!this.#reporting) return;
    if (this.#manager !== undefined) {
      this.#manager.repeat();
      return;
    }
    const uids = new Set(this.#edge.podUids().values());
    for (const uid of this.#edge.truth.keys()) if (uids.has(uid)) this.#report(uid);
  }

  #report(uid: string): void {
    this.#put(`pod/${uid}`, 'pod', { uid, seq: this.#edge.truth.get(uid) ?? 0 });
  }

  #put(key: string, kind: 'pod' | 'pod-gone', body: SimUpstream): void {
    this.outbox.put({ key, kind, body: packJson(body), keep: true });
  }

  // ── session ────────────────────────────────────────────────────────────────────────────────────────────────

  #redial(): void {
    this.clock.setTimer(this.#backoff.nextMs(), () => this.#dial());
  }

  #dial(): void {
    const found = this.#surroundings.dial(this.#edge.node);
    if (found === undefined) {
      this.#redial();
      return;
    }
    const { connection, welcome } = found;
    this.#connection = connection;
    const end: SimEnd = {
      onFrame: (frame) => this.#onFrame(frame),
      onClosed: () => {
        this.#end(connection);
        this.#redial();
      },
    };
    connection.attach('edge', end);
    this.#backoff.reset();
    // Hello and welcome.
    this.clock.setTimer(this.#dice.between(1, 30), () => void this.#welcomed(connection, welcome));
  }

  async #welcomed(connection: SimConnection, claim: ClusterClaim): Promise<void> {
    const verdict = await this.guard.judge(claim);
    if (!verdict.go || this.clock.dead || !connection.isOpen('edge')) return;
    const send = (frame: Parameters<SimConnection['send']>[1]): Promise<void> =>
      connection.send('edge', frame);
    const replica = this.replica.open({
      scopeId: SCOPE_ID,
      send,
      onFailed: (error) => {
        if (error instanceof SyncError) this.#surroundings.onError(error);
        connection.close('edge', error);
      },
    });
    const upstream = new UpstreamSession(send);
    this.#session = { replica, upstream };
    this.outbox.attach(upstream);
    // Another life of the cluster does not know what was said in the one before.
    if (this.#reportedTo !== undefined && this.#reportedTo !== claim.incarnation) this.#reportAll();
    this.#reportedTo = claim.incarnation;
    this.devices?.twins.setConnected(true);
  }

  #onFrame(frame: Frame): void {
    const session = this.#session;
    if (session === undefined && frame.body === 'reportRequest') return; // all of it will be said anyway
    try {
      if (session === undefined) throw new Error(`${frame.body ?? 'a frame'} before anything was asked for`);
      switch (frame.body) {
        case 'delta':
          session.replica.onDelta(frame.delta);
          break;
        case 'upstreamAck':
          session.upstream.onAck(frame.upstreamAck);
          break;
        case 'reportRequest':
          this.outbox.reportRequested(frame.reportRequest.kinds);
          break;
        default:
          throw new Error(`an edge does not take ${frame.body ?? 'this'}`);
      }
    } catch (error) {
      this.#surroundings.onError(error as Error);
      throw error;
    }
  }

  #end(connection: SimConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
    this.#session?.replica.end();
    this.#session = undefined;
    this.outbox.detach();
    if (!this.clock.dead) this.devices?.twins.setConnected(false);
  }
}
