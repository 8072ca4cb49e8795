import {
  decodeEdgeMessage,
  decodeHubMessage,
  type EdgeMessage,
  type Frame,
  type HubMessage,
  type OutgoingFrame,
} from '@hawser/proto';
import { hashFromBytes, type Content, type ContentKey } from '@hawser/sync';
import { UNSEEN_WRITES, type SimCluster } from './sim-cluster.ts';
import type { FrameWatcher, SimConnection, SimSide } from './sim-connection.ts';
import type { SimEdge } from './sim-edge.ts';
import { RemovalLog } from './removal-log.ts';

/** How long a hub waits before it confirms a mass removal, milliseconds. */
const CONFIRM_AFTER_MS = 30_000;

/** What was seen of one connection. */
interface Seen {
  readonly edge: SimEdge;
  /** Batches that the edge took and has not acknowledged, by sequence: hash of each key, undefined for a removal. */
  readonly batches: Map<number, ReadonlyMap<ContentKey, string | undefined>>;
  /** What the edge has asked for whole. */
  readonly wanted: Set<ContentKey>;
  /** What the edge holds back, and with which hold. */
  readonly held: Map<ContentKey, number>;
  /** When the hub learned of each hold. */
  readonly holds: Map<number, number>;
  /** The last hold that the edge made, and the last one that a hub confirmed. */
  lastHold: number;
  confirmedHold: number;
}

/** What a {@link Checker} works with. */
export interface CheckerOptions {
  readonly cluster: SimCluster;
  readonly nowMs: () => number;
  /** Called with what must not happen, and did. */
  readonly fail: (what: string) => void;
  /** Called with what happened. */
  readonly log: (what: string) => void;
}

/** Looks at all that happens, with eyes of its own, and says what must not. */
export class Checker implements FrameWatcher {
  readonly #cluster: SimCluster;
  readonly #nowMs: () => number;
  readonly #fail: (what: string) => void;
  readonly #log: (what: string) => void;
  readonly #seen = new WeakMap<SimConnection, Seen>();
  /** What each edge had on its disk, when it was last looked at. */
  readonly #had = new Map<SimEdge, Map<ContentKey, Content>>();
  /** resourceVersion in the stamp that each edge had then. */
  readonly #stamps = new Map<SimEdge, number>();
  readonly #removals = new Map<SimEdge, RemovalLog>();
  /** The connections of each edge since it last wrote, the newest first: what one began to write the next one has. */
  readonly #recent = new Map<SimEdge, readonly Seen[]>();
  /** Whether a hub has lost its memory in this simulation. */
  hubForgot = false;

  constructor(options: CheckerOptions) {
    this.#cluster = options.cluster;
    this.#nowMs = options.nowMs;
    this.#fail = options.fail;
    this.#log = options.log;
  }

  connected(connection: SimConnection, edge: SimEdge): void {
    const seen: Seen = {
      edge,
      batches: new Map(),
      wanted: new Set(),
      held: new Map(),
      holds: new Map(),
      lastHold: 0,
      confirmedHold: 0,
    };
    this.#seen.set(connection, seen);
    // Only what was confirmed can still be on its way to the disk.
    const before = this.#recent.get(edge) ?? [];
    for (const { held, confirmedHold } of before) {
      for (const [key, hold] of held) if (hold > confirmedHold) held.delete(key);
    }
    this.#recent.set(edge, [seen, ...before].slice(0, 3));
  }

  taken(connection: SimConnection, by: SimSide, frame: Frame): void {
    const seen = this.#seen.get(connection);
    if (seen === undefined) return;
    if (by === 'edge' && frame.body === 'delta')
      this.#fromHub(seen, frame.delta.sequence, decodeHubMessage(frame.delta.body));
    if (by === 'hub' && frame.body === 'scopeReport')
      this.#atHub(seen, decodeEdgeMessage(frame.scopeReport.body));
  }

  sent(connection: SimConnection, from: SimSide, frame: OutgoingFrame): void {
    const seen = this.#seen.get(connection);
    if (seen === undefined || from !== 'edge') return;
    if ('deltaAck' in frame) this.#acknowledged(seen, frame.deltaAck.sequence ?? 0);
    if (!('scopeReport' in frame)) return;
    const message = decodeEdgeMessage(frame.scopeReport.body ?? new Uint8Array(0));
    if (message.body === 'held') seen.lastHold = message.held.id;
    if (message.body === 'wantFull') for (const key of message.wantFull.keys) seen.wanted.add(key);
  }

  /** The edge's process is another one now: it has forgotten what was removed within the last minute. */
  restarted(edge: SimEdge): void {
    this.applied(edge);
    this.#removals.delete(edge);
  }

  /** Something has become durable at an edge. */
  applied(edge: SimEdge): void {
    const had = this.#had.get(edge) ?? new Map<ContentKey, Content>();
    const has = new Map(edge.disk.content.scopes.get(edge.scope)?.objects);
    const puts: ContentKey[] = [];
    for (const [key, content] of has) {
      const before = had.get(key);
      if (before === content) continue;
      puts.push(key);
      this.#checkPut(edge, before, content);
    }
    const removed = [...had.values()].filter(({ key }) => !has.has(key));
    if (puts.length + removed.length > 0)
      this.#log(
        `${edge.node} has ${puts.join(' ')}, no more ${removed.map(keyOf).join(' ')}, ${has.size} in all`,
      );
    const confirmed = removed.length > 0 && this.#checkRemovals(edge, had.size, removed);
    const counted = removed.filter(counts).map(keyOf);
    const uncounted = removed.length - counted.length;
    this.#logOf(edge).applied(this.#nowMs(), had.size, has.size, uncounted, counted, puts);
    if (confirmed) this.#logOf(edge).confirmed();
    this.#recent.set(edge, this.#recent.get(edge)?.slice(0, 1) ?? []);
    this.#had.set(edge, has);
    this.#stamps.set(edge, stampOf(edge));
  }

  #logOf(edge: SimEdge): RemovalLog {
    let log = this.#removals.get(edge);
    if (log === undefined) this.#removals.set(edge, (log = new RemovalLog()));
    return log;
  }

  #checkPut({ node, accepted }: SimEdge, before: Content | undefined, content: Content): void {
    const { key, hash, version } = content;
    if (!this.#cluster.everHad(key, hash)) this.#fail(`${node}: ${key} is what no object ever was`);
    const sameLife = accepted?.incarnation === this.#cluster.incarnation && this.#cluster.generation === 0;
    if (before !== undefined && sameLife && Number(version) < Number(before.version))
      this.#fail(`${node}: ${key} went back from version ${before.version} to ${version}`);
  }

  /** Answers whether it was a mass removal that a hub has confirmed. */
  #checkRemovals(edge: SimEdge, before: number, removed: readonly Content[]): boolean {
    const nowMs = this.#nowMs();
    const { node } = edge;
    const counted = removed.filter(counts).map(keyOf);
    const uncounted = removed.length - counted.length;
    // A pod that was marked for deletion is held back, too, where the disk cannot be read when it is to go.
    const seen = this.#recent.get(edge)?.find(({ held }) => removed.some(({ key }) => held.has(key)));
    const allowed = counted.length === 0 || this.#logOf(edge).allows(nowMs, before, counted, uncounted);
    for (const content of removed) {
      // What a hub without its memory takes away bit by bit is told from what people do by its share alone.
      if (this.hubForgot && (!counts(content) || (allowed && seen === undefined))) continue;
      const sinceMs = this.#cluster.writtenMs.get(Number(content.version)) ?? 0;
      if (!this.#cluster.wasAbsent(node, content.key, sinceMs, this.#knowableMs(edge)))
        this.#fail(`${node}: ${content.key} was removed, and was wanted all the time`);
    }
    if (seen !== undefined) {
      const keys = removed.filter((content) => counts(content) || seen.held.has(content.key)).map(keyOf);
      this.#checkConfirmed(seen, keys);
      for (const key of keys) seen.held.delete(key);
      return true;
    }
    if (!allowed)
      this.#fail(`${node}: ${counted.length} of ${before} objects were removed, and nobody was asked`);
    return false;
  }

  #checkConfirmed({ edge, held, holds, confirmedHold }: Seen, keys: readonly ContentKey[]): void {
    for (const key of keys) {
      const hold = held.get(key);
      if (hold === undefined) this.#fail(`${edge.node}: ${key} was removed with what was held, and was not`);
      else if (hold > confirmedHold) this.#fail(`${edge.node}: ${key} was removed while it was held`);
      else if (
        !this.#cluster.wasAbsent(
          edge.node,
          key,
          (holds.get(hold) ?? 0) + CONFIRM_AFTER_MS,
          this.#knowableMs(edge),
        )
      )
        this.#fail(`${edge.node}: ${key} was removed, and was wanted when it was confirmed`);
    }
  }

  /**
   * Until when what the cluster wanted counts for an edge that has seen what is no more: not after the cluster's data
   * went back, before somebody has accepted that.
   */
  #knowableMs(edge: SimEdge): number {
    const { restoredMs = Infinity, restoredRv, incarnation } = this.#cluster;
    const sawMore = (this.#stamps.get(edge) ?? 0) > restoredRv + UNSEEN_WRITES / 2;
    const obeys = edge.accepted?.incarnation === incarnation && incarnation !== 'life-1';
    return sawMore && !obeys ? Math.min(restoredMs, this.#nowMs()) : this.#nowMs();
  }

  #fromHub(seen: Seen, sequence: number, message: HubMessage): void {
    if (message.body === 'batch') {
      const changes = new Map<ContentKey, string | undefined>();
      for (const change of message.batch.changes) {
        changes.set(change.key, change.body === 'removed' ? undefined : hashFromBytes(change.hash));
      }
      seen.batches.set(sequence, changes);
    }
    if (message.body === 'confirmRemovals') {
      const learnedMs = seen.holds.get(message.confirmRemovals.id);
      if (learnedMs === undefined || this.#nowMs() < learnedMs + CONFIRM_AFTER_MS)
        this.#fail(`${seen.edge.node}: a hub confirmed a removal before its time`);
      seen.confirmedHold = message.confirmRemovals.id;
    }
  }

  #atHub(seen: Seen, message: EdgeMessage): void {
    if (message.body === 'held') seen.holds.set(message.held.id, this.#nowMs());
  }

  /** Persist, then acknowledge. */
  #acknowledged(seen: Seen, sequence: number): void {
    const { edge, batches, wanted, held } = seen;
    const objects = edge.disk.content.scopes.get(edge.scope)?.objects;
    for (const [key, hash] of batches.get(sequence) ?? []) {
      const has = objects?.get(key)?.hash;
      if (hash === undefined) {
        wanted.delete(key);
        if (has !== undefined && !held.has(key)) held.set(key, seen.lastHold);
      } else if (has === hash) {
        wanted.delete(key);
        held.delete(key);
      } else if (!wanted.has(key)) {
        this.#fail(`${edge.node}: ${key} was acknowledged, and is not on the disk`);
      }
    }
    batches.delete(sequence);
  }
}

/** The resourceVersion in the stamp of what an edge has. */
function stampOf({ disk, scope }: SimEdge): number {
  const stamp = disk.content.scopes.get(scope)?.record.stamp;
  if (stamp === undefined || stamp.length === 0) return 0;
  return (JSON.parse(Buffer.from(stamp).toString('utf8')) as { rv: number }).rv;
}

function keyOf({ key }: Content): ContentKey {
  return key;
}

/** Whether the removal of this object counts: pods that were marked for deletion do not. */
function counts({ key, bytes }: Content): boolean {
  if (!key.startsWith('pods/')) return true;
  const pod = JSON.parse(Buffer.from(bytes).toString('utf8')) as { metadata: { deletionTimestamp?: string } };
  return pod.metadata.deletionTimestamp === undefined;
}
