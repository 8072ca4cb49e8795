import assert from 'node:assert/strict';
import {
  decodeHubMessage,
  encodeEdgeMessage,
  encodeScopeState,
  type HubMessage,
  type OutgoingEdgeMessage,
  type OutgoingFrame,
  type ScopeState,
} from '@hawser/proto';
import { FakeClock } from '@hawser/seams/testing';
import {
  DeltaEncoder,
  DigestTree,
  hashFromBytes,
  packInventory,
  ScopePublisher,
  VersionCache,
  type Content,
  type ScopePublisherOptions,
} from '../../src/index.ts';
import { MemoryScopeView, type MemoryScopeViewOptions } from '../../testing/index.ts';
import { settle } from '../settle.ts';

/** The largest jitter there is, so that waits are known. */
const NO_LUCK = { next: () => 1 - Number.EPSILON };

/** A publisher, its view, and an edge whose words the test says. */
export class PublisherBench {
  readonly clock = new FakeClock();
  readonly view: MemoryScopeView;
  readonly versions = new VersionCache();
  readonly publisher: ScopePublisher;
  readonly failures: Error[] = [];
  /** What came to the edge and was not looked at yet. */
  readonly inbox: { readonly sequence: number; readonly bytes: number; readonly message: HubMessage }[] = [];
  /** What a send waits for. */
  sending: () => Promise<void> = () => Promise.resolve();

  constructor(options: Partial<ScopePublisherOptions> = {}, view: Partial<MemoryScopeViewOptions> = {}) {
    this.view = new MemoryScopeView({ scope: 'node/edge-1', ...view });
    this.publisher = new ScopePublisher({
      scopeId: 7,
      view: this.view,
      encoder: new DeltaEncoder({ versions: this.versions, threadAboveBytes: Infinity }),
      send: (frame) => this.#send(frame),
      onFailed: (error) => this.failures.push(error),
      clock: this.clock,
      random: NO_LUCK,
      ...options,
    });
  }

  /** The edge subscribes with what it has. */
  async subscribe(has: readonly Content[] = [], state: Partial<ScopeState> = {}): Promise<void> {
    const tree = DigestTree.of(has.map(({ key, hash }) => [key, hash] as const));
    this.publisher.start(
      encodeScopeState({ normalForm: 1, digest: tree.digest(), count: tree.size, ...state }),
    );
    await settle();
  }

  /** The edge answers a question for entries with all that it has. */
  async tellEntries(has: readonly Content[]): Promise<void> {
    const [packed] = packInventory(has.map(({ key, hash }) => [key, hash] as const));
    assert.ok(packed !== undefined);
    await this.report({ entries: { packed } });
  }

  async report(message: OutgoingEdgeMessage): Promise<void> {
    this.publisher.onReport(encodeEdgeMessage(message));
    await settle();
  }

  async ack(sequence: number): Promise<void> {
    this.publisher.onAck(sequence);
    await settle();
  }

  /** The next message, which has to be there and to be of this kind. */
  next<Body extends NonNullable<HubMessage['body']>>(
    body: Body,
  ): {
    readonly sequence: number;
    readonly bytes: number;
    readonly message: Extract<HubMessage, { body: Body }>;
  } {
    const received = this.inbox.shift();
    assert.equal(received?.message.body, body);
    return received as never; // it was looked at
  }

  /** The next message, which has to be a batch: what it says, readable. */
  batch(): { readonly sequence: number; readonly changes: string[]; readonly inSync: boolean } {
    const { sequence, message } = this.next('batch');
    const changes = message.batch.changes.map((change) => {
      const hash = change.hash.length === 0 ? '' : ` ${hashFromBytes(change.hash).slice(0, 4)}`;
      return `${change.body} ${change.key}${hash}`;
    });
    return { sequence, changes, inSync: message.batch.inSync };
  }

  /** Asserts that nothing more was said. */
  nothing(): void {
    assert.deepEqual(
      this.inbox.map(({ message }) => message.body),
      [],
    );
  }

  #send(frame: OutgoingFrame): Promise<void> {
    assert.ok('delta' in frame);
    const { scope, sequence = 0, body = new Uint8Array(0) } = frame.delta;
    assert.equal(scope, 7);
    this.inbox.push({ sequence, bytes: body.length, message: decodeHubMessage(body) });
    return this.sending();
  }
}

/** `removed pods/default/a`, `full … <first of the hash>`, as {@link PublisherBench.batch} says it. */
export function said(body: 'full' | 'delta' | 'rehashed', { key, hash }: Content): string {
  return `${body} ${key} ${hash.slice(0, 4)}`;
}
