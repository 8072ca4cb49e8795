import assert from 'node:assert/strict';
import {
  decodeEdgeMessage,
  decodeScopeState,
  encodeHubMessage,
  type EdgeMessage,
  type OutgoingChange,
  type OutgoingFrame,
  type OutgoingHubMessage,
  type ScopeState,
} from '@hawser/proto';
import { FakeClock } from '@hawser/seams/testing';
import {
  encodeDelta,
  hashToBytes,
  pack,
  ScopeReplica,
  type Content,
  type ReplicaSession,
  type ScopeReplicaOptions,
} from '../../src/index.ts';
import { MemoryDisk, MemoryReplicaStore } from '../../testing/index.ts';
import { settle } from '../settle.ts';

/** The largest jitter there is, so that waits are known. */
const NO_LUCK = { next: () => 1 - Number.EPSILON };

export const SCOPE = 'node/edge-1';

/** A replica, its disk, and a hub whose words the test says. */
export class ReplicaBench {
  readonly clock = new FakeClock();
  readonly store: MemoryReplicaStore;
  readonly replica: ScopeReplica;
  readonly failures: Error[] = [];
  /** How often it was said that the edge has everything. */
  synced = 0;
  /** What a write waits for. */
  flush: () => Promise<void> = () => Promise.resolve();
  writes = 0;
  session: ReplicaSession | undefined;
  /** What came to the hub and was not looked at yet: `ack 3`, `want a b`, `held 1 4/5`, `digests`, `entries 7`. */
  inbox: string[] = [];
  state: ScopeState | undefined;
  subscribed: [string, string] | undefined;
  #sequence = 0;

  constructor(options: Partial<ScopeReplicaOptions> = {}, disk = new MemoryDisk()) {
    this.store = new MemoryReplicaStore({
      disk,
      flush: () => {
        this.writes += 1;
        return this.flush();
      },
    });
    this.replica = new ScopeReplica({
      scope: SCOPE,
      store: this.store,
      clock: this.clock,
      random: NO_LUCK,
      ...options,
    });
    this.replica.onSynced(() => (this.synced += 1));
  }

  /** Puts contents where an earlier session would have put them. */
  async has(contents: readonly Content[], normalForm = 1): Promise<this> {
    await this.store.apply(
      SCOPE,
      contents.map((put) => ({ put })),
      { normalForm, stamp: Uint8Array.of(1) },
    );
    this.writes = 0;
    return this;
  }

  /** A session begins. */
  async open(): Promise<this> {
    this.#sequence = 0;
    this.inbox = [];
    this.session = this.replica.open({
      scopeId: 7,
      send: (frame) => this.#take(frame),
      onFailed: (error) => this.failures.push(error),
    });
    await settle();
    return this;
  }

  /** The hub says something. */
  async say(message: OutgoingHubMessage): Promise<void> {
    this.#sequence += 1;
    this.session?.onDelta({ scope: 7, sequence: this.#sequence, body: encodeHubMessage(message) });
    await settle();
  }

  /** The hub sends changes; `inSync` unless told otherwise. */
  batch(
    changes: readonly OutgoingChange[],
    more: { inSync?: boolean; normalForm?: number } = {},
  ): Promise<void> {
    const { inSync = true, normalForm = 1 } = more;
    return this.say({ batch: { changes, inSync, normalForm, stamp: Uint8Array.of(this.#sequence + 10) } });
  }

  get keys(): string[] {
    return [...this.store.entries(SCOPE).keys()].sort();
  }

  /** What was said to the hub since the last time. */
  said(): string[] {
    return this.inbox.splice(0);
  }

  #take(frame: OutgoingFrame): Promise<void> {
    if ('subscribe' in frame) {
      const { scope, kind = '', name = '', state = new Uint8Array(0) } = frame.subscribe;
      assert.equal(scope, 7);
      this.subscribed = [kind, name];
      this.state = decodeScopeState(state);
    } else if ('deltaAck' in frame) this.inbox.push(`ack ${frame.deltaAck.sequence}`);
    else if ('scopeReport' in frame)
      this.inbox.push(readable(decodeEdgeMessage(frame.scopeReport.body ?? new Uint8Array(0))));
    else assert.fail('an edge does not say this');
    return Promise.resolve();
  }
}

function readable(message: EdgeMessage): string {
  switch (message.body) {
    case 'wantFull':
      return `want ${message.wantFull.keys.join(' ')}`;
    case 'held':
      return `held ${message.held.id} ${message.held.removals}/${message.held.count}`;
    case 'bucketDigests':
      return `digests ${message.bucketDigests.digests.length}`;
    case 'entries':
      return `entries${message.entries.more ? ', more' : ''}`;
    default:
      return 'nothing';
  }
}

/** A change that carries a content whole. */
export function full(content: Content): OutgoingChange {
  const { key, hash, version, bytes } = content;
  return { key, hash: hashToBytes(hash), version, full: pack(bytes) };
}

/** A change that makes `content` of `base`. */
export function delta(base: Content, content: Content): OutgoingChange {
  const { key, hash, version, bytes } = content;
  const instructions = encodeDelta(base.bytes, bytes);
  return { key, hash: hashToBytes(hash), base: hashToBytes(base.hash), version, delta: instructions };
}

/** A change that takes an object away. */
export function removed(content: Content): OutgoingChange {
  return { key: content.key, removed: true };
}
