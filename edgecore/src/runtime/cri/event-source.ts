import { delay, type Clock } from '@hawser/seams';
import type { CriClient } from '../../cri/cri-client.ts';
import { containerdEvents, type ContainerdEvent } from '../../cri/containerd-events.ts';
import { GRPC, grpcStatusOf } from '../../cri/grpc-status.ts';
import { LABELS } from './labels.ts';
import type { PodReader } from './pod-reader.ts';

/** Where news of containers come from. */
export type EventSourceKind = 'containerd' | 'cri' | 'poll';

/** What an {@link EventSource} tells. */
export interface EventSink {
  /** containerd says that something happened to a container. */
  containerd(event: ContainerdEvent): void;
  /** The pod with this UID has changed; undefined: any may have. */
  changed(uid: string | undefined): void;
  /** It listens from now on. */
  listening(kind: EventSourceKind): void;
}

/** What an {@link EventSource} is made of. */
export interface EventSourceOptions {
  readonly client: CriClient;
  readonly reader: PodReader;
  readonly clock: Clock;
  readonly owner: string;
  readonly sink: EventSink;
}

const POLL_PERIOD_MS = 1_000;
/** containerd does not say when it has begun to listen (see `containerdEvents`): later than this it has. */
const SURELY_LISTENS_MS = 1_000;

/**
 * Listens to one connection with a runtime, by the first of these that it has:
 *
 * 1. containerd's own stream of events. Every containerd has it.
 * 2. `GetContainerEvents` of CRI (containerd 1.7, CRI-O 1.26 and later).
 * 3. A list every second.
 *
 * What any of them misses is found by the slow re-list of the pods (`pods.relistPeriodMs`), which nothing here replaces.
 */
export class EventSource {
  readonly #options: EventSourceOptions;

  constructor(options: EventSourceOptions) {
    this.#options = options;
  }

  /** Until the connection breaks, which it rejects with; never resolves. @throws `signal.reason` */
  async follow(signal: AbortSignal): Promise<never> {
    for (const kind of ['containerd', 'cri', 'poll'] as const) {
      try {
        return await this.#followBy(kind, signal);
      } catch (error) {
        if (kind === 'poll' || grpcStatusOf(error) !== GRPC.unimplemented) throw error;
      }
    }
    throw new Error('a poll ends only by an error');
  }

  async #followBy(kind: EventSourceKind, signal: AbortSignal): Promise<never> {
    if (kind === 'poll') return this.#poll(signal);
    const { sink, clock } = this.#options;
    const events = kind === 'containerd' ? this.#containerdEvents(signal) : this.#criEvents(signal);
    // The request is on its way with the first step; from then on everything may have changed before.
    let next = events.next();
    const again = clock.setTimer(SURELY_LISTENS_MS, () => {
      sink.listening(kind);
      sink.changed(undefined);
    });
    try {
      sink.changed(undefined);
      while ((await next).done !== true) next = events.next();
    } finally {
      again.cancel();
    }
    throw new Error(`the runtime has ended its stream of events (${kind})`);
  }

  async *#containerdEvents(signal: AbortSignal): AsyncGenerator<void> {
    const { client, sink } = this.#options;
    for await (const event of containerdEvents(client.connection, signal)) {
      sink.containerd(event);
      yield;
    }
  }

  async *#criEvents(signal: AbortSignal): AsyncGenerator<void> {
    const { client, sink, owner } = this.#options;
    for await (const { podSandboxStatus: pod } of client.events(signal)) {
      if (pod?.labels[LABELS.owner] === owner) sink.changed(pod.metadata?.uid);
      yield;
    }
  }

  async #poll(signal: AbortSignal): Promise<never> {
    const { sink, clock } = this.#options;
    let before = await this.#states(signal);
    sink.listening('poll');
    sink.changed(undefined);
    while (true) {
      await delay(POLL_PERIOD_MS, { clock, signal });
      const after = await this.#states(signal);
      for (const uid of new Set([...before.keys(), ...after.keys()])) {
        if (before.get(uid) !== after.get(uid)) sink.changed(uid);
      }
      before = after;
    }
  }

  /** Of each pod a text that changes when it does. */
  async #states(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { sandboxes, containers } = await this.#options.reader.items(undefined, signal);
    const states = new Map<string, string[]>();
    const add = (uid: string | undefined, id: string, state: number): void => {
      const key = uid ?? '';
      const list = states.get(key) ?? [];
      list.push(`${id}=${state}`);
      states.set(key, list);
    };
    for (const { id, state, metadata } of sandboxes) add(metadata?.uid, id, state);
    for (const { id, state, labels } of containers) add(labels[LABELS.podUid], id, state);
    return new Map([...states].map(([uid, list]) => [uid, list.sort().join(' ')]));
  }
}
