import { encodeFrame, type Frame, type OutgoingFrame } from '@hawser/proto';
import type { FakeClock } from '@hawser/seams/testing';
import { contentOf, DeltaEncoder, publisherCounters, ScopePublisher } from '@hawser/sync';
import { MemoryScopeView } from '@hawser/sync/testing';

const RANDOM = { next: (): number => 0.5 };

/** The hub of this release, in a session that may be a recorded one. */
export class GoldenHub {
  readonly errors: Error[] = [];
  /** Kinds and bodies of Upstreams, in their order. */
  readonly upstreams: { readonly kind: string; readonly body: Uint8Array }[] = [];
  readonly counters = publisherCounters();
  readonly #clock: FakeClock;
  readonly #onFrame: (bytes: Uint8Array) => void;
  readonly #view = new MemoryScopeView({ scope: 'node/edge-1' });
  readonly #encoder = new DeltaEncoder({ threadAboveBytes: Infinity });
  #publisher: ScopePublisher | undefined;
  #busy = true;

  /** @param onFrame gets each frame that it sends, without its length */
  constructor(clock: FakeClock, onFrame: (bytes: Uint8Array) => void) {
    this.#clock = clock;
    this.#onFrame = onFrame;
  }

  get inSync(): boolean {
    return this.#publisher?.inSync ?? false;
  }

  async stop(): Promise<void> {
    this.#publisher?.close();
    await this.#encoder.stop();
  }

  open(): void {
    this.#publisher?.close();
    this.#publisher = undefined;
  }

  put(resource: string, object: object): void {
    this.#view.put(contentOf(resource, object));
  }

  remove(key: string): void {
    this.#view.remove(key);
  }

  take(frame: Frame): void {
    switch (frame.body) {
      case 'subscribe':
        this.#publisher = this.#publish(frame.subscribe.scope);
        this.#publisher.start(frame.subscribe.state);
        return;
      case 'deltaAck':
        this.#publisher?.onAck(frame.deltaAck.sequence);
        return;
      case 'scopeReport':
        this.#publisher?.onReport(frame.scopeReport.body);
        return;
      case 'upstream':
        this.#answer(frame.upstream);
        return;
      default:
        throw new TypeError(`an edge does not send ${frame.body ?? 'nothing'}`);
    }
  }

  #publish(scopeId: number): ScopePublisher {
    const { counters } = this;
    return new ScopePublisher({
      ...{ scopeId, counters, view: this.#view, encoder: this.#encoder, clock: this.#clock, random: RANDOM },
      send: (frame) => this.#send(frame),
      onFailed: (error) => void this.errors.push(error),
    });
  }

  /** Events are refused for good, the first report for now, everything else is taken. */
  #answer({ sequence, kind, body }: { sequence: number; kind: string; body: Uint8Array }): void {
    this.upstreams.push({ kind, body });
    const isLater = kind === 'report' && this.#busy;
    if (isLater) this.#busy = false;
    const status = kind === 'event' ? 422 : isLater ? 503 : 0;
    const message = status === 0 ? '' : 'as the script says';
    const retryAfterMs = isLater ? 2000 : 0;
    void this.#send({ upstreamAck: { sequence, status, message, retryAfterMs, body: new Uint8Array(0) } });
  }

  #send(frame: OutgoingFrame): Promise<void> {
    this.#onFrame(encodeFrame(frame));
    return Promise.resolve();
  }
}
