import { decideSettings } from '@hawser/cloudcore/setting-decision';
import type { JsonObject } from '@hawser/kube';
import type { Frame, UpstreamAck } from '@hawser/proto';
import { ScopePublisher, SyncError, unpackJson, type UpstreamBodies } from '@hawser/sync';
import { deviceProperties, WRITABLE, type DesiredField } from './device-fields.ts';
import type { Dice } from './dice.ts';
import { RELEASES } from './sim-cluster.ts';
import type { SimConnection } from './sim-connection.ts';
import type { DeviceUpstream } from './sim-devices.ts';
import type { HubSurroundings, SimHub } from './sim-hub.ts';

/** What an edge sends up, for the model: the status of a pod, an event, or what is about a device. */
export interface SimUpstream extends DeviceUpstream {
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
    const { uid = '', seq = 0, status, id, gone, device, setting } = body;
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
    if (device !== undefined || setting !== undefined) {
      if (device !== undefined) await this.#device(sequence, device);
      if (setting !== undefined) await this.#setting(sequence, setting);
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

  async #device(sequence: number, body: UpstreamBodies['device']): Promise<void> {
    const { time, cluster, onDeviceStatus } = this.#surroundings;
    const live = cluster.podOf(body.uid);
    await time.sleep(this.#dice.between(0, 5));
    if (this.#isFenced()) return;
    await time.sleep(this.#dice.between(0, 5));
    if (!this.#hub.alive) return;
    if (live?.node !== undefined && live.node !== this.node) {
      this.#ack({ sequence, status: 403 });
      return;
    }
    if (live !== undefined && cluster.podOf(body.uid)?.rv === live.rv) onDeviceStatus(body);
    const outcome = cluster.writeDeviceStatus(body, live?.rv ?? 0);
    this.#ack({ sequence, status: { done: 0, conflict: 409, gone: 404 }[outcome] });
  }

  /** As the writer of settings does it: read, decide, write on top of what was read. */
  async #setting(sequence: number, { uid, settings }: UpstreamBodies['device-setting']): Promise<void> {
    const { time, cluster } = this.#surroundings;
    const live = cluster.podOf(uid);
    await time.sleep(this.#dice.between(0, 5));
    if (this.#isFenced()) return;
    if (live?.device === undefined) {
      this.#ack({ sequence, status: 404 });
      return;
    }
    const properties = deviceProperties(live.device) as unknown as readonly JsonObject[];
    const isKnown = (property: string): boolean => (WRITABLE as readonly string[]).includes(property);
    const decision = decideSettings({ properties, decided: live.device.decided }, settings, isKnown);
    await time.sleep(this.#dice.between(0, 5));
    if (!this.#hub.alive) return;
    if (cluster.podOf(uid)?.rv !== live.rv) {
      this.#ack({ sequence, status: 409 });
      return;
    }
    if (decision.properties !== undefined || decision.decided !== undefined) {
      const desired =
        decision.properties === undefined ? live.device.desired : desiredOf(decision.properties);
      const { decided = live.device.decided } = decision;
      const device = { ...live.device, desired, ...(decided !== undefined && { decided }) };
      cluster.put(live.key, { device });
    }
    const { written, same, superseded } = decision;
    const shown = { written, same, superseded: superseded.map(({ setting }) => setting) };
    const texts = Object.entries(shown).flatMap(([what, all]) =>
      all.map(({ property, value }) => `${property}=${value} ${what}`),
    );
    this.#surroundings.onDecided(uid, texts.join());
    // The answer may get lost, and the message come again.
    this.#ack({ sequence, status: 0 });
  }

  #isFenced(): boolean {
    const { cluster } = this.#surroundings;
    return this.#closed || !this.#hub.alive || cluster.leases.get(this.node) !== this.#epoch;
  }

  #ack(ack: Partial<UpstreamAck>): void {
    this.connection.send('hub', { upstreamAck: ack }).catch(() => {}); // the session is over: it will be said again
  }
}

function desiredOf(properties: readonly JsonObject[]): Record<string, DesiredField> {
  const desired: Record<string, DesiredField> = {};
  for (const { name, desired: value } of properties)
    if (value !== undefined) desired[String(name)] = value as unknown as DesiredField;
  return desired;
}
