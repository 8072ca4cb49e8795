import {
  decodeEdgeMessage,
  decodeScopeState,
  encodeHubMessage,
  type AskInventory,
  type EdgeMessage,
  type Held,
  type OutgoingChange,
  type OutgoingFrame,
  type OutgoingHubMessage,
  type ScopeState,
} from '@hawser/proto';
import { silentLogger, systemClock, type Clock, type Logger, type Random, type Timer } from '@hawser/seams';
import type { ChangeEncoder } from '../codec/change-encoder.ts';
import type { ContentKey } from '../content/content.ts';
import { HASH_BYTES } from '../content/hash.ts';
import { NORMAL_FORMS } from '../content/normal-form.ts';
import { messageOf, SyncError } from '../errors.ts';
import { SYNC_WINDOW } from '../window.ts';
import { BatchBuilder, UNKNOWN_CONTENT } from './batch-builder.ts';
import { InventoryComparison, type Comparison, type EdgeHas } from './inventory-comparison.ts';
import { publisherCounters, type PublisherCounters } from './publisher-counters.ts';
import { RemovalHolds } from './removal-holds.ts';
import type { ScopeView } from './scope-view.ts';
import { SendWindow } from './send-window.ts';

/** What a {@link ScopePublisher} is made of. */
export interface ScopePublisherOptions {
  /** `Subscribe.scope`: the edge's number for the scope in this session. */
  readonly scopeId: number;
  readonly view: ScopeView;
  /** Shared by all publishers of a hub. */
  readonly encoder: ChangeEncoder;
  /** Sends a frame of the session; resolves when the next one makes sense, rejects once the session has ended. */
  readonly send: (frame: OutgoingFrame) => Promise<void>;
  /**
   * Called at most once, and not after {@link ScopePublisher.close}: end the session because of this error. The
   * publisher has closed itself.
   */
  readonly onFailed: (error: Error) => void;
  /**
   * Rule 3 of docs/sync.md: looks at the stamp that the edge hands in (empty: none) before anything is said to it.
   * Resolves once the view is at least as new as the stamp; rejects where the API server went back, or it cannot be
   * found out: that ends the session. Default: nothing is looked at.
   */
  readonly admit?: (stamp: Uint8Array, signal: AbortSignal) => Promise<void>;
  /** Version of the normal form of the view's contents. Default: that of this release. */
  readonly normalForm?: number;
  /** How long removals that an edge holds back wait before the hub looks again, milliseconds. Default: 30,000. */
  readonly confirmAfterMs?: number;
  /** Counted into. Default: counters of its own. */
  readonly counters?: PublisherCounters;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

const CONFIRM_AFTER_MS = 30_000;
/** Wait after the encoder said that it has too much to do, milliseconds. */
const BUSY_MS = 200;
/** Why what a publisher has begun is given up. One for all: it carries nothing. */
const CLOSED = new SyncError('ERR_SYNC_SESSION_ENDED', 'the session has ended');
/** Longest stamp that an edge may hand in, bytes. */
const MAX_STAMP_BYTES = 4 * 1024;

/**
 * The hub's end of one scope in one session: docs/sync.md. Made for each `subscribe` frame of an edge.
 *
 * Who calls what: the session's frame handler calls {@link start} with the state in the `subscribe` frame, then
 * {@link onAck} and {@link onReport} with each frame for this scope. What they throw ends the session. Errors that
 * come up later go to `onFailed`. Whoever holds the session calls {@link close} when it has ended, or with
 * `unsubscribe`. All of it on one thread; nothing blocks.
 *
 * What it remembers of the edge is a hash for each key, and of what it has to send only keys: what to send is read from
 * the view when there is room in the window.
 */
export class ScopePublisher {
  readonly #options: ScopePublisherOptions;
  readonly #view: ScopeView;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #normalForm: number;
  readonly #builder: BatchBuilder;
  readonly #holds: RemovalHolds;
  readonly #window = new SendWindow();
  readonly #closing = new AbortController();
  readonly #pending = new Set<ContentKey>();
  readonly counters: PublisherCounters;
  /** Undefined until it is known. */
  #has: EdgeHas | undefined;
  #comparison: InventoryComparison | undefined;
  /** What is to be asked next. */
  #question: Partial<AskInventory> | undefined;
  #stopListening: (() => void) | undefined;
  #running = false;
  #closed = false;
  #sequence = 0;
  /** Whether the edge was told that it has everything, since it last had not. */
  #told = false;
  /** Bytes that the next object needs: nothing goes before there is room for it. */
  #neededBytes = 0;
  #busyTimer: Timer | undefined;

  constructor(options: ScopePublisherOptions) {
    this.#options = options;
    this.#view = options.view;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#normalForm = options.normalForm ?? NORMAL_FORMS.current.version;
    this.counters = options.counters ?? publisherCounters();
    this.#builder = new BatchBuilder({
      view: options.view,
      encoder: options.encoder,
      counters: this.counters,
      onOversized: (key, bytes) =>
        this.#log.error({ key, bytes }, 'an object is too large to be sent to an edge'),
    });
    this.#holds = new RemovalHolds({
      catchUp: (signal) => this.#view.catchUp(signal),
      signal: this.#closing.signal,
      onDue: () => this.#wake(),
      delayMs: options.confirmAfterMs ?? CONFIRM_AFTER_MS,
      clock: this.#clock,
      log: this.#log,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** Objects that may differ from what the edge has. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Batches that the edge has not acknowledged. */
  get unacknowledged(): number {
    return this.#window.size;
  }

  /** Whether the edge was told that it has everything, and has acknowledged it. */
  get inSync(): boolean {
    return this.#told && this.#window.size === 0;
  }

  /** Begins. Called once. @throws SyncError `ERR_SYNC_BAD_MESSAGE`, `ERR_SYNC_LIMIT` for a state that is none */
  start(state: Uint8Array): void {
    const decoded = readState(state);
    this.#stopListening = this.#view.listen({
      changed: (key) => {
        // Before it is known what the edge has, all keys will be compared anyway.
        if (this.#has === undefined) return;
        this.#pending.add(key);
        this.#wake();
      },
      ready: () => this.#wake(),
    });
    if (this.#options.admit === undefined) this.#begin(decoded);
    else this.#admit(this.#options.admit, decoded);
  }

  /** The edge says that a batch, and all before it, is durable. @throws SyncError `ERR_SYNC_BAD_ACK` */
  onAck(sequence: number): void {
    if (this.#closed) return;
    this.#window.acknowledged(sequence);
    this.#wake();
  }

  /**
   * The edge says something about the scope: `ScopeReport.body`.
   * @throws SyncError `ERR_SYNC_BAD_MESSAGE`, `ERR_SYNC_BAD_INVENTORY`, `ERR_SYNC_LIMIT` and others of its parts
   */
  onReport(body: Uint8Array): void {
    if (this.#closed) return;
    const message = decoded(body);
    switch (message.body) {
      case 'bucketDigests':
        this.#answered(this.#asked().onDigests(message.bucketDigests));
        break;
      case 'entries':
        this.#answered(this.#asked().onEntries(message.entries));
        break;
      case 'wantFull':
        this.#wantFull(message.wantFull.keys);
        break;
      case 'held':
        this.#held(message.held);
        break;
      case undefined: // of a later release, which can do without an answer
        break;
    }
    this.#wake();
  }

  /** Ends; nothing is sent any more but what is being sent. Idempotent, at any time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListening?.();
    this.#busyTimer?.cancel();
    this.#holds.close();
    this.#closing.abort(CLOSED);
    this.#pending.clear();
    this.#has = undefined;
  }

  // ── comparing ──────────────────────────────────────────────────────────────────────────────────────────────

  #admit(admit: NonNullable<ScopePublisherOptions['admit']>, state: ScopeState): void {
    admit(state.stamp, this.#closing.signal).then(
      () => this.#begin(state),
      (error: unknown) => this.#fail(error),
    );
  }

  #begin(state: ScopeState): void {
    this.#comparison = new InventoryComparison(this.#view, state);
    this.#wake();
  }

  #asked(): InventoryComparison {
    if (this.#comparison === undefined || this.#has !== undefined)
      throw new SyncError('ERR_SYNC_BAD_MESSAGE', 'an inventory that nobody asked for');
    return this.#comparison;
  }

  #answered(comparison: Comparison | undefined): void {
    if (comparison === undefined) return;
    if ('ask' in comparison) this.#question = comparison.ask;
    else this.#follow(comparison.has);
  }

  /** It is known what the edge has: from here on differences travel. */
  #follow(has: EdgeHas): void {
    this.#has = has;
    this.#comparison = undefined;
    for (const [key, hash] of this.#view.hashes()) if (has.get(key) !== hash) this.#pending.add(key);
    for (const key of has.keys()) if (this.#view.get(key) === undefined) this.#pending.add(key);
  }

  // ── following ──────────────────────────────────────────────────────────────────────────────────────────────

  #wantFull(keys: readonly ContentKey[]): void {
    if (this.#has === undefined)
      throw new SyncError('ERR_SYNC_BAD_MESSAGE', 'contents wanted before any came');
    for (const key of keys) {
      // What was removed since is not wanted any more.
      if (!this.#has.has(key)) continue;
      this.counters.wantedFull += 1;
      this.#has.set(key, UNKNOWN_CONTENT);
      this.#pending.add(key);
      this.#told = false;
    }
  }

  #held({ id, removals, count }: Held): void {
    if (this.#has === undefined) throw new SyncError('ERR_SYNC_BAD_MESSAGE', 'removals held before any came');
    this.#holds.add(id);
    this.counters.holds += 1;
    this.#told = false;
    this.#log.warn({ removals, count }, 'the edge holds back a mass removal');
  }

  /** Makes the loop look whether there is something to do. */
  #wake(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      // What changes together travels together.
      await Promise.resolve();
      for (let step = this.#next(); step !== undefined; step = this.#next()) await step();
    } catch (error) {
      this.#fail(error);
    }
    this.#running = false;
  }

  /** What is to be done now; undefined: nothing until something happens. */
  #next(): (() => Promise<void>) | undefined {
    if (this.#closed || !this.#view.ready) return undefined;
    const has = this.#has;
    if (has === undefined) return this.#nextOfComparison();
    if (this.#pending.size > 0 && this.#hasRoom()) return () => this.#sendBatch(has);
    if (this.#holds.due !== undefined && !this.#somethingIsMissing(has)) return () => this.#confirm();
    if (this.#pending.size === 0 && this.#holds.size === 0 && !this.#told) return () => this.#sendInSync();
    return undefined;
  }

  #nextOfComparison(): (() => Promise<void>) | undefined {
    const comparison = this.#comparison;
    if (comparison !== undefined && !comparison.begun) this.#compare(comparison);
    const question = this.#question;
    if (question === undefined) return this.#has === undefined ? undefined : this.#next();
    return () => {
      this.#question = undefined;
      return this.#say({ askInventory: question });
    };
  }

  #compare(comparison: InventoryComparison): void {
    const outcome = comparison.begin();
    this.#answered(outcome);
    if ('ask' in outcome) this.counters.inventories += 1;
    else if (this.#pending.size === 0) this.counters.unchanged += 1;
  }

  #hasRoom(): boolean {
    const room = this.#window.roomBytes;
    return this.#busyTimer === undefined && room > 0 && room >= this.#neededBytes;
  }

  async #sendBatch(has: EdgeHas): Promise<void> {
    const keys = this.#holds.due === undefined ? this.#pending : this.#missingFirst(has);
    const built = await this.#builder.build(keys, this.#pending, has, this.#window.roomBytes);
    if (this.#closed) return;
    this.#neededBytes = built.neededBytes ?? 0;
    if (built.stopped === 'busy') this.#waitForEncoder();
    if (built.changes.length === 0) return;
    this.#told = this.#pending.size === 0 && this.#holds.size === 0;
    const { changes } = built;
    this.#count(changes);
    const stamp = this.#view.stamp();
    await this.#say({ batch: { changes, stamp, normalForm: this.#normalForm, inSync: this.#told } });
  }

  #waitForEncoder(): void {
    this.#busyTimer = this.#clock.setTimer(BUSY_MS, () => {
      this.#busyTimer = undefined;
      this.#wake();
    });
  }

  /** Objects that the edge lacks go first: among them are those that it holds back, and that are wanted again. */
  #missingFirst(has: EdgeHas): ContentKey[] {
    const missing = [...this.#pending].filter((key) => this.#isMissing(key, has));
    return missing.length > 0 ? missing : [...this.#pending];
  }

  #somethingIsMissing(has: EdgeHas): boolean {
    for (const key of this.#pending) if (this.#isMissing(key, has)) return true;
    return false;
  }

  #isMissing(key: ContentKey, has: EdgeHas): boolean {
    return !has.has(key) && this.#view.get(key) !== undefined;
  }

  #confirm(): Promise<void> {
    const id = this.#holds.due ?? 0;
    this.#holds.confirmed();
    this.counters.confirmations += 1;
    return this.#say({ confirmRemovals: { id } });
  }

  #sendInSync(): Promise<void> {
    this.#told = true;
    return this.#say({ inSync: { stamp: this.#view.stamp() } });
  }

  #say(message: OutgoingHubMessage): Promise<void> {
    this.#sequence += 1;
    const body = encodeHubMessage(message);
    if ('batch' in message) this.#window.sent(this.#sequence, body.length);
    return this.#options.send({ delta: { scope: this.#options.scopeId, sequence: this.#sequence, body } });
  }

  #count(changes: readonly OutgoingChange[]): void {
    this.counters.batches += 1;
    for (const change of changes) {
      if ('full' in change) {
        this.counters.fulls += 1;
        this.counters.objectBytes += change.full.length;
      } else if ('delta' in change) {
        this.counters.deltas += 1;
        this.counters.objectBytes += change.delta.length;
      } else if ('removed' in change) this.counters.removals += 1;
      else this.counters.rehashes += 1;
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#options.onFailed(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

function readState(bytes: Uint8Array): ScopeState {
  let state: ScopeState;
  try {
    state = decodeScopeState(bytes);
  } catch (cause) {
    throw new SyncError('ERR_SYNC_BAD_MESSAGE', `the state of a scope: ${messageOf(cause)}`, { cause });
  }
  if (state.digest.length !== HASH_BYTES || state.stamp.length > MAX_STAMP_BYTES)
    throw new SyncError('ERR_SYNC_BAD_MESSAGE', 'the state of a scope: digest or stamp of a wrong length');
  if (state.count > SYNC_WINDOW.objects)
    throw new SyncError('ERR_SYNC_LIMIT', `${state.count} objects in a scope, most ${SYNC_WINDOW.objects}`);
  return state;
}

function decoded(body: Uint8Array): EdgeMessage {
  try {
    return decodeEdgeMessage(body);
  } catch (cause) {
    throw new SyncError('ERR_SYNC_BAD_MESSAGE', `a report about a scope: ${messageOf(cause)}`, { cause });
  }
}
