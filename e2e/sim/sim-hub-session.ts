import type { Frame, UpstreamAck } from '@hawser/proto';
import { ScopePublisher, SyncError, unpackJson } from '@hawser/sync';
import type { Dice } from './dice.ts';
import { RELEASES } from './sim-cluster.ts';
import type { SimConnection } from './sim-connection.ts';
import type { HubSurroundings, SimHub } from './sim-hub.ts';

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

/** A session as a hub has it. */
export class HubSession {
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
