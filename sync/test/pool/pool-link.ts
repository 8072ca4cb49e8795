import {
  decodeHubMessage,
  encodeHubMessage,
  type HubMessage,
  type OutgoingFrame,
  type OutgoingHubMessage,
} from '@hawser/proto';
import type { Clock } from '@hawser/seams';
import {
  ScopePublisher,
  type ChangeEncoder,
  type ReplicaSession,
  type ScopeReplica,
  type ScopeView,
} from '../../src/index.ts';
import { settle } from '../settle.ts';

/** What a {@link PoolLink} joins. */
export interface PoolLinkOptions {
  readonly view: ScopeView;
  readonly replica: ScopeReplica;
  readonly encoder: ChangeEncoder;
  readonly clock: Clock;
  /** Alters what comes down; answers what travels in its place. Default: nothing is altered. */
  readonly tamper?: (message: HubMessage) => HubMessage;
  readonly confirmAfterMs?: number;
}

interface Down {
  readonly scope: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** One session of a scope, whose frames wait until a test lets them pass, each direction in its order. */
export class PoolLink {
  /** What ended either end. */
  readonly failures: Error[] = [];
  readonly #options: PoolLinkOptions;
  readonly #session: ReplicaSession;
  readonly #down: Down[] = [];
  readonly #up: OutgoingFrame[] = [];
  #publisher: ScopePublisher | undefined;
  #cut = false;
  /** Kinds of messages that came down: `batch`, `inSync` … */
  readonly said: string[] = [];

  constructor(options: PoolLinkOptions) {
    this.#options = options;
    this.#session = options.replica.open({
      scopeId: 1,
      epoch: 3,
      send: (frame) => {
        if (!this.#cut) this.#up.push(frame);
        return Promise.resolve();
      },
      onFailed: (error) => this.#fail(error),
    });
  }

  get isCut(): boolean {
    return this.#cut;
  }

  /** Frames on their way. */
  get pending(): number {
    return this.#down.length + this.#up.length;
  }

  /** Lets one frame pass. */
  async pass(direction: 'up' | 'down'): Promise<void> {
    try {
      if (direction === 'up') this.#passUp(this.#up.shift());
      else this.#passDown(this.#down.shift());
    } catch (error) {
      this.#fail(error as Error);
    }
    await settle();
  }

  /** Lets everything pass, and all that comes of it. */
  async flow(): Promise<void> {
    await settle();
    while (this.pending > 0 && !this.#cut) await this.pass(this.#up.length > 0 ? 'up' : 'down');
  }

  /** The line breaks. */
  cut(): void {
    this.#cut = true;
    this.#session.end();
    this.#publisher?.close();
    this.#down.length = 0;
    this.#up.length = 0;
  }

  #passUp(frame: OutgoingFrame | undefined): void {
    if (frame === undefined) return;
    if ('subscribe' in frame) {
      const { view, encoder, clock, confirmAfterMs = 2000 } = this.#options;
      this.#publisher = new ScopePublisher({
        ...{ scopeId: 1, view, encoder, clock, confirmAfterMs },
        random: { next: () => 0.5 },
        send: (down) => {
          if (!this.#cut && 'delta' in down) this.#down.push(down.delta as Down); // a publisher leaves nothing out
          return Promise.resolve();
        },
        onFailed: (error) => this.#fail(error),
      });
      this.#publisher.start(frame.subscribe.state ?? new Uint8Array(0));
    } else if ('deltaAck' in frame) this.#publisher?.onAck(frame.deltaAck.sequence ?? 0);
    else if ('scopeReport' in frame) this.#publisher?.onReport(frame.scopeReport.body ?? new Uint8Array(0));
  }

  #passDown(delta: Down | undefined): void {
    if (delta === undefined) return;
    const message = decodeHubMessage(delta.body);
    this.said.push(message.body ?? '');
    const { tamper } = this.#options;
    if (tamper === undefined) this.#session.onDelta(delta);
    else {
      const body = encodeHubMessage(tamper(message) as unknown as OutgoingHubMessage);
      this.#session.onDelta({ ...delta, body });
    }
  }

  #fail(error: Error): void {
    if (this.#cut) return;
    this.failures.push(error);
    this.cut();
  }
}
