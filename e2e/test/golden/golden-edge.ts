import { encodeFrame, type Frame, type OutgoingFrame } from '@hawser/proto';
import type { FakeClock } from '@hawser/seams/testing';
import { Outbox, ScopeReplica, UpstreamSession, type ReplicaSession } from '@hawser/sync';
import { MemoryOutboxStore, MemoryReplicaStore } from '@hawser/sync/testing';
import { messageOf, type GoldenOutcome, type GoldenStep } from './golden-script.ts';

const SCOPE = 'node/edge-1';
const RANDOM = { next: (): number => 0.5 };

/** The edge of this release, in a session that may be a recorded one. */
export class GoldenEdge {
  readonly errors: Error[] = [];
  readonly #onFrame: (bytes: Uint8Array) => void;
  readonly #store = new MemoryReplicaStore();
  readonly #replica: ScopeReplica;
  readonly #outbox: Outbox;
  #session: ReplicaSession | undefined;
  #upstream: UpstreamSession | undefined;

  /** @param onFrame gets each frame that it sends, without its length */
  constructor(clock: FakeClock, onFrame: (bytes: Uint8Array) => void) {
    this.#onFrame = onFrame;
    this.#replica = new ScopeReplica({ scope: SCOPE, store: this.#store, clock, random: RANDOM });
    this.#outbox = new Outbox({ store: new MemoryOutboxStore(), clock, random: RANDOM });
  }

  start(): Promise<void> {
    return this.#outbox.start();
  }

  async stop(): Promise<void> {
    this.#session?.end();
    await this.#outbox.stop();
  }

  open(): void {
    this.#session?.end();
    this.#outbox.detach();
    const send = (frame: OutgoingFrame): Promise<void> => {
      this.#onFrame(encodeFrame(frame));
      return Promise.resolve();
    };
    const onFailed = (error: Error): void => void this.errors.push(error);
    this.#session = this.#replica.open({ scopeId: 1, send, onFailed });
    this.#upstream = new UpstreamSession(send);
    this.#outbox.attach(this.#upstream);
  }

  say(step: Extract<GoldenStep, { do: 'say' }>): void {
    this.#outbox.put(messageOf(step));
  }

  take(frame: Frame): void {
    if (frame.body === 'delta') this.#session?.onDelta(frame.delta);
    else if (frame.body === 'upstreamAck') this.#upstream?.onAck(frame.upstreamAck);
    else throw new TypeError(`a hub does not send ${frame.body ?? 'nothing'}`);
  }

  outcome(): Required<Omit<GoldenOutcome, 'sent'>> {
    const entries = [...this.#store.entries(SCOPE)].sort(([one], [other]) => (one < other ? -1 : 1));
    return {
      objects: Object.fromEntries(entries.map(([key, { hash }]) => [key, hash])),
      synced: this.#replica.state.synced,
      held: this.#replica.state.heldRemovals,
      outbox: { ...this.#outbox.counters() },
      waiting: this.#outbox.size,
    };
  }
}
