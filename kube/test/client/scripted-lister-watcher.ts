import { deferred, type Deferred } from '@hawser/seams';
import type { FakeClock } from '@hawser/seams/testing';
import {
  ServerFacts,
  StatusError,
  type KubeObject,
  type ListCall,
  type ListerWatcher,
  type ListPage,
  type WatchCall,
  type WatchEvent,
  type WatchStream,
} from '../../src/index.ts';

/** A watch that the test feeds. */
export class ScriptedStream implements WatchStream {
  readonly #queue: WatchEvent[] = [];
  readonly #onEnd: () => void;
  #failure: Error | undefined;
  #ended = false;
  #wake: Deferred<void> = deferred();

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  push(...events: WatchEvent[]): void {
    this.#queue.push(...events);
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake.resolve();
  }

  close(): void {
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<WatchEvent> {
    try {
      while (true) {
        for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) yield event;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#ended) return;
        await this.#wake.promise;
        this.#wake = deferred();
      }
    } finally {
      this.#onEnd();
    }
  }
}

/** A call that waits for the test's answer. */
export interface PendingCall {
  readonly kind: 'list' | 'watch';
  readonly list: ListCall;
  readonly watch: WatchCall;
  answer(page: ListPage): void;
  accept(): ScriptedStream;
  fail(error: Error): void;
}

/** A server whose every answer the test gives, at the moment that it chooses. Aborts are obeyed at once. */
export class ScriptedListerWatcher implements ListerWatcher {
  readonly server = new ServerFacts();
  readonly pending: PendingCall[] = [];
  /** Calls and streams under way: 0 after a stop, or something leaks. */
  open = 0;
  calls = 0;

  list(call: ListCall, signal: AbortSignal): Promise<ListPage> {
    return this.#wait<ListPage>('list', call, signal, (answer) => ({
      answer,
      accept: () => {
        throw new Error('a list was called for, not a watch');
      },
    }));
  }

  watch(call: WatchCall, signal: AbortSignal): Promise<WatchStream> {
    return this.#wait<WatchStream>('watch', call, signal, (answer) => ({
      answer: () => {
        throw new Error('a watch was called for, not a list');
      },
      accept: () => {
        this.open += 1;
        const onAbort = (): void => stream.fail(signal.reason as Error);
        const stream = new ScriptedStream(() => {
          this.open -= 1;
          signal.removeEventListener('abort', onAbort);
        });
        signal.addEventListener('abort', onAbort);
        answer(stream);
        return stream;
      },
    }));
  }

  async #wait<T>(
    kind: PendingCall['kind'],
    call: ListCall | WatchCall,
    signal: AbortSignal,
    answers: (answer: (value: T) => void) => Pick<PendingCall, 'answer' | 'accept'>,
  ): Promise<T> {
    signal.throwIfAborted();
    const reply = deferred<T>();
    const fail = (error: Error): void => reply.reject(error);
    const onAbort = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    const pending: PendingCall = {
      kind,
      list: call,
      watch: call as WatchCall,
      fail,
      ...answers(reply.resolve),
    };
    this.pending.push(pending);
    this.calls += 1;
    this.open += 1;
    try {
      return await reply.promise;
    } finally {
      this.open -= 1;
      signal.removeEventListener('abort', onAbort);
      const at = this.pending.indexOf(pending);
      if (at !== -1) this.pending.splice(at, 1);
    }
  }

  /** Moves the clock until the next call of this kind is there (at most two hours), and takes it. */
  async next(clock: FakeClock, kind: PendingCall['kind']): Promise<PendingCall> {
    await clock.advance(0);
    for (let i = 0; i < 72_000 && this.pending.length === 0; i++) await clock.advance(100);
    const call = this.pending.shift();
    if (call?.kind !== kind) throw new Error(`a ${kind} was expected, there is ${call?.kind ?? 'nothing'}`);
    return call;
  }
}

/** A ConfigMap for tests. */
export function object(
  name: string,
  version: number,
  extra: Partial<KubeObject['metadata']> = {},
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: String(version), ...extra },
    data: { version: String(version) },
  };
}

/** A bookmark; `initial`: the one that ends a streaming list. */
export function bookmark(version: number, initial = false): WatchEvent {
  const annotations = initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version), ...annotations } } };
}

/** A Status of failure as an error. */
export function refusal(code: number, more: Partial<StatusError['status']> = {}): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    ...more,
  });
}

/** A page of a list. */
export function page(version: number, items: readonly KubeObject[], next?: string): ListPage {
  return { items, resourceVersion: String(version), ...(next !== undefined && { continue: next }) };
}
