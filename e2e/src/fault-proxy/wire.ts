import type { Clock, Random, Timer } from '@hawser/seams';
import TinyQueue from 'tinyqueue';
import { wireSettings, type WireOptions, type WireSettings } from './wire-options.ts';
import { emptyWireStats, type WireStats } from './wire-stats.ts';

/** What keeps its order on a wire: one direction of a connection, or of a datagram client. */
export interface Lane {
  open: boolean;
  /** When its latest packet arrives; nothing of this lane may arrive before. */
  lastArrivalMs: number;
}

/** Consecutive packets of one connection, put on the wire in one go. */
export interface Train {
  /** 0 for a packet that carries only a flag (SYN, FIN, RST). */
  readonly payloadBytes: number;
  /** Called when the last of them has arrived. */
  readonly deliver: () => void;
}

/** A direction of a connection: the wire asks it for data when there is room. */
export interface StreamSource {
  readonly lane: Lane;
  /** The next train of at most `limitBytes` of payload, or undefined when nothing is ready. */
  next(limitBytes: number): Train | undefined;
}

interface Parcel {
  readonly lane: Lane;
  readonly protocol: 'tcp' | 'udp';
  readonly wireBytes: number;
  readonly order: number;
  /** A datagram that is late on purpose: the lane's order does not bind it. */
  readonly late: boolean;
  readonly deliver: () => void;
  sentMs: number;
  arrivalMs: number;
}

/** Packets that take less than this together go as one train, so that a fast wire costs no timer per packet. */
const TRAIN_MS = 0.1;

/** While datagrams are about, connections leave this share of the queue to them (see {@link Wire}). */
const DATAGRAM_SHARE = 0.25;
/** How long after a datagram was offered they are held to be about. */
const DATAGRAMS_ABOUT_MS = 1000;

/** Times are sums of fractions: what is due within a microsecond is due. */
const ROUNDING_MS = 0.001;

/** IPv4 payload of a datagram's first packet, and of each further fragment, with an MTU of 1500. */
const FIRST_FRAGMENT_BYTES = 1472;
const FRAGMENT_BYTES = 1480;
const FRAGMENT_OVERHEAD_BYTES = 20;

/**
 * One direction of a link: a queue with a limit in front of a bandwidth, then a propagation delay.
 *
 * Every packet's times follow from a virtual clock (when the wire is free again), never from when a timer
 * happened to fire; so timers that are late, or fire once for many packets, cost no throughput. A connection that
 * waited for room is put on the wire as of the moment when there was room. (That holds up to some 100 Mbit/s for one
 * connection, or more while the machine has time; above, what it holds ready lasts no longer than timers are late.)
 *
 * Connections with data take turns, a train each, and wait when the queue is full. A datagram that finds no room
 * is dropped. Senders of both kinds share the bandwidth; but since waiting connections would take all room the
 * moment it appears (real ones would see drops and slow down), they fill only three quarters of the queue while
 * datagrams are about.
 */
export class Wire {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #stats = emptyWireStats();
  readonly #waiting = new Map<StreamSource, number>(); // → when it became ready; in order of turns
  #settings: WireSettings;
  #parcels = newQueue([]);
  #order = 0;
  #lanes = 0;
  #inFlightBytes = 0;
  #freeAtMs = 0;
  #blockedSinceMs: number | undefined;
  #datagramAtMs = -Infinity;
  #running = false;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;

  constructor(options: { settings: WireSettings; clock: Clock; random: Random }) {
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** The settings in force. */
  get settings(): Readonly<WireSettings> {
    return this.#settings;
  }

  /** A copy of the counters. */
  get stats(): WireStats {
    return structuredClone(this.#stats);
  }

  /** Bytes at IP level that wait for bandwidth now. */
  get queuedBytes(): number {
    return this.#backlogBytes(this.#clock.monotonicMs());
  }

  /** Bytes at IP level in the queue and on the way now. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Whether nothing passes. */
  get blocked(): boolean {
    return this.#blockedSinceMs !== undefined;
  }

  /**
   * Changes settings while running. A new bandwidth holds for what is queued, too; a new delay only for what is
   * sent from now on.
   * @throws E2eError ERR_E2E_BAD_OPTION; nothing is changed then
   */
  configure(change: WireOptions): void {
    const before = this.#settings.bitsPerSecond;
    this.#settings = wireSettings(change, this.#settings);
    const nowMs = this.#clock.monotonicMs();
    const slower = before / this.#settings.bitsPerSecond; // how many times
    if (slower !== 1 && this.#freeAtMs > nowMs) {
      const stretch = (atMs: number): number => Math.max(0, atMs - nowMs) * (slower - 1);
      this.#reschedule((parcel) => stretch(parcel.sentMs));
      this.#freeAtMs += stretch(this.#freeAtMs);
    }
    this.#run();
  }

  /** Opens a lane. It must be closed by {@link closeLane}. */
  openLane(): Lane {
    this.#lanes += 1;
    return { open: true, lastArrivalMs: 0 };
  }

  /** Closes a lane: what is on the way in it does not arrive. The wire without lanes has no timer. */
  closeLane(lane: Lane): void {
    if (!lane.open) return;
    lane.open = false;
    this.#lanes -= 1;
    if (this.#lanes === 0) this.clear();
  }

  /** Says that `source` has something to send; it is asked for it when its turn comes. */
  ready(source: StreamSource): void {
    if (this.#waiting.has(source)) return;
    const nowMs = this.#clock.monotonicMs();
    this.#take(nowMs); // those who waited before come before
    this.#waiting.set(source, nowMs);
    this.#run();
  }

  /** Takes `source` out of the turns. */
  withdraw(source: StreamSource): void {
    this.#waiting.delete(source);
  }

  /** Sends a datagram; it is dropped (and counted) by chance, when the queue is full, and when blocked. */
  sendDatagram(lane: Lane, payloadBytes: number, deliver: () => void): void {
    const nowMs = this.#clock.monotonicMs();
    this.#datagramAtMs = nowMs;
    if (this.blocked) {
      this.#stats.dropped.blocked += 1;
      return;
    }
    this.#take(nowMs); // room that appeared since the last timer belongs to those who waited for it
    this.#putDatagram(lane, payloadBytes, deliver, nowMs);
    if (this.#chance(this.#settings.duplicate)) {
      this.#stats.duplicated += 1;
      this.#putDatagram(lane, payloadBytes, deliver, nowMs);
    }
    this.#run();
  }

  /**
   * Lets nothing pass any more. Datagrams on the way are lost; what is on the way of connections arrives after
   * {@link unblock}, as by retransmission, and nothing more is taken from them.
   */
  block(): void {
    if (this.blocked) return;
    this.#blockedSinceMs = this.#clock.monotonicMs();
    const kept = this.#parcels.data.filter((parcel) => parcel.protocol === 'tcp');
    this.#stats.dropped.blocked += this.#parcels.length - kept.length;
    this.#parcels = newQueue(kept);
    this.#inFlightBytes = kept.reduce((sum, parcel) => sum + parcel.wireBytes, 0);
    this.#setTimer(Infinity);
  }

  /** Ends {@link block}: all goes on from where it stood. */
  unblock(): void {
    if (this.#blockedSinceMs === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const pausedMs = nowMs - this.#blockedSinceMs;
    this.#blockedSinceMs = undefined;
    this.#reschedule(() => pausedMs);
    this.#freeAtMs += pausedMs;
    for (const source of this.#waiting.keys()) this.#waiting.set(source, nowMs);
    this.#run();
  }

  /** Forgets all that is on the way, and who waits. */
  clear(): void {
    this.#parcels = newQueue([]);
    this.#inFlightBytes = 0;
    this.#freeAtMs = 0;
    this.#waiting.clear();
    this.#setTimer(Infinity);
  }

  /** Delivers what has arrived and takes what there is room for, until neither is left; then sets the timer. */
  #run(): void {
    if (this.#running || this.blocked) return; // a delivery made someone ready: the loop below sees it
    this.#running = true;
    let nowMs = this.#clock.monotonicMs() + ROUNDING_MS;
    try {
      do {
        this.#take(nowMs);
        this.#deliver(nowMs);
        nowMs = this.#clock.monotonicMs() + ROUNDING_MS;
      } while (this.#nextEventMs(nowMs) <= nowMs);
    } finally {
      this.#running = false;
    }
    this.#setTimer(this.#nextEventMs(nowMs));
  }

  #deliver(nowMs: number): void {
    for (let next = this.#parcels.peek(); next !== undefined; next = this.#parcels.peek()) {
      if (next.arrivalMs > nowMs || this.blocked) return;
      this.#parcels.pop();
      this.#inFlightBytes -= next.wireBytes;
      if (next.lane.open) next.deliver();
    }
  }

  /** Gives waiting connections their turns as long as there is room. */
  #take(nowMs: number): void {
    const trainBytes = this.#trainBytes();
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || this.blocked || this.#roomAtMs(nowMs) > nowMs) return;
      const [source, readyMs] = first;
      this.#waiting.delete(source);
      const train = source.next(trainBytes);
      if (train === undefined) continue;
      this.#putTrain(source.lane, train, readyMs, nowMs);
      if (source.lane.open) this.#waiting.set(source, readyMs); // at the end: the others' turn
    }
  }

  #putTrain(lane: Lane, train: Train, readyMs: number, nowMs: number): void {
    const { segmentBytes, tcpOverheadBytes } = this.#settings;
    const packets = Math.max(1, Math.ceil(train.payloadBytes / segmentBytes));
    const wireBytes = train.payloadBytes + packets * tcpOverheadBytes;
    this.#stats.tcp.payloadBytes += train.payloadBytes;
    this.#stats.tcp.packets += packets;
    const sentMs = this.#occupy(wireBytes, readyMs, nowMs);
    this.#dispatch({ lane, protocol: 'tcp', wireBytes, sentMs, late: false, deliver: train.deliver });
  }

  #putDatagram(lane: Lane, payloadBytes: number, deliver: () => void, nowMs: number): void {
    const fragments = Math.ceil(Math.max(0, payloadBytes - FIRST_FRAGMENT_BYTES) / FRAGMENT_BYTES);
    const overheadBytes = this.#settings.udpOverheadBytes + fragments * FRAGMENT_OVERHEAD_BYTES;
    const wireBytes = payloadBytes + overheadBytes;
    const { queueLimitBytes, inFlightLimitBytes } = this.#settings;
    const backlogBytes = this.#backlogBytes(nowMs);
    const fits = backlogBytes === 0 || backlogBytes + wireBytes <= queueLimitBytes;
    if (!fits || this.#inFlightBytes + wireBytes > inFlightLimitBytes) {
      this.#stats.dropped.overflow += 1;
      return;
    }
    this.#stats.udp.payloadBytes += payloadBytes;
    this.#stats.udp.packets += 1 + fragments;
    const sentMs = this.#occupy(wireBytes, nowMs, nowMs);
    if (this.#chance(this.#settings.loss)) {
      this.#stats.dropped.loss += 1;
      return;
    }
    const late = this.#chance(this.#settings.reorder);
    if (late) this.#stats.reordered += 1;
    this.#dispatch({ lane, protocol: 'udp', wireBytes, sentMs, late, deliver });
  }

  /** Takes the wire for so many bytes. @returns when the last of them is sent */
  #occupy(wireBytes: number, readyMs: number, nowMs: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, readyMs) + wireBytes / this.#bytesPerMs();
    this.#stats.wireBytes += wireBytes;
    this.#stats.queueHighWaterBytes = Math.max(this.#stats.queueHighWaterBytes, this.#backlogBytes(nowMs));
    return this.#freeAtMs;
  }

  #dispatch(parcel: Omit<Parcel, 'order' | 'arrivalMs'>): void {
    const { delayMs, jitterMs, reorderByMs } = this.#settings;
    let arrivalMs = parcel.sentMs + delayMs;
    if (jitterMs > 0) arrivalMs += this.#random.next() * jitterMs;
    if (parcel.late) arrivalMs += reorderByMs;
    else arrivalMs = parcel.lane.lastArrivalMs = Math.max(parcel.lane.lastArrivalMs, arrivalMs);
    this.#parcels.push({ ...parcel, arrivalMs, order: this.#order++ });
    this.#inFlightBytes += parcel.wireBytes;
    const { inFlightHighWaterBytes } = this.#stats;
    this.#stats.inFlightHighWaterBytes = Math.max(inFlightHighWaterBytes, this.#inFlightBytes);
  }

  /** Moves everything on the way in time, keeping each lane's order. */
  #reschedule(byMs: (parcel: Parcel) => number): void {
    const parcels = [...this.#parcels.data].sort((a, b) => a.order - b.order);
    for (const { lane } of parcels) lane.lastArrivalMs = 0;
    for (const parcel of parcels) {
      const shiftMs = byMs(parcel);
      parcel.sentMs += shiftMs;
      parcel.arrivalMs += shiftMs;
      if (parcel.late) continue;
      parcel.arrivalMs = Math.max(parcel.arrivalMs, parcel.lane.lastArrivalMs);
      parcel.lane.lastArrivalMs = parcel.arrivalMs;
    }
    this.#parcels = newQueue(parcels);
  }

  /** When the next parcel arrives, or there is room for a connection that waits. */
  #nextEventMs(nowMs: number): number {
    if (this.blocked) return Infinity;
    const arrivalMs = this.#parcels.peek()?.arrivalMs ?? Infinity;
    return this.#waiting.size === 0 ? arrivalMs : Math.min(arrivalMs, this.#roomAtMs(nowMs));
  }

  /** When there is room for a train; Infinity when that depends on an arrival. */
  #roomAtMs(nowMs: number): number {
    const { queueLimitBytes, inFlightLimitBytes, segmentBytes, tcpOverheadBytes } = this.#settings;
    if (this.#inFlightBytes >= inFlightLimitBytes) return Infinity;
    if (this.#freeAtMs <= nowMs) return nowMs;
    const datagramsAbout = nowMs - this.#datagramAtMs < DATAGRAMS_ABOUT_MS;
    const limitBytes = queueLimitBytes * (datagramsAbout ? 1 - DATAGRAM_SHARE : 1);
    const trainBytes = this.#trainBytes();
    const wireBytes = trainBytes + Math.ceil(trainBytes / segmentBytes) * tcpOverheadBytes;
    return this.#freeAtMs - Math.max(0, limitBytes - wireBytes) / this.#bytesPerMs();
  }

  /** How much payload of one connection goes on the wire in one go: at least a packet. */
  #trainBytes(): number {
    const { segmentBytes, bitsPerSecond, queueLimitBytes } = this.#settings;
    if (bitsPerSecond === Infinity) return Infinity;
    const mostBytes = Math.min(this.#bytesPerMs() * TRAIN_MS, queueLimitBytes / 4);
    return Math.max(1, Math.floor(mostBytes / segmentBytes)) * segmentBytes;
  }

  #bytesPerMs(): number {
    return this.#settings.bitsPerSecond / 8000;
  }

  #backlogBytes(nowMs: number): number {
    return this.#freeAtMs > nowMs ? (this.#freeAtMs - nowMs) * this.#bytesPerMs() : 0;
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random.next() < probability;
  }

  /** Sees to it that {@link #run} is called at `dueMs` at the latest; an earlier timer may stay. */
  #setTimer(dueMs: number): void {
    if (dueMs === Infinity) {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#timerDueMs = Infinity;
      return;
    }
    if (this.#timerDueMs <= dueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - this.#clock.monotonicMs(), () => {
      this.#timerDueMs = Infinity;
      this.#run();
    });
  }
}

function newQueue(parcels: Parcel[]): TinyQueue<Parcel> {
  return new TinyQueue(parcels, (a, b) => a.arrivalMs - b.arrivalMs || a.order - b.order);
}
