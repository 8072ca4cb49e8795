import {
  compareResourceVersions,
  Reflector,
  resourceListerWatcher,
  type ApiClient,
  type ApiResource,
  type KubeObject,
  type ListerWatcher,
  type ReflectorMetrics,
  type ReflectorPhase,
  type WatchStream,
} from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import { Gate } from './gate.ts';
import { resourceName } from './object-key.ts';

/** A complete list, as a {@link FeedSink} is told of it. */
export interface CompleteList {
  readonly version: string;
  /** Number of the list: of those that had begun. What was first wanted at this number or later, it may lack. */
  readonly number: number;
  /** Whether it is of another life than what was there before: what is known of objects is to be forgotten. */
  readonly wentBack: boolean;
}

/** What becomes of a resource's objects. Methods are synchronous and must not throw. */
export interface FeedSink<E> {
  /** Makes of an object what is kept; undefined leaves it out. */
  prepare(object: KubeObject): E | undefined;
  replace(entries: Iterable<E>, list: CompleteList): void;
  put(entry: E): void;
  /** The object is gone; its version is that of the deletion. */
  remove(object: KubeObject): void;
}

/** What every feed needs. */
export interface FeedSettings {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics?: ReflectorMetrics;
  /** Objects in a page of a list, where the server does not stream lists. Default 500. */
  readonly pageSize?: number;
  /**
   * A list showed an older state than was seen before: the API server has lost what came after. The sink is not told
   * of it, nor of anything after it, until {@link Feed.relist}.
   */
  readonly onRollback: (resource: string, from: string, to: string) => void;
  /** Something failed; it goes on by itself. */
  readonly onTrouble: (error: Error) => void;
}

/** One resource of the whole cluster, as it is followed. */
export interface Feed {
  readonly resource: ApiResource;
  /** As in keys. */
  readonly name: string;
  /** Lists that have begun, complete or not. */
  readonly listsBegun: number;
  /** Whether a complete list was seen. */
  readonly hasSynced: boolean;
  /** The last version seen, in an event, a bookmark or a list; `''` before the first list. */
  readonly lastVersion: string;
  /** Time since the server last said anything about the resource, milliseconds; undefined before it did. */
  readonly silenceMs: number | undefined;
  /** Resolves when a complete list was seen. Errors: `signal.reason`; `ERR_KUBE_CLIENT_CLOSED` once stopped. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /**
   * It is known that the API server has another life: the watch ends, and all is listed anew, which the sink is told of
   * as {@link CompleteList.wentBack}. What it has until then stays as it is. May be called at any time.
   */
  relist(): void;
  /**
   * Resolves when a complete list was seen since the last {@link relist}. Errors: `signal.reason`.
   */
  waitForRelist(signal: AbortSignal): Promise<void>;
  /** While {@link relist} goes on: the resource is not served any more, so that nothing of it exists. */
  relistedAsAbsent(): void;
  start(): void;
  /** Resolves when nothing is open any more. Idempotent. */
  stop(): Promise<void>;
}

/**
 * What the feed passes on. `following`: all; `lost`: nothing, since the API server went back; `relisting`: nothing before
 * the next complete list.
 */
type FeedState = 'following' | 'lost' | 'relisting';

/** Follows a resource with one watch, and keeps nothing itself. */
export class ResourceFeed<E> implements Feed {
  readonly resource: ApiResource;
  readonly name: string;
  readonly #settings: FeedSettings;
  readonly #reflector: Reflector<E>;
  readonly #sink: FeedSink<E>;
  #state: FeedState = 'following';
  /** Closed from a call of {@link relist} until all is listed. */
  readonly #listed = new Gate(true);
  #listsBegun = 0;
  #heardMs: number | undefined;

  constructor(resource: ApiResource, sink: FeedSink<E>, settings: FeedSettings) {
    this.resource = resource;
    this.name = resourceName(resource);
    this.#settings = settings;
    this.#sink = sink;
    const { client, clock, random, metrics, pageSize } = settings;
    this.#reflector = new Reflector<E>({
      name: this.name,
      listerWatcher: this.#counted(resourceListerWatcher(client, resource)),
      sink: {
        prepare: (object) => sink.prepare(object),
        replace: (entries, version) => this.#replace(entries, version),
        put: (entry) => {
          if (this.#state === 'following') sink.put(entry);
        },
        remove: (object) => {
          if (this.#state === 'following') sink.remove(object);
        },
      },
      // What the server has in memory may be old, and an old state must not be told to an edge.
      initialVersion: '',
      // Edges are to hear soon that the API server went back: what they have is at stake.
      suspectsRestores: true,
      onError: (error, phase) => this.#onError(error, phase),
      clock,
      random,
      ...(metrics && { metrics }),
      ...(pageSize !== undefined && { pageSize }),
    });
  }

  get listsBegun(): number {
    return this.#listsBegun;
  }

  get hasSynced(): boolean {
    return this.#reflector.hasSynced;
  }

  get lastVersion(): string {
    return this.#reflector.lastVersion;
  }

  get silenceMs(): number | undefined {
    return this.#heardMs === undefined ? undefined : this.#settings.clock.monotonicMs() - this.#heardMs;
  }

  waitForSync(signal: AbortSignal): Promise<void> {
    return this.#reflector.waitForSync(signal);
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  relist(): void {
    this.#state = 'relisting';
    this.#listed.close();
    this.#reflector.relist();
  }

  waitForRelist(signal: AbortSignal): Promise<void> {
    return this.#listed.wait(signal);
  }

  relistedAsAbsent(): void {
    if (this.#state === 'relisting')
      this.#follow([], { version: '', number: this.#listsBegun, wentBack: true });
  }

  #replace(entries: Iterable<E>, version: string): void {
    this.#heard();
    if (this.#state === 'lost') return;
    const before = this.#reflector.lastVersion;
    const order = compareResourceVersions(version, before);
    const wentBack = this.#state === 'relisting';
    if (!wentBack && order !== undefined && order < 0) {
      this.#state = 'lost';
      this.#settings.onRollback(this.name, before, version);
      return;
    }
    this.#follow(entries, { version, number: this.#listsBegun, wentBack });
  }

  #follow(entries: Iterable<E>, list: CompleteList): void {
    this.#state = 'following';
    this.#sink.replace(entries, list);
    this.#listed.open();
  }

  #heard(): void {
    this.#heardMs = this.#settings.clock.monotonicMs();
  }

  #onError(error: Error, phase: ReflectorPhase): void {
    this.#settings.logger.warn({ resource: this.name, phase, err: error }, 'watching a resource failed');
    this.#settings.onTrouble(error);
  }

  /** Counts lists as they begin, in either form, and notes when something was heard. */
  #counted(inner: ListerWatcher): ListerWatcher {
    return {
      server: inner.server,
      list: (call, signal) => {
        if (call.continue === undefined) this.#listsBegun += 1;
        return inner.list(call, signal);
      },
      watch: async (call, signal) => {
        if (call.sendInitialEvents === true) this.#listsBegun += 1;
        return this.#overheard(await inner.watch(call, signal));
      },
    };
  }

  #overheard(stream: WatchStream): WatchStream {
    return {
      close: () => stream.close(),
      [Symbol.asyncIterator]: () => {
        const events = stream[Symbol.asyncIterator]();
        return {
          next: () => {
            this.#heard();
            return events.next();
          },
          return: (value) => events.return?.(value) ?? Promise.resolve({ done: true, value: undefined }),
        };
      },
    };
  }
}
