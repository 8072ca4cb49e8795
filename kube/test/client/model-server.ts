import { delay, randomBelow, type Random } from '@hawser/seams';
import type { FakeClock } from '@hawser/seams/testing';
import {
  ClientError,
  ServerFacts,
  type KubeObject,
  type ListCall,
  type ListerWatcher,
  type ListPage,
  type WatchCall,
  type WatchEvent,
  type WatchStream,
} from '../../src/index.ts';
import { bookmark, object, refusal } from './scripted-lister-watcher.ts';

interface Write {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

/** How nasty a {@link ModelServer} is: chances in [0, 1]. */
export interface Trouble {
  readonly listFails: number;
  readonly watchRefused: number;
  readonly disconnect: number;
  /** Chance at each write that the history is compacted. */
  readonly compaction: number;
  readonly streamingLists: boolean;
}

/**
 * An API server as a model: a history of writes that gets compacted, lists at a version, watches from one, with
 * random delays and failures; reproducible from its random source.
 */
export class ModelServer implements ListerWatcher {
  readonly server = new ServerFacts();
  readonly objects = new Map<string, KubeObject>();
  /** Streams open now. */
  open = 0;
  counts = { lists: 0, watches: 0, streamed: 0, expired: 0, cuts: 0 };
  #trouble: Trouble;
  readonly #clock: FakeClock;
  readonly #random: Random;
  #version = 1;
  #oldest = 1;
  #history: Write[] = [];
  /** State as of `#oldest`. */
  readonly #base = new Map<string, KubeObject>();

  constructor(clock: FakeClock, random: Random, trouble: Trouble) {
    this.#clock = clock;
    this.#random = random;
    this.#trouble = trouble;
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.#trouble = { ...this.#trouble, listFails: 0, watchRefused: 0, disconnect: 0, compaction: 0 };
  }

  /** One random write: create, change, delete. */
  write(): void {
    const name = `o${randomBelow(this.#random, 12)}`;
    const before = this.objects.get(name);
    this.#version += 1 + randomBelow(this.#random, 3);
    const remove = before !== undefined && this.#chance(0.35);
    const uid = before?.metadata.uid ?? `uid-${this.#version}`;
    const written = object(name, this.#version, { uid });
    const type = remove ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED';
    if (remove) this.objects.delete(name);
    else this.objects.set(name, written);
    this.#history.push({ version: this.#version, type, object: written });
    if (this.#chance(this.#trouble.compaction)) this.#compact(this.#version - randomBelow(this.#random, 4));
  }

  async list(call: ListCall, signal: AbortSignal): Promise<ListPage> {
    await this.#travel(signal);
    this.counts.lists += 1;
    if (this.#chance(this.#trouble.listFails)) throw this.#anyFailure();
    const { at, from } = this.#position(call);
    const state = [...this.#stateAt(at)].sort(([a], [b]) => (a < b ? -1 : 1)).filter(([name]) => name > from);
    // A list from memory comes in one piece, whatever the limit.
    const limit =
      call.resourceVersion === '0' || call.limit === undefined ? Infinity : Math.min(call.limit, 3);
    const items = state.slice(0, limit);
    const last = items.at(-1);
    const more = state.length > items.length && last !== undefined;
    await this.#travel(signal);
    return {
      items: items.map(([, item]) => item),
      resourceVersion: String(at),
      ...(more && { continue: `${at}:${last[0]}` }),
    };
  }

  async watch(call: WatchCall, signal: AbortSignal): Promise<WatchStream> {
    await this.#travel(signal);
    this.counts.watches += 1;
    if (this.#chance(this.#trouble.watchRefused)) throw this.#anyFailure();
    const { resourceVersion = '', sendInitialEvents = false, timeoutSeconds } = call;
    if (sendInitialEvents && !this.#trouble.streamingLists) throw refusal(422);
    const from = Number(resourceVersion);
    if (!sendInitialEvents && from < this.#oldest && this.#chance(0.5)) {
      this.counts.expired += 1;
      throw refusal(410);
    }
    const endMs = this.#clock.monotonicMs() + timeoutSeconds * 1000;
    const events = this.#events(from, sendInitialEvents, endMs, signal);
    return { close: () => {}, [Symbol.asyncIterator]: () => events };
  }

  async *#events(
    from: number,
    initial: boolean,
    endMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    this.open += 1;
    try {
      let sent = from;
      if (initial) {
        this.counts.streamed += 1;
        sent = this.#version;
        for (const item of [...this.objects.values()]) {
          await this.#maybeCut(signal);
          yield { type: 'ADDED', object: item };
        }
        yield bookmark(sent, true);
      }
      while (this.#clock.monotonicMs() < endMs) {
        if (sent < this.#oldest) {
          this.counts.expired += 1;
          yield { type: 'ERROR', status: refusal(410).status };
          return;
        }
        const next = this.#history.find(({ version }) => version > sent);
        if (next === undefined) {
          if (this.#chance(0.2)) yield bookmark((sent = this.#version));
          await this.#travel(signal, 300);
        } else {
          await this.#maybeCut(signal);
          sent = next.version;
          yield { type: next.type, object: next.object };
        }
      }
    } finally {
      this.open -= 1;
    }
  }

  async #maybeCut(signal: AbortSignal): Promise<void> {
    if (this.#chance(0.3)) await this.#travel(signal);
    signal.throwIfAborted();
    if (!this.#chance(this.#trouble.disconnect)) return;
    this.counts.cuts += 1;
    throw new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'cut');
  }

  #position(call: ListCall): { at: number; from: string } {
    if (call.continue !== undefined) {
      const [version = '', from = ''] = call.continue.split(':');
      if (Number(version) < this.#oldest) {
        this.counts.expired += 1;
        throw refusal(410);
      }
      return { at: Number(version), from };
    }
    // Version 0 may be answered from a past that this server still has in memory.
    const { resourceVersion = '' } = call;
    const lag = resourceVersion === '0' ? randomBelow(this.#random, 6) : 0;
    return { at: Math.max(this.#oldest, this.#version - lag), from: '' };
  }

  #stateAt(version: number): Map<string, KubeObject> {
    const state = new Map(this.#base);
    for (const { version: at, type, object: written } of this.#history) {
      if (at > version) break;
      apply(state, type, written);
    }
    return state;
  }

  #compact(version: number): void {
    this.#oldest = Math.max(this.#oldest, version);
    while (this.#history[0] !== undefined && this.#history[0].version <= this.#oldest) {
      const [{ type, object: written }] = this.#history.splice(0, 1) as [Write];
      apply(this.#base, type, written);
    }
  }

  #anyFailure(): Error {
    const failures = [
      refusal(503),
      refusal(429, { details: { retryAfterSeconds: 1 } }),
      refusal(500),
      refusal(403),
      new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'refused'),
      new ClientError('ERR_KUBE_CLIENT_BAD_RESPONSE', 'garbage'),
    ];
    return failures[randomBelow(this.#random, failures.length)] ?? refusal(500);
  }

  #travel(signal: AbortSignal, atMostMs = 40): Promise<void> {
    return delay(this.#random.next() * atMostMs, { clock: this.#clock, signal });
  }

  #chance(chance: number): boolean {
    return this.#random.next() < chance;
  }
}

function apply(state: Map<string, KubeObject>, type: Write['type'], written: KubeObject): void {
  const { name = '' } = written.metadata;
  if (type === 'DELETED') state.delete(name);
  else state.set(name, written);
}
