import {
  decodeHubMessage,
  encodeEdgeMessage,
  encodeScopeState,
  type AskInventory,
  type Batch,
  type Delta,
  type HubMessage,
  type OutgoingEdgeMessage,
  type OutgoingFrame,
} from '@hawser/proto';
import type { Clock, Logger } from '@hawser/seams';
import { packInventory } from '../codec/inventory.ts';
import type { ContentHash, ContentKey } from '../content/content.ts';
import { BUCKETS, DigestTree } from '../content/digest-tree.ts';
import { compareKeys } from '../content/key.ts';
import { messageOf, SyncError } from '../errors.ts';
import { SYNC_WINDOW } from '../window.ts';
import { HeldRemovals } from './held-removals.ts';
import type { BatchDecoder } from './batch-decoder.ts';
import { isDeletedPod } from './deleted-pod.ts';
import type { RemovalGuard } from './removal-guard.ts';
import type { ReplicaChange, ReplicaRecord, ReplicaStore } from './replica-store.ts';
import type { ReplicaWriter } from './replica-writer.ts';

/** Looks at what a hub, or whoever stands in for it, has signed. What it throws ends the scope's session. */
export interface ReplicaChecks {
  /** Called with each stamp, before anything that came with it is applied. */
  stamp(stamp: Uint8Array): void;
  /** Called when the hub says that the edge has everything, and nothing is wanted or held. */
  synced(): void;
}

/** What the sessions of one scope share: it belongs to the `ScopeReplica`. */
export interface ReplicaParts {
  readonly scope: string;
  readonly checks: ReplicaChecks | undefined;
  readonly store: ReplicaStore;
  readonly decoder: BatchDecoder;
  readonly guard: RemovalGuard;
  readonly writer: ReplicaWriter;
  /** Counted into. */
  readonly counts: { batches: number; puts: number; removes: number; unmade: number; holds: number };
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a {@link ReplicaSession} is made of. */
export interface ReplicaSessionOptions {
  /** `Subscribe.scope`: this side's number for the scope, of its own in the session. */
  readonly scopeId: number;
  /** `Subscribe.epoch`: in which this node leads the pool. Default 0: it does not. */
  readonly epoch?: number;
  /** `Subscribe.direct`: by a grant, without the pool's leader. Default false. */
  readonly direct?: boolean;
  /** Sends a frame of the session; resolves when the next one makes sense, rejects once the session has ended. */
  readonly send: (frame: OutgoingFrame) => Promise<void>;
  /** Called at most once, and not after {@link ReplicaSession.end}: end the session because of this error. */
  readonly onFailed: (error: Error) => void;
}

/** What the replica wants to hear of its session. */
interface ReplicaSessionListener {
  readonly onSynced: () => void;
  /** Called once, when it has ended in any way. */
  readonly onEnd: () => void;
}

/** Why what a session has begun is given up. One for all: it carries nothing. */
const ENDED = new SyncError('ERR_SYNC_SESSION_ENDED', 'the session has ended');

interface Received {
  readonly sequence: number;
  readonly message: HubMessage;
  readonly bytes: number;
}

/** Messages beside batches that may wait at a time. A hub sends a few. */
const MAX_WAITING = 64;
/** Questions about what the edge has, in one session. A hub asks twice. */
const MAX_QUESTIONS = 4;
/** Bytes of keys in one `WantFull`. */
const WANT_FULL_BYTES = 256 * 1024;

/**
 * The edge's end of one scope in one session. Made by `ScopeReplica.open`, which says hello to the scope.
 *
 * Who calls what: the session's frame handler calls {@link onDelta} with each `delta` frame; what it throws ends the
 * session. What comes up later goes to `onFailed`. The owner calls {@link end} when the session has ended. A batch is
 * acknowledged once it is durable; a disk that refuses is tried again for as long as the session lasts, and the hub
 * waits meanwhile. Frames never wait for the disk: what is received is bounded by the window.
 */
export class ReplicaSession {
  readonly #parts: ReplicaParts;
  readonly #options: ReplicaSessionOptions & ReplicaSessionListener;
  readonly #ending = new AbortController();
  readonly #received: Received[] = [];
  readonly #held = new HeldRemovals();
  /** Objects whose whole content was asked for, and has not come. */
  readonly #wanted = new Set<ContentKey>();
  #sequence = 0;
  /** Batches that were not acknowledged, and their bytes. */
  #open = { batches: 0, bytes: 0 };
  #questions = 0;
  #batches = 0;
  #working = false;
  #subscribed = false;
  #synced = false;

  constructor(parts: ReplicaParts, options: ReplicaSessionOptions & ReplicaSessionListener) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Whether the hub has said that the edge has everything, and nothing came since. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Whether it is over, as when another session has taken its place. */
  get ended(): boolean {
    return this.#ending.signal.aborted;
  }

  get heldRemovals(): number {
    return this.#held.size;
  }

  get wanted(): number {
    return this.#wanted.size;
  }

  /** Subscribes, once what the session before has begun to write is written. Called by `ScopeReplica.open`. */
  start(): void {
    this.#subscribe().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Takes a `delta` frame.
   * @throws SyncError `ERR_SYNC_BAD_SEQUENCE`, `ERR_SYNC_BAD_MESSAGE`, `ERR_SYNC_LIMIT`: end the session
   */
  onDelta(delta: Delta): void {
    if (this.#ending.signal.aborted) return;
    const { scope, sequence, body } = delta;
    if (scope !== this.#options.scopeId || !this.#subscribed)
      throw new SyncError('ERR_SYNC_BAD_SEQUENCE', `changes of scope ${scope}, which was not subscribed to`);
    if (sequence !== this.#sequence + 1)
      throw new SyncError('ERR_SYNC_BAD_SEQUENCE', `change ${sequence} comes after ${this.#sequence}`);
    this.#sequence = sequence;
    const message = decoded(body);
    if (message.body === 'batch') this.#takeIntoWindow(body.length);
    if (this.#received.length >= MAX_WAITING)
      throw new SyncError('ERR_SYNC_LIMIT', `more than ${MAX_WAITING} messages wait`);
    this.#received.push({ sequence, message, bytes: body.length });
    this.#work();
  }

  /** Ends: nothing is acknowledged any more; what is being written may still become durable. Idempotent. */
  end(): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort(ENDED);
    this.#received.length = 0;
    this.#synced = false;
    this.#options.onEnd();
  }

  async #subscribe(): Promise<void> {
    const { writer, store, scope } = this.#parts;
    await writer.idle();
    if (this.#ending.signal.aborted) return;
    const { normalForm, stamp } = store.record(scope);
    const tree = this.#tree();
    const state = encodeScopeState({ normalForm, digest: tree.digest(), count: tree.size, stamp });
    const slash = scope.indexOf('/');
    const kind = scope.slice(0, slash);
    const name = scope.slice(slash + 1);
    this.#subscribed = true;
    const { scopeId, epoch = 0, direct = false } = this.#options;
    await this.#options.send({ subscribe: { scope: scopeId, kind, name, state, epoch, direct } });
  }

  #takeIntoWindow(bytes: number): void {
    const open = this.#open;
    const full =
      open.batches >= SYNC_WINDOW.batches || (open.batches > 0 && open.bytes + bytes > SYNC_WINDOW.bytes);
    if (full) throw new SyncError('ERR_SYNC_LIMIT', 'more batches on their way than were agreed upon');
    this.#open = { batches: open.batches + 1, bytes: open.bytes + bytes };
    this.#synced = false;
  }

  #work(): void {
    if (this.#working) return;
    this.#working = true;
    void this.#handleAll();
  }

  async #handleAll(): Promise<void> {
    try {
      for (let next = this.#received.shift(); next !== undefined; next = this.#received.shift()) {
        await this.#handle(next);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#working = false;
  }

  async #handle({ message, sequence, bytes }: Received): Promise<void> {
    switch (message.body) {
      case 'batch':
        return this.#onBatch(message.batch, sequence, bytes);
      case 'askInventory':
        return this.#onQuestion(message.askInventory);
      case 'confirmRemovals':
        return this.#onConfirmed(message.confirmRemovals.id);
      case 'inSync':
        return this.#onInSync(message.inSync.stamp);
      case undefined: // of a later release, which can do without it
        return undefined;
    }
  }

  // ── batches ────────────────────────────────────────────────────────────────────────────────────────────────

  async #onBatch(batch: Batch, sequence: number, bytes: number): Promise<void> {
    this.#batches += 1;
    this.#checkStamp(batch.stamp);
    const { puts, removes, unmade } = await this.#parts.decoder.decode(batch);
    const back = puts.map(({ key }) => key);
    for (const key of [...back, ...removes]) this.#wanted.delete(key);
    for (const key of back) this.#held.release(key);
    const { allowed, held, counted } = await this.#judge(removes);
    const ask = unmade.filter((key) => !this.#wanted.has(key));
    for (const key of ask) this.#wanted.add(key);
    const hold = held.length === 0 ? undefined : this.#held.hold(held);
    const changes = [...puts.map((put) => ({ put })), ...allowed.map((remove) => ({ remove }))];
    const complete = batch.inSync && this.#isComplete();
    if (!(await this.#apply(changes, counted, this.#recordAfter(batch)))) return;
    if (complete) this.#parts.checks?.synced();
    this.#parts.counts.batches += 1;
    this.#parts.counts.unmade += ask.length;
    await this.#wantFull(ask);
    if (hold !== undefined) await this.#sayHeld(hold);
    this.#open = { batches: this.#open.batches - 1, bytes: this.#open.bytes - bytes };
    await this.#options.send({ deltaAck: { scope: this.#options.scopeId, sequence } });
    if (complete) this.#isInSync();
  }

  /** Rule 4 of docs/sync.md: which removals are carried out, and which are held back; all that count, or none. */
  async #judge(removes: readonly ContentKey[]) {
    const { guard, store, scope, clock } = this.#parts;
    const counted: ContentKey[] = [];
    const exempt: ContentKey[] = [];
    for (const key of removes) {
      if (this.#held.has(key)) continue;
      ((await isDeletedPod(store, scope, key)) ? exempt : counted).push(key);
    }
    const asked = {
      counted,
      uncounted: exempt.length,
      alsoHeld: this.#held.size,
      count: store.entries(scope).size,
    };
    if (counted.length === 0 || guard.allows(asked, clock.monotonicMs()))
      return { allowed: [...counted, ...exempt], held: [], counted };
    return { allowed: exempt, held: counted, counted: [] };
  }

  /** What the record is to be; undefined: as it is. */
  #recordAfter({
    normalForm,
    stamp,
  }: Pick<ReplicaRecord, 'normalForm' | 'stamp'>): ReplicaRecord | undefined {
    const last = this.#parts.store.record(this.#parts.scope);
    const next = { normalForm, stamp: stamp.length > 0 ? stamp : last.stamp };
    const same = normalForm === last.normalForm && Buffer.compare(next.stamp, last.stamp) === 0;
    return same ? undefined : next;
  }

  /** Makes it durable; answers whether it is. */
  async #apply(
    changes: readonly ReplicaChange[],
    counted: readonly ContentKey[],
    record?: ReplicaRecord,
  ): Promise<boolean> {
    if (changes.length === 0 && record === undefined) return !this.#ending.signal.aborted;
    const { writer, store, scope, guard, clock, counts } = this.#parts;
    const before = store.entries(scope).size;
    const done = await writer.write(changes, record, this.#ending.signal);
    if (!done) return false;
    const puts = changes.flatMap((change) => ('put' in change ? [change.put.key] : []));
    const uncounted = changes.length - puts.length - counted.length;
    const after = store.entries(scope).size;
    guard.applied({ before, after, counted, uncounted, put: puts }, clock.monotonicMs());
    counts.puts += puts.length;
    counts.removes += changes.length - puts.length;
    return !this.#ending.signal.aborted;
  }

  async #wantFull(keys: readonly ContentKey[]): Promise<void> {
    let part: ContentKey[] = [];
    let bytes = 0;
    for (const key of keys) {
      part.push(key);
      bytes += Buffer.byteLength(key);
      if (bytes < WANT_FULL_BYTES) continue;
      await this.#say({ wantFull: { keys: part } });
      part = [];
      bytes = 0;
    }
    if (part.length > 0) await this.#say({ wantFull: { keys: part } });
  }

  async #sayHeld(id: number): Promise<void> {
    const { store, scope, log, counts } = this.#parts;
    const removals = this.#held.size;
    const count = store.entries(scope).size;
    counts.holds += 1;
    log.warn(
      { scope, removals, count },
      'more than half of the scope was to go: held until the hub confirms',
    );
    await this.#say({ held: { id, removals, count } });
  }

  // ── the rest ───────────────────────────────────────────────────────────────────────────────────────────────

  async #onConfirmed(id: number): Promise<void> {
    const keys = this.#held.confirmed(id);
    const { store, scope, guard, log } = this.#parts;
    const there = keys.filter((key) => store.entries(scope).has(key));
    const changes = there.map((remove) => ({ remove }));
    if (!(await this.#apply(changes, []))) return;
    for (const key of keys) this.#held.release(key);
    // What the hub has taken back meanwhile was not confirmed.
    if (there.length > 0) guard.confirmed();
    log.info({ scope, removals: there.length }, 'removed what was held back');
  }

  async #onInSync(stamp: Uint8Array): Promise<void> {
    const { store, scope, writer, checks } = this.#parts;
    this.#checkStamp(stamp);
    const record = this.#recordAfter({ normalForm: store.record(scope).normalForm, stamp });
    // Nothing else changes: a disk that refuses is not waited for, the next stamp does as well.
    if (record !== undefined) await writer.tryRecord(record);
    if (!this.#isComplete() || this.#ending.signal.aborted) return;
    checks?.synced();
    this.#isInSync();
  }

  #checkStamp(stamp: Uint8Array): void {
    if (stamp.length > 0) this.#parts.checks?.stamp(stamp);
  }

  async #onQuestion({ buckets, wanted }: AskInventory): Promise<void> {
    this.#questions += 1;
    if (this.#batches > 0 || this.#questions > MAX_QUESTIONS)
      throw new SyncError('ERR_SYNC_BAD_MESSAGE', 'a question about the inventory, out of place');
    const tree = this.#tree();
    if (buckets === 1 && wanted.length === 0) return this.#sayEntries(tree.entries());
    if (buckets !== BUCKETS || wanted.length > BUCKETS)
      throw new SyncError('ERR_SYNC_BAD_MESSAGE', `an inventory of ${buckets} buckets`);
    if (wanted.length === 0) return this.#say({ bucketDigests: { digests: tree.bucketDigests() } });
    return this.#sayEntries(tree.entriesIn(wanted));
  }

  async #sayEntries(entries: Iterable<readonly [ContentKey, ContentHash]>): Promise<void> {
    const sorted = [...entries].sort(([one], [other]) => compareKeys(one, other));
    const messages = packInventory(sorted);
    for (const [index, packed] of messages.entries()) {
      await this.#say({ entries: { packed, more: index < messages.length - 1 } });
    }
  }

  /** All keys and hashes that are durable now. */
  #tree(): DigestTree {
    const tree = new DigestTree();
    for (const [key, { hash }] of this.#parts.store.entries(this.#parts.scope)) tree.set(key, hash);
    return tree;
  }

  /** Whether nothing is asked for or held back: then the edge can have everything. */
  #isComplete(): boolean {
    return this.#wanted.size === 0 && this.#held.size === 0;
  }

  #isInSync(): void {
    // What came meanwhile makes it untrue, unless it says so itself in its turn.
    if (this.#ending.signal.aborted || this.#open.batches > 0) return;
    this.#synced = true;
    this.#options.onSynced();
  }

  async #say(message: OutgoingEdgeMessage): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const body = encodeEdgeMessage(message);
    await this.#options.send({ scopeReport: { scope: this.#options.scopeId, body } });
  }

  #fail(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    this.end();
    this.#options.onFailed(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

function decoded(body: Uint8Array): HubMessage {
  try {
    return decodeHubMessage(body);
  } catch (cause) {
    throw new SyncError('ERR_SYNC_BAD_MESSAGE', `changes of a scope: ${messageOf(cause)}`, { cause });
  }
}
