import { Backoff, silentLogger, systemClock, type Clock, type Logger, type Random } from '@hawser/seams';
import { messageOf, SyncError } from '../errors.ts';
import { MAX_UPSTREAM_BYTES } from '../upstream.ts';
import { Alarm } from './alarm.ts';
import { OutboxDisk } from './outbox-disk.ts';
import { OutboxSlot, type SlotEntry, type VolatileMessage } from './outbox-slot.ts';
import type { OutboxEntry, OutboxStore } from './outbox-store.ts';
import type { UpstreamOutcome, UpstreamSession } from './upstream-session.ts';

/** Bounds of an {@link Outbox}; each default is in {@link OUTBOX_LIMITS}. */
export interface OutboxLimits {
  /** Entries sent and not acknowledged at a time. */
  readonly inFlight: number;
  /** Those among them with `keep: false`: a hub that takes its time over them must not hold up the others. */
  readonly eventsInFlight: number;
  /** Entries with `keep: false`; beyond it the oldest one that is not on its way goes, counted. */
  readonly events: number;
  /** Entries with `keep: true`. Bounded by what exists at a node; more is a fault of this program. */
  readonly kept: number;
  /** Bytes of one packed body. */
  readonly bodyBytes: number;
  /** How long an entry waits in memory before it is written to the disk, milliseconds. */
  readonly persistAfterMs: number;
}

/** Defaults of {@link OutboxLimits}. */
export const OUTBOX_LIMITS: OutboxLimits = {
  inFlight: 32,
  eventsInFlight: 8,
  events: 2_000,
  kept: 20_000,
  bodyBytes: MAX_UPSTREAM_BYTES,
  persistAfterMs: 5_000,
};

/** Of an entry whose body is made when it is sent. */
const NO_BODY = new Uint8Array(0);
/** Wait before an entry is sent again, milliseconds: first upper bound, and the highest. */
const RETRY_MS = { base: 500, cap: 60_000 } as const;
/** The longest that a hub can put one entry off. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** What an {@link Outbox} is made of. */
export interface OutboxOptions {
  readonly store: OutboxStore;
  readonly limits?: Partial<OutboxLimits>;
  /** Called with each entry that the cloud has refused for good: it is gone. Must not throw. */
  readonly onRefused?: (entry: OutboxEntry, outcome: UpstreamOutcome) => void;
  /**
   * Called with the kinds of a `ReportRequest`: whoever knows what is so now puts it again. Must not throw.
   * Default: nothing.
   */
  readonly onReportRequest?: (kinds: readonly string[]) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** What happened in an outbox since it was made; for metrics. */
export interface OutboxCounters {
  /** Acknowledged with 0. */
  readonly delivered: number;
  /** Sent again after 409, 429 or 5xx. */
  readonly retried: number;
  /** Ended by another code. */
  readonly refused: number;
  /** Events that went to make place for others. */
  readonly dropped: number;
  /** Writes that the disk refused. */
  readonly failedWrites: number;
}

/** One message for the cloud: see `UPSTREAM_KINDS` and {@link OutboxEntry}. */
export type OutboxMessage = Omit<OutboxEntry, 'order'>;

/**
 * What the cloud has not taken yet: see docs/sync.md, "Upward". One for an edge, for as long as it runs; sessions come
 * and go.
 *
 * Who calls what: the process calls {@link start} once and {@link stop} at its end; workers call {@link put} at any
 * time; whoever holds the session calls {@link attach} when it is up (and the cluster guard says `go`) and
 * {@link detach} when it is not. Acknowledgements come through the {@link UpstreamSession}.
 *
 * What it keeps to:
 * - Of two entries with one key only the later one counts, and the later one is not sent before the earlier one was
 *   answered: what the cloud sees of a key is in order.
 * - An entry leaves when the cloud has acknowledged it. Replacing one that is on its way loses neither.
 * - While the disk holds an older entry of a key than the one in memory, the newer one is written before it is sent:
 *   otherwise the older one would be sent again after a power cut, over the newer one. A disk that refuses, or stalls
 *   for longer than 5 s, does not hold entries up: reporting goes first.
 */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #onRefused: (entry: OutboxEntry, outcome: UpstreamOutcome) => void;
  readonly #onReportRequest: (kinds: readonly string[]) => void;
  readonly #clock: Clock;
  readonly #random: Random | undefined;
  readonly #log: Logger;
  readonly #disk: OutboxDisk;
  readonly #slots = new Map<string, OutboxSlot>();
  readonly #retryAlarm: Alarm;
  readonly #persistAlarm: Alarm;
  /** Slots that may be sent, in the order in which they became so; what must be kept goes before events. */
  readonly #ready = { kept: new Set<OutboxSlot>(), events: new Set<OutboxSlot>() };
  /** Slots of entries with `keep: false`, oldest first. */
  readonly #events = new Set<OutboxSlot>();
  #session: UpstreamSession | undefined;
  #sending = false;
  #inFlight = 0;
  #eventsInFlight = 0;
  #order = 0;
  #loading: Promise<void> | undefined;
  #counters = { delivered: 0, retried: 0, refused: 0, dropped: 0 };

  constructor(options: OutboxOptions) {
    this.#limits = { ...OUTBOX_LIMITS, ...options.limits };
    this.#onRefused = options.onRefused ?? (() => {});
    this.#onReportRequest = options.onReportRequest ?? (() => {});
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random;
    this.#log = options.log ?? silentLogger;
    this.#retryAlarm = new Alarm(this.#clock, () => this.#retryDue());
    this.#persistAlarm = new Alarm(this.#clock, () => this.#persistDue());
    this.#disk = new OutboxDisk({
      store: options.store,
      clock: this.#clock,
      log: this.#log,
      onSettled: (slot) => this.#settled(slot),
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** Entries that the cloud has not taken yet. */
  get size(): number {
    let size = 0;
    for (const slot of this.#slots.values()) if (slot.entry !== undefined) size += 1;
    return size;
  }

  /** Whether everything was taken, and the disk has nothing of it any more. */
  get drained(): boolean {
    return this.#slots.size === 0;
  }

  /** What the disk said when it last refused a write; undefined while it takes them. */
  get diskError(): string | undefined {
    return this.#disk.error;
  }

  counters(): OutboxCounters {
    return { ...this.#counters, failedWrites: this.#disk.failedWrites };
  }

  /**
   * Reads what the disk has, once. Messages put before that are newer than all of it. Idempotent; after a rejection it
   * may be tried again.
   * @throws what {@link OutboxStore.load} rejects with; the outbox works without what the disk has
   */
  async start(): Promise<void> {
    this.#loading ??= this.#load();
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }

  async #load(): Promise<void> {
    const loaded = await this.#disk.load();
    const offset = loaded.reduce((highest, { order }) => Math.max(highest, order), 0);
    for (const slot of this.#slots.values()) slot.shiftOrder(offset);
    this.#order += offset;
    for (const entry of loaded) {
      const slot = this.#slots.get(entry.key);
      if (slot === undefined) this.#slots.set(entry.key, OutboxSlot.loaded(entry));
      else slot.onDisk = entry.order;
    }
    for (const { key } of loaded) {
      const slot = this.#slots.get(key);
      if (slot?.entry === undefined) continue;
      if (!slot.entry.keep) this.#events.add(slot);
      this.#offer(slot);
    }
    this.#dropEvents();
  }

  /**
   * Says something to the cloud, in place of what was said under this key before and was not taken yet.
   * @throws SyncError `ERR_SYNC_TOO_LARGE` for a body above 1 MiB, `ERR_SYNC_LIMIT` above 20,000 kept entries: both
   *   are faults of the caller
   */
  put(message: OutboxMessage): void {
    const { key, body, keep } = message;
    this.#checkSize(key, body);
    const slot = this.#slotFor(key, keep);
    if (slot.saysAlready(message)) return;
    this.#order += 1;
    slot.entry = { ...message, order: this.#order };
    slot.unsavedSinceMs ??= this.#clock.monotonicMs();
    if (keep) this.#events.delete(slot);
    else this.#events.add(slot);
    this.#dropEvents();
    this.#persistAlarm.setAt(slot.unsavedSinceMs + this.#limits.persistAfterMs);
    this.#offer(slot);
  }

  /**
   * Says something to the cloud that never goes to the disk, in place of what was said under this key before; that which
   * the disk has of this key goes. What is sent is what {@link VolatileMessage.body} answers then.
   * @throws SyncError `ERR_SYNC_LIMIT` above 20,000 kept entries: a fault of the caller
   */
  putVolatile(message: VolatileMessage): void {
    const { key, kind } = message;
    const slot = this.#slotFor(key, true);
    this.#order += 1;
    slot.entry = { key, kind, order: this.#order, body: NO_BODY, keep: true, volatile: message };
    slot.unsavedSinceMs = undefined;
    this.#events.delete(slot);
    this.#offer(slot);
  }

  /** What was put under this key is not to be said any more; what is on its way may arrive all the same. */
  withdraw(key: string): void {
    const slot = this.#slots.get(key);
    if (slot?.entry !== undefined) this.#remove(slot);
  }

  /** To be called with each `reportRequest` of the session: has these kinds said again. */
  reportRequested(kinds: readonly string[]): void {
    this.#onReportRequest(kinds);
  }

  /** A session is up: sends all that is there. What was on its way on the one before is sent again. */
  attach(session: UpstreamSession): void {
    this.detach();
    this.#session = session;
    for (const slot of this.#slots.values()) this.#offer(slot);
    this.#pump();
  }

  /** The session has ended: what was on its way is not known to have arrived, and all goes to the disk. Idempotent. */
  detach(): void {
    if (this.#session === undefined) return;
    this.#session = undefined;
    this.#inFlight = 0;
    this.#eventsInFlight = 0;
    this.#sending = false;
    for (const slot of this.#slots.values()) {
      slot.flying = undefined;
      if (slot.isIdle) this.#slots.delete(slot.key);
      else this.#offer(slot);
    }
    this.#persist(() => true);
  }

  /**
   * Ends the session's part, and makes durable what is there. Waits for a disk that stalls. Idempotent.
   * @throws what the disk says, if it refuses: what was not durable before is lost if the process ends now
   */
  async stop(): Promise<void> {
    this.detach();
    this.#retryAlarm.cancel();
    this.#persistAlarm.cancel();
    this.#persist(() => true);
    await this.#disk.finish();
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts a slot where it belongs: ready, waiting for its time, or waiting for the disk. */
  #offer(slot: OutboxSlot): void {
    const { entry } = slot;
    if (this.#session === undefined || entry === undefined || slot.flying !== undefined) {
      this.#withdraw(slot);
      return;
    }
    if (slot.notBeforeMs > this.#clock.monotonicMs()) {
      this.#withdraw(slot);
      this.#retryAlarm.setAt(slot.notBeforeMs);
    } else if (!slot.mayBeSent) {
      this.#withdraw(slot);
      this.#disk.save(slot);
    } else {
      (entry.keep ? this.#ready.kept : this.#ready.events).add(slot);
      this.#pump();
    }
  }

  #withdraw(slot: OutboxSlot): void {
    this.#ready.kept.delete(slot);
    this.#ready.events.delete(slot);
  }

  #next(): OutboxSlot | undefined {
    for (const slot of this.#ready.kept) return slot;
    if (this.#eventsInFlight >= this.#limits.eventsInFlight) return undefined;
    for (const slot of this.#ready.events) return slot;
    return undefined;
  }

  /** One loop for a session: it waits for each frame to be taken. */
  #pump(): void {
    if (this.#sending || this.#session === undefined) return;
    this.#sending = true;
    void this.#send(this.#session);
  }

  async #send(session: UpstreamSession): Promise<void> {
    // What becomes ready together is put into order first.
    await Promise.resolve();
    while (this.#session === session && this.#inFlight < this.#limits.inFlight) {
      const slot = this.#next();
      if (slot?.entry === undefined) break;
      this.#withdraw(slot);
      const { entry } = slot;
      const body = this.#bodyOf(slot, entry);
      if (body === undefined) continue;
      slot.flying = entry;
      this.#inFlight += 1;
      if (!entry.keep) this.#eventsInFlight += 1;
      try {
        await session.post(entry.kind, body, (outcome) => {
          if (this.#session === session) this.#answered(slot, entry, outcome);
        });
      } catch (error) {
        // Whoever holds the session notices too, and detaches: until then nothing more gets through.
        this.#log.debug({ key: entry.key, error: messageOf(error) }, 'an upstream could not be sent');
        break;
      }
    }
    if (this.#session === session) this.#sending = false;
  }

  /** What is sent of an entry; undefined: it cannot be made, and has ended. */
  #bodyOf(slot: OutboxSlot, { volatile, body }: SlotEntry): Uint8Array | undefined {
    if (volatile === undefined) return body;
    try {
      const made = volatile.body();
      this.#checkSize(slot.key, made);
      return made;
    } catch (error) {
      // A fault of whoever put it, which must not end what others say.
      this.#log.error({ err: error, key: slot.key }, 'a message for the cloud cannot be made');
      this.#remove(slot);
      return undefined;
    }
  }

  #answered(slot: OutboxSlot, entry: SlotEntry, outcome: UpstreamOutcome): void {
    slot.flying = undefined;
    this.#inFlight -= 1;
    if (!entry.keep) this.#eventsInFlight -= 1;
    if (isTransient(outcome.status)) {
      this.#counters.retried += 1;
      this.#putOff(slot, outcome.retryAfterMs);
    } else {
      slot.backoff = undefined;
      slot.notBeforeMs = 0;
      if (outcome.status === 0) this.#counters.delivered += 1;
      if (slot.entry === entry) this.#remove(slot);
      if (outcome.status !== 0) this.#refused(entry, outcome);
    }
    if (this.#slots.get(slot.key) === slot) {
      if (slot.isIdle) this.#slots.delete(slot.key);
      else this.#offer(slot);
    }
    entry.volatile?.onAnswer?.(outcome);
    // The loop may have ended because of the window.
    this.#pump();
  }

  #putOff(slot: OutboxSlot, retryAfterMs: number): void {
    slot.backoff ??= new Backoff({
      baseMs: RETRY_MS.base,
      capMs: RETRY_MS.cap,
      ...(this.#random === undefined ? {} : { random: this.#random }),
    });
    const waitMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + slot.backoff.nextMs();
    slot.notBeforeMs = this.#clock.monotonicMs() + waitMs;
  }

  #refused(entry: OutboxEntry, outcome: UpstreamOutcome): void {
    this.#counters.refused += 1;
    const { status, message } = outcome;
    this.#log.warn({ key: entry.key, status }, `the cloud refused a message: ${message}`);
    this.#onRefused(entry, outcome);
  }

  #retryDue(): void {
    // Each sets the alarm again if its own time has not come.
    for (const slot of this.#slots.values()) if (slot.notBeforeMs > 0) this.#offer(slot);
  }

  // ── keeping ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The entry has ended, taken or not: forget it here and on the disk. */
  #remove(slot: OutboxSlot): void {
    slot.entry = undefined;
    slot.unsavedSinceMs = undefined;
    this.#withdraw(slot);
    this.#events.delete(slot);
    if (slot.isIdle) this.#slots.delete(slot.key);
    // What is on its way holds its place until it was answered.
    else if (!slot.untouchedByDisk) this.#disk.save(slot);
  }

  /** What the disk has of a slot has changed, or is not waited for any longer. */
  #settled(slot: OutboxSlot): void {
    if (this.#slots.get(slot.key) !== slot) return;
    if (slot.isIdle) this.#slots.delete(slot.key);
    else this.#offer(slot);
  }

  #slotFor(key: string, keep: boolean): OutboxSlot {
    const present = this.#slots.get(key);
    if (present !== undefined) return present;
    if (keep && this.#slots.size - this.#events.size >= this.#limits.kept)
      throw new SyncError('ERR_SYNC_LIMIT', `${key}: ${this.#limits.kept} entries are kept already`);
    const slot = new OutboxSlot(key);
    this.#slots.set(key, slot);
    return slot;
  }

  #checkSize(key: string, { length }: Uint8Array): void {
    const { bodyBytes } = this.#limits;
    if (length > bodyBytes)
      throw new SyncError('ERR_SYNC_TOO_LARGE', `${key}: ${length} bytes, most ${bodyBytes}`);
  }

  #dropEvents(): void {
    for (const slot of this.#events) {
      if (this.#events.size <= this.#limits.events) return;
      if (slot.flying !== undefined) continue;
      this.#counters.dropped += 1;
      this.#remove(slot);
    }
  }

  #persistDue(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#persist((sinceMs) => sinceMs + this.#limits.persistAfterMs <= nowMs);
  }

  #persist(due: (unsavedSinceMs: number) => boolean): void {
    for (const slot of this.#slots.values()) {
      const { unsavedSinceMs } = slot;
      if (unsavedSinceMs === undefined || slot.entry === undefined) continue;
      if (due(unsavedSinceMs)) this.#disk.save(slot);
      else this.#persistAlarm.setAt(unsavedSinceMs + this.#limits.persistAfterMs);
    }
  }
}

/** Statuses after which the same message may succeed. */
function isTransient(status: number): boolean {
  return status === 409 || status === 429 || status >= 500;
}
